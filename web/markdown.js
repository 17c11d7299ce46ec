/**
 * Markdown to DOM, block by block. What a model writes is not trusted: of HTML only what marks up text is left, pictures
 * become links (to show one would tell its server), and nothing in a formula runs anything.
 *
 * @import { Token } from "marked"
 */

import { element } from "./dom.js";
import { icon } from "./icons.js";
import { formulas, highlighter, markdown } from "./libraries.js";
import { strings } from "./strings.js";
import { harmless, showColoured } from "./trusted.js";

const TAGS =
  "a b blockquote br code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i ins kbd li mark ol p pre s small span " +
  "strong sub summary sup table tbody td th thead tr u ul";
const ATTRIBUTES = "align colspan data-formula data-language href open rowspan start title";
/** Formulas that are kept as they were set: the end of an answer is drawn anew with every frame. */
const KEPT_FORMULAS = 500;

/** Selects what was shown as plain text for want of a library: see `improve`. */
export const LACKING = "[data-lacking]";

/** Unfinished formulas run to the end of the text, so that no blank line in them ends the block. */
const FORMULA_BLOCKS = [
  { whole: /^ {0,3}\$\$((?:(?!\$\$)[^])+)\$\$[^\S\n]*(?:\n|$)/, begun: /^ {0,3}\$\$(?:(?!\$\$)[^])*$/ },
  { whole: /^ {0,3}\\\[((?:(?!\\\])[^])+)\\\][^\S\n]*(?:\n|$)/, begun: /^ {0,3}\\\[(?:(?!\\\])[^])*$/ },
];
/** As Pandoc has it, so that prices are none: `$` before a letter, and after one, and no digit behind it. */
const FORMULAS = [
  /^\$\$((?:(?!\$\$)[^])+)\$\$/,
  /^\$(?!\s)((?:\\[^]|[^$\\\n])+?)(?<!\s)\$(?!\d)/,
  /^\\\(((?:(?!\\\))[^])+)\\\)/,
  /^\\\[((?:(?!\\\])[^])+)\\\]/,
];

export class Markdown {
  #marked;
  #purify;
  /** @type {Awaited<ReturnType<typeof highlighter>> | null} */
  #highlighter = null;
  /** @type {Awaited<ReturnType<typeof formulas>> | null} */
  #formulas = null;
  /** @type {Map<string, Node>} */
  #set = new Map();
  /** @type {Promise<unknown> | null} */
  #loading = null;

  /** @param {Awaited<ReturnType<typeof markdown>>} libraries */
  constructor({ Marked, purify }) {
    this.#marked = new Marked({ gfm: true, breaks: true, renderer, extensions: [formulaBlock, formula] });
    this.#purify = purify;
  }

  /**
   * @param {string} text
   * @returns {Token[]} its top-level blocks
   */
  blocks(text) {
    return this.#marked.lexer(text);
  }

  /**
   * @param {Token[]} blocks
   * @returns {{nodes: Node[], more: Promise<unknown> | null}} more: what is LACKING can be improved once it is resolved
   */
  render(blocks) {
    const html = this.#marked.parser(blocks);
    const fragment = harmless(this.#purify, html, {
      ALLOWED_TAGS: TAGS.split(" "),
      ALLOWED_ATTR: ATTRIBUTES.split(" "),
      ALLOW_DATA_ATTR: false,
      ALLOW_ARIA_ATTR: false,
    });
    this.#loading = null;
    for (const link of fragment.querySelectorAll("a")) {
      link.target = "_blank";
      link.rel = "noopener noreferrer";
    }
    for (const table of fragment.querySelectorAll("table")) {
      const scroller = element("div", "table");
      scroller.tabIndex = 0; // it scrolls sideways, by keyboard too
      table.replaceWith(scroller);
      scroller.append(table);
    }
    for (const pre of fragment.querySelectorAll("pre")) this.#code(pre);
    for (const found of fragment.querySelectorAll("[data-formula]")) this.improve(/** @type {HTMLElement} */ (found));
    return { nodes: [...fragment.childNodes], more: this.#loading };
  }

