/** What visitors write themselves, as they wrote it but for the marks inside of a line: `code`, **strong**, *stressed*. */

import { element } from "./dom.js";

/** A mark stands at letters and not within a word; what it marks ends where it began, in the same line. */
const MARK =
  /(?<![\w*`])(?:(`+)(?!`)([^\n]+?)(?<!`)\1(?!`)|\*\*(?=\S)([^\n*]+?)(?<=\S)\*\*|\*(?=[^\s*])([^\n*]+?)(?<=\S)\*)(?![\w*])/g;

/**
 * @param {string} text
 * @returns {(string | HTMLElement)[]}
 */
export function inline(text) {
  const made = [];
  let end = 0;
  for (const found of text.matchAll(MARK)) {
    const [all, , code, strong, stressed] = found;
    if (found.index > end) made.push(text.slice(end, found.index));
    const tag = code !== undefined ? "code" : strong !== undefined ? "strong" : "em";
    made.push(element(tag, "", code ?? strong ?? stressed));
    end = found.index + all.length;
  }
  return [...made, text.slice(end)];
}
