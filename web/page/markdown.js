/**
 * Markdown to DOM, block by block. What a model writes is not trusted: of HTML only what marks up text is left, pictures
 * become links (to show one would tell its server), and nothing in a formula runs anything. What can't be drawn is shown
 * as it is written.
 *
 * @import { Token } from "marked"
 * @import { Block } from "./reader.js"
 */

import { element } from "./dom.js";
import { extensions as formulaExtensions, setFormula } from "./formulas.js";
import { drawable, escaped, escapedText, isSafe } from "./html.js";
import { icon } from "./icons.js";
import { boundedLexer, extensions as ownExtensions } from "./lexer.js";
import { formulas, highlighter, markdown } from "./libraries.js";
import { plain, strain } from "./pieces.js";
import { strings } from "./strings.js";
import { purifier, showColoured } from "./trusted.js";

const TAGS =
  "a b blockquote br code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i ins kbd li mark ol p pre s small span " +
  "strong sub summary sup table tbody td th thead tr u ul";
const ATTRIBUTES = "align colspan data-formula data-info data-plain href open rowspan start title";
const HARMLESS = {
  ALLOWED_TAGS: TAGS.split(" "),
  ALLOWED_ATTR: ATTRIBUTES.split(" "),
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
};
/** Formulas that are kept as they were set: the end of an answer is drawn anew with every frame. */
const KEPT_FORMULAS = 500;
/** Elements that a block may come to. */
const MOST = 1000;
/** What `strain` may say of code that is coloured. */
const STRAIN = 2_000_000;
/** Coloured parts that a line of code may have, on average: lines don't wrap, so that many of long ones are in view. */
const PARTS = 80;

/** Selects what was shown as plain text for want of a library: see `improve`. */
export const LACKING = "[data-lacking]";

export class Markdown {
  #marked;
  #lex;
  #purify;
  #harmless;
  /** @type {Awaited<ReturnType<typeof highlighter>> | null} */
  #highlighter = null;
  /** @type {Awaited<ReturnType<typeof formulas>> | null} */
  #formulas = null;
  /** @type {Map<string, Node>} */
  #set = new Map();
  /** @type {Promise<unknown> | null} */
  #loading = null;

  /** @param {Awaited<ReturnType<typeof markdown>>} libraries */
  constructor({ marked, purify }) {
    const extensions = [...formulaExtensions, ...ownExtensions];
    this.#marked = new marked.Marked({ gfm: true, breaks: true, renderer, extensions });
    this.#lex = boundedLexer(marked);
    this.#purify = purify;
    this.#harmless = purifier(purify, HARMLESS);
  }

  /**
   * @param {string} text
   * @returns {Token[]} its top-level blocks
   */
  blocks(text) {
    try {
      return this.#lex(this.#marked.defaults, text);
    } catch {
      return [{ type: "plain", raw: text }];
    }
  }

