/**
 * What is searched for: the words as they were typed, one behind the other, or each of them at the beginning of a word,
 * wherever that stands. Case makes no difference.
 */

import { element } from "./dom.js";
import { inLine } from "./plain_text.js";

/** Words of scripts that put spaces between them begin behind something else. */
const SPACED = /^[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Arabic}\p{Script=Hebrew}\p{N}]/u;
const BEGINNING = "(?<![\\p{L}\\p{N}])";
/** So much of a text is shown around what was found in it, in characters. */
const AROUND = { before: 24, all: 140 };

export class Wanted {
  #whole;
  #words;
  #any;

  /** @param {string} text */
  constructor(text) {
    const words = text.trim().split(/\s+/).filter(Boolean).map(escaped);
    const whole = words.join("\\s+");
    const each = words.map((word) => (SPACED.test(word) ? BEGINNING + word : word));
    this.isNothing = words.length === 0;
    this.#whole = new RegExp(whole, "iu");
    this.#words = each.map((word) => new RegExp(word, "iu"));
    this.#any = new RegExp([whole, ...each].join("|"), "giu");
  }

  /** @param {string[]} texts of one thing @returns {boolean} */
  isIn(texts) {
    return (
      texts.some((text) => this.#whole.test(text)) || this.#words.every((word) => texts.some((text) => word.test(text)))
    );
  }

  /** @param {string} text @returns {number} how much of what is wanted is in it; the whole is more than all words */
  count(text) {
    return this.#whole.test(text) ? this.#words.length + 1 : this.#words.filter((word) => word.test(text)).length;
  }

  /** @param {string} text @returns {{index: number, length: number}[]} where it is */
  places(text) {
    if (this.isNothing) return [];
    return [...text.matchAll(this.#any)].map(({ index, 0: { length } }) => ({ index, length }));
  }

  /** @param {string} text @returns {Node[]} of it, what stands around what is wanted, in a line */
  excerpt(text) {
    const line = inLine(text);
    const first = this.places(line)[0]?.index ?? 0;
    const from = first > AROUND.before ? line.lastIndexOf(" ", first - AROUND.before) + 1 || first - AROUND.before : 0;
    return this.marked((from ? "…" : "") + line.slice(from, from + AROUND.all));
  }

  /** @param {string} text @returns {Node[]} it, with what is wanted marked */
  marked(text) {
    const nodes = [];
    let end = 0;
    for (const { index, length } of this.places(text)) {
      nodes.push(new Text(text.slice(end, index)), element("mark", "", text.slice(index, index + length)));
      end = index + length;
    }
    return [...nodes, new Text(text.slice(end))];
  }
}

/** @param {string} word */
const escaped = (word) => word.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
