/** What a look inside is drawn with: tokens to choose from, and tables with bars. */

import { element, tableHead } from "./dom.js";
import { percent } from "../shared/format.js";

/** A smaller share is not told. */
const LEAST = 0.0001;

/** A token that is only a part of a character, which comes with a later one. */
export const HALF = "⋯";

/** @param {number} share of 1 */
export const shareOf = (share) => (share < LEAST ? `< ${percent(LEAST)}` : percent(share));

/** @param {string} text of a token @returns {string} with what can't be seen at its ends, or stands for it, made visible */
export function seen(text) {
  const shown = text
    .replace(/\n/g, "⏎")
    .replace(/\t/g, "⇥")
    .replace(/^ +| +$/g, (spaces) => "␣".repeat(spaces.length));
  return shown || HALF;
}

/**
 * @param {HTMLElement} token
 * @param {number} strength of its tint, from 0 to 1
 */
export function fill(token, strength) {
  token.style.setProperty("--strength", `${Math.round(42 * strength)}%`);
}

/** @param {unknown} error @returns {HTMLElement} its one line */
export function problem(error) {
  const root = element("p", "problem", /** @type {Error} */ (error).message);
  root.setAttribute("role", "alert");
  return root;
}

/** Tokens one behind the other, as text: one of them is chosen, by a click or the arrow keys. */
export class Tokens {
  root = element("div", "tokens");
  /** Called with a token that the visitor points at or chooses. @type {(index: number) => void} */
  onShown = () => {};
  /** Called with one that is chosen. @type {(index: number) => void} */
  onChosen = () => {};
  /** @type {HTMLElement[]} */
  #tokens = [];
  #chosen = 0;

  /**
   * @param {string} label
   * @param {string[]} texts
   */
  constructor(label, texts) {
    this.root.dir = "auto"; // the text's own, whatever the page's is
    this.root.setAttribute("role", "listbox");
    this.root.setAttribute("aria-label", label);
    this.root.setAttribute("aria-orientation", "horizontal");
    this.append(texts);
    const at = (/** @type {Event} */ event) => {
      const token = /** @type {Element} */ (event.target).closest("[data-index]");
      return token ? Number(/** @type {HTMLElement} */ (token).dataset.index) : null;
    };
    this.root.addEventListener("click", (event) => {
      const index = at(event);
      if (index !== null) this.choose(index, true);
    });
    this.root.addEventListener("pointerover", (event) => {
      const index = at(event);
      if (index !== null && /** @type {PointerEvent} */ (event).pointerType === "mouse") this.onShown(index);
    });
    this.root.addEventListener("pointerleave", () => this.onShown(this.#chosen));
    this.root.addEventListener("keydown", (event) => this.#key(event));
  }

  /**
   * @param {string[]} texts of more tokens
   * @param {HTMLElement} [into] in the root
   * @returns {HTMLElement[]} these
   */
  append(texts, into = this.root) {
    const made = texts.map((text, index) => {
      const token = element("span", "token", text || HALF);
      token.setAttribute("role", "option");
      token.setAttribute("aria-label", seen(text));
      token.dataset.index = String(this.#tokens.length + index);
      token.tabIndex = -1;
      return token;
    });
    this.#tokens.push(...made);
    into.append(...made);
    return made;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const last = this.#tokens.length - 1;
    const ahead = getComputedStyle(this.root).direction === "rtl" ? -1 : 1;
    const steps = { ArrowRight: ahead, ArrowLeft: -ahead, ArrowDown: 1, ArrowUp: -1, Home: -last, End: last };
    const step = /** @type {Record<string, number>} */ (steps)[event.key];
    if (step === undefined) return;
    event.preventDefault();
    this.choose(Math.min(last, Math.max(0, this.#chosen + step)), true);
  }

  /**
   * @param {number} index
   * @param {number} strength
   * @param {string} sure
   */
  shade(index, strength, sure) {
    fill(this.#tokens[index], strength);
    this.#tokens[index].dataset.sure = sure;
  }

  /**
   * @param {number} index
   * @param {boolean} [focus] the visitor's own choice
   */
  choose(index, focus = false) {
    const [before, now] = [this.#tokens[this.#chosen], this.#tokens[index]];
    before.tabIndex = -1;
    before.setAttribute("aria-selected", "false");
    now.tabIndex = 0;
    now.setAttribute("aria-selected", "true");
    if (focus) now.focus();
    this.#chosen = index;
    this.onShown(index);
    this.onChosen(index);
  }
}

/**
 * @param {string} caption
 * @param {[string, string]} heads of the names, and of the values
 * @param {{name: string, note: string, share: number, value: string}[]} rows share: of 1, the length of the bar
 */
export function bars(caption, heads, rows) {
  const table = element("table", "bars");
  const body = element("tbody", "");
  for (const { name, note, share, value } of rows) {
    const line = element("tr", "");
    const named = element("th", "");
    named.setAttribute("scope", "row");
    const what = element("code", "", name);
    what.dir = "auto"; // a token's own, whatever the page's is
    named.append(what, element("span", "note", note));
    const told = element("td", "");
    const bar = element("span", "bar");
    bar.style.setProperty("--share", String(Math.min(1, share)));
    told.append(bar, element("span", "value", value));
    line.append(named, told);
    body.append(line);
  }
  table.append(element("caption", "", caption), tableHead(heads), body);
  return table;
}
