/** Long text in pieces: what is parsed, coloured, laid out at once is bounded, so that no task of the page lasts long. */

import { element } from "./dom.js";

/** So many characters at most are parsed and drawn in one step; what is longer is cut, at a line's end if there is one. */
export const PIECE = 5000;

/**
 * @param {string} text
 * @param {number} [limit]
 * @returns {number} where to cut a piece off its beginning: behind a line, or a word, else within no character
 */
export function cutAt(text, limit = PIECE) {
  if (text.length <= limit) return text.length;
  const head = text.slice(0, limit);
  const end = Math.max(head.lastIndexOf("\n"), 0) || Math.max(head.lastIndexOf(" "), 0);
  if (end) return end + 1;
  return /[\uD800-\uDBFF]$/.test(head) ? limit - 1 : limit;
}

/**
 * Text as it is, in elements of a bounded size.
 *
 * @param {string} text
 * @returns {Node[]}
 */
export function plain(text) {
  if (text.length <= PIECE) return [document.createTextNode(text)];
  const made = [];
  for (let start = 0; start < text.length;) {
    const end = start + cutAt(text.slice(start, start + PIECE + 1));
    made.push(element("span", "piece", text.slice(start, end)));
    start = end;
  }
  return made;
}

/** What the libraries do with runs of such characters grows with the square of the runs' lengths. */
const RUNS = /[\w$.+@\u00c0-\u02b8-]{50,}|\s{50,}/g;
/** Likewise with the number of what may be links; so much is each of them worth. */
const LINK = 20;

/**
 * @param {string} text
 * @returns {number} a measure of the time that patterns take over its longest words and gaps, and over its links
 */
export function strain(text) {
  let sum = LINK * (text.split("](").length - 1) ** 2;
  for (const [run] of text.matchAll(RUNS)) sum += run.length ** 2;
  return sum;
}