  /** @param {HTMLElement} pre */
  #code(pre) {
    const name = pre.dataset.language ?? "";
    const head = element("figcaption", "");
    const copy = element("button", "copy-code", strings.message.copyCode);
    copy.setAttribute("type", "button");
    copy.prepend(icon("copy"));
    head.append(element("span", "", name), copy);
    const figure = element("figure", "code");
    pre.tabIndex = 0;
    pre.dir = "ltr";
    pre.replaceWith(figure);
    figure.append(head, pre);
    if (name) this.improve(pre);
  }

  /**
   * Colour code, set a formula: at once, or by another call when the library has come.
   *
   * @param {HTMLElement} root
   */
  improve(root) {
    if (root.tagName === "PRE") this.#highlight(root);
    else this.#formula(root);
  }

  /** @param {HTMLElement} pre */
  #highlight(pre) {
    if (!this.#highlighter) return this.#await(pre, highlighter().then((library) => (this.#highlighter = library)));
    delete pre.dataset.lacking;
    const language = pre.dataset.language ?? "";
    const code = pre.querySelector("code");
    if (!code || !this.#highlighter.getLanguage(language)) return;
    const options = { language, ignoreIllegals: true };
    showColoured(code, this.#highlighter.highlight(code.textContent ?? "", options).value);
  }

  /** @param {HTMLElement} root what holds the formula's source, which it keeps where that is not understood */
  #formula(root) {
    root.dir = "ltr";
    if (!this.#formulas) return this.#await(root, formulas().then((library) => (this.#formulas = library)));
    delete root.dataset.lacking;
    const displayMode = root.dataset.formula === "block";
    const source = root.textContent ?? "";
    const key = `${displayMode} ${source}`;
    let set = this.#set.get(key);
    if (!set) {
      const made = element("span", "");
      try {
        // Bounded, for formulas can be programs: https://katex.org/docs/security
        this.#formulas.render(source, made, { displayMode, strict: "ignore", maxSize: 50, maxExpand: 500 });
      } catch {
        made.append(element("code", "", source));
      }
      set = made;
      if (this.#set.size >= KEPT_FORMULAS) this.#set.clear();
      this.#set.set(key, set);
    }
    root.replaceChildren(set.cloneNode(true));
  }

  /**
   * @param {HTMLElement} root
   * @param {Promise<unknown>} loading of what it lacks
   */
  #await(root, loading) {
    root.dataset.lacking = "";
    this.#loading = Promise.all([this.#loading, loading]);
  }
}

/** @type {Markdown | null} */
let loaded = null;

/** @returns {Promise<Markdown>} */
export async function loadMarkdown() {
  const libraries = await markdown();
  return (loaded ??= new Markdown(libraries));
}

/** @returns {Markdown | null} null: it has not been loaded */
export function loadedMarkdown() {
  return loaded;
}

/** @type {import("marked").RendererObject} */
const renderer = {
  code({ text, lang }) {
    const language = lang ? ` data-language="${escaped(lang.split(/\s/)[0])}"` : "";
    return `<pre${language}><code>${escaped(text)}\n</code></pre>\n`;
  },
  image({ href, text }) {
    return `<a href="${escaped(href)}">${escaped(text || href)}</a>`;
  },
  checkbox({ checked }) {
    return checked ? "☑ " : "☐ ";
  },
};

/** @type {import("marked").TokenizerAndRendererExtension} */
const formulaBlock = {
  name: "formulaBlock",
  level: "block",
  start: (text) => text.match(/(?<=^|\n) {0,3}(?:\$\$|\\\[)/)?.index,
  tokenizer(text) {
    for (const { whole, begun } of FORMULA_BLOCKS) {
      const found = whole.exec(text) ?? begun.exec(text);
      if (found) return { type: "formulaBlock", raw: found[0], source: found[1] };
    }
    return undefined;
  },
  renderer: ({ raw, source }) =>
    source === undefined ? `<p>${escaped(raw)}</p>\n` : `<div data-formula="block">${escaped(source.trim())}</div>\n`,
};

/** @type {import("marked").TokenizerAndRendererExtension} */
const formula = {
  name: "formula",
  level: "inline",
  start: (text) => text.match(/\$|\\[([]/)?.index,
  tokenizer(text) {
    for (const pattern of FORMULAS) {
      const found = pattern.exec(text);
      if (found) return { type: "formula", raw: found[0], source: found[1] };
    }
    return undefined;
  },
  renderer: ({ source }) => `<span data-formula="inline">${escaped(source)}</span>`,
};

/** @param {string} text */
function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
