/**
 * Formulas: what is one in Markdown, and how much of one is set. `$` and `$$`, `\(` and `\[`, and environments of LaTeX
 * alone.
 *
 * @import { TokenizerAndRendererExtension } from "marked"
 */

import { element } from "./dom.js";
import { escaped } from "./html.js";

/** Longer ones are shown as they are written: to set one takes a time that grows with its length. */
const LONGEST = 1500;
/** Tokens that a formula's own definitions may come to. */
const EXPANDED = 4000;
/** Braces within one another. */
const BRACES = 30;
/** What a set formula may come to, in elements, and in elements within one another: a browser lays these out by recursion. */
const MOST = 2000;
const DEEPEST = 100;

const ENVIRONMENT =
  "(?:equation|align|alignat|gather|aligned|alignedat|gathered|split|cases|rcases|dcases|drcases|array|darray|CD|" +
  "subarray|smallmatrix|[pbBvV]?matrix)\\*?";

/** An unfinished one is so only as far as its paragraph. @type {{whole: RegExp, begun: RegExp}[]} */
const BLOCKS = [
  [String.raw`\$\$`, String.raw`\$\$`],
  [String.raw`\\\[`, String.raw`\\\]`],
].map(([opening, closing]) => ({
  whole: new RegExp(`^ {0,3}${opening}((?:(?!${closing})[^])+)${closing}[^\\S\\n]*(?:\\n|$)`),
  begun: new RegExp(`^ {0,3}${opening}(?:(?!${closing})[^])*$`),
}));
const ENVIRONMENTS = {
  whole: new RegExp(String.raw`^ {0,3}(\\begin\{(${ENVIRONMENT})\}(?:(?!\\end\{\2\})[^])*\\end\{\2\})[^\S\n]*(?:\n|$)`),
  begun: new RegExp(String.raw`^ {0,3}\\begin\{(${ENVIRONMENT})\}(?:(?!\\end\{\1\})[^])*$`),
};
BLOCKS.push(ENVIRONMENTS);

/** As Pandoc has it, so that prices are none: `$` before a letter, and after one, and no digit behind it. */
const INLINE = [
  /^\$\$((?:(?!\$\$)[^])+)\$\$/,
  /^\$(?!\s)((?:\\[^]|[^$\\\n])+?)(?<!\s)\$(?!\d)/,
  /^\\\(((?:(?!\\\))[^])+)\\\)/,
  /^\\\[((?:(?!\\\])[^])+)\\\]/,
  new RegExp(String.raw`^(\\begin\{(${ENVIRONMENT})\}(?:(?!\\end\{\2\})[^])*\\end\{\2\})`),
];
const PARAGRAPH = /^(?:[^\n]*\S[^\n]*(?:\n|$))+/;

/** @type {TokenizerAndRendererExtension} */
const block = {
  name: "formulaBlock",
  level: "block",
  start: (text) => text.match(/(?<=\n) {0,3}(?:\$\$|\\\[|\\begin\{)/)?.index,
  tokenizer(text) {
    for (const { whole, begun } of BLOCKS) {
      const found = whole.exec(text);
      if (found) return { type: "formulaBlock", raw: found[0], source: found[1], begun: false };
      if (!begun.test(text)) continue;
      const raw = PARAGRAPH.exec(text)?.[0] ?? text;
      return { type: "formulaBlock", raw, source: undefined, begun: true };
    }
    return undefined;
  },
  renderer: ({ raw, source }) =>
    source === undefined
      ? `<p data-plain="">${escaped(raw.trimEnd())}</p>\n`
      : `<div data-formula="block">${escaped(source.trim())}</div>\n`,
};

/** @type {TokenizerAndRendererExtension} */
const inline = {
  name: "formula",
  level: "inline",
  start: (text) => text.match(/\$|\\[([]|\\begin\{/)?.index,
  tokenizer(text) {
    for (const pattern of INLINE) {
      const found = pattern.exec(text);
      if (found) return { type: "formula", raw: found[0], source: found[1] };
    }
    return undefined;
  },
  renderer: ({ source }) => `<span data-formula="inline">${escaped(source)}</span>`,
};

export const extensions = [block, inline];

/**
 * Set a formula. Bounded, for formulas can be programs: https://katex.org/docs/security
 *
 * @param {typeof import("katex").default} katex
 * @param {string} source
 * @param {boolean} displayMode
 * @returns {HTMLElement} the formula; or its source, where that is not understood, or too much
 */
export function setFormula(katex, source, displayMode) {
  const made = element("span", "");
  const defines = /\\(?:[egx]?def|let|futurelet|(?:re)?newcommand|providecommand)(?![a-zA-Z])/.test(source);
  const maxExpand = defines ? Math.floor(EXPANDED / source.length) : 500;
  try {
    if (source.length > LONGEST || braces(source) > BRACES) throw new RangeError();
    katex.render(source, made, { displayMode, strict: "ignore", maxSize: 50, maxExpand });
    if (made.getElementsByTagName("*").length > MOST || depth(made) > DEEPEST) throw new RangeError();
  } catch {
    made.replaceChildren(element("code", "", source));
  }
  return made;
}

/** @param {Element} root */
function depth(root) {
  let [depth, deepest] = [0, 0];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT);
  for (;;) {
    if (walker.firstChild()) deepest = Math.max(deepest, ++depth);
    else
      while (!walker.nextSibling())
        if (!walker.parentNode()) return deepest;
        else depth--;
  }
}

/** @param {string} source */
function braces(source) {
  let [depth, deepest] = [0, 0];
  for (const [mark] of source.matchAll(/[{}]|\\(?:left|right|begin|end|over)(?![a-zA-Z])/g)) {
    depth += mark === "}" || mark === "\\right" || mark === "\\end" ? -1 : 1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}