  /**
   * @param {Block[]} blocks
   * @returns {{nodes: Node[], better: Promise<unknown> | null}} better: what is LACKING can be improved once it is resolved
   */
  render(blocks) {
    this.#loading = null;
    const nodes = blocks.flatMap((block) => this.#render(block));
    return { nodes, better: this.#loading };
  }

  /** @param {Block} block @returns {Node[]} */
  #render(block) {
    if (block.type === "space") return [];
    if (block.type === "piece")
      return [this.#figure(codeOf(block.raw), /** @type {import("./reader.js").Code} */ (block))];
    try {
      return this.#drawn(/** @type {Token} */ (block)) ?? asWritten(block.raw);
    } catch {
      return asWritten(block.raw);
    }
  }

  /** @param {Token} block @returns {Node[] | null} null: it can't be */
  #drawn(block) {
    const html = this.#marked.parser([block]);
    if (block.type === "plain" || html.split("<").length > 2 * MOST) return null;
    const fragment = /** @type {DocumentFragment | null} */ (this.#harmless(html));
    // It finds nothing to remove, but the empty document that it begins with; else something came that should not have.
    const removed = this.#purify.removed.filter((item) => !("element" in item) || item.element.nodeName !== "BODY");
    if (!fragment || removed.length) return null;
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
    for (const pre of fragment.querySelectorAll("pre")) {
      const info = pre.dataset.info ?? "";
      pre.replaceWith(
        this.#figure(pre.querySelector("code") ?? codeOf(pre.textContent ?? ""), { info, isRest: false }),
      );
    }
    for (const found of fragment.querySelectorAll("[data-formula]")) this.improve(/** @type {HTMLElement} */ (found));
    return [...fragment.childNodes];
  }

  /**
   * @param {HTMLElement} code
   * @param {{info: string, isRest: boolean}} of its block
   */
  #figure(code, { info, isRest }) {
    const figure = element("figure", isRest ? "code more" : "code");
    const pre = element("pre", "");
    pre.tabIndex = 0;
    pre.dir = "ltr";
    pre.append(code);
    if (!isRest) {
      const head = element("figcaption", "");
      const copy = element("button", "copy-code", strings.message.copyCode);
      copy.setAttribute("type", "button");
      copy.prepend(icon("copy"));
      head.append(element("span", "", info), copy);
      figure.append(head);
    }
    figure.append(pre);
    const language = info.split(/\s/)[0];
    if (language) {
      pre.dataset.language = language;
      this.improve(pre);
    }
    return figure;
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
    if (!this.#highlighter)
      return this.#await(
        pre,
        highlighter().then((library) => (this.#highlighter = library)),
      );
    delete pre.dataset.lacking;
    const language = pre.dataset.language ?? "";
    const code = pre.querySelector("code");
    const text = code?.textContent ?? "";
    if (!code || !this.#highlighter.getLanguage(language) || strain(text) > STRAIN) return;
    const options = { language, ignoreIllegals: true };
    const coloured = this.#highlighter.highlight(text, options).value;
    const lines = text.split("\n").length;
    if (coloured.split("<span").length <= Math.min(MOST, PARTS * lines)) showColoured(code, coloured);
  }

  /** @param {HTMLElement} root what holds the formula's source, which it keeps where that is not understood */
  #formula(root) {
    root.dir = "ltr";
    if (!this.#formulas)
      return this.#await(
        root,
        formulas().then((library) => (this.#formulas = library)),
      );
    delete root.dataset.lacking;
    const displayMode = root.dataset.formula === "block";
    const source = root.textContent ?? "";
    const key = `${displayMode} ${source}`;
    let set = this.#set.get(key);
    if (!set) {
      set = setFormula(this.#formulas, source, displayMode);
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

/** @param {string} text @returns {Node[]} */
export function asWritten(text) {
  const shown = element("p", "");
  shown.dataset.plain = "";
  shown.append(...plain(text.replace(/\n+$/, "")));
  return [shown];
}

/** @param {string} text */
function codeOf(text) {
  return element("code", "", text && !text.endsWith("\n") ? `${text}\n` : text);
}

/** @param {string} text @param {string} [info] */
function codeBlock(text, info = "") {
  return `<pre data-info="${escaped(info)}"><code>${escaped(text)}\n</code></pre>\n`;
}

/** @type {import("marked").RendererObject} */
const renderer = {
  code({ text, lang }) {
    return codeBlock(text, lang);
  },
  html({ raw }) {
    return drawable(raw) ?? codeBlock(raw.trimEnd(), "html");
  },
  text(token) {
    return "tokens" in token && token.tokens ? this.parser.parseInline(token.tokens) : escapedText(token.text);
  },
  def({ raw }) {
    return `<p data-plain="">${escaped(raw.trim())}</p>\n`;
  },
  link({ href, title, text, raw, tokens }) {
    if (!isSafe(href)) return escaped(raw);
    const hint = title ? ` title="${escapedText(title)}"` : "";
    return `<a href="${escapedText(href)}"${hint}>${this.parser.parseInline(tokens).trim() || escapedText(text || href || raw)}</a>`;
  },
  image({ href, text, raw }) {
    return isSafe(href) ? `<a href="${escapedText(href)}">${escapedText(text || href || raw)}</a>` : escaped(raw);
  },
  checkbox({ checked }) {
    return checked ? "☑ " : "☐ ";
  },
};
