/** Markdown as plain text, for a line in which marks would be noise. */

const LINE_LENGTH = 60;
const FENCE = /^\s*(?:`{3,}|~{3,})/;
/** At the beginning of a line: of a heading, a quotation, a list. */
const BEGINS = /^\s*(?:#{1,6}\s+|>\s?|[-*+]\s+)/gm;
/** Marks around words, which stay. @type {[RegExp, string][]} */
const MARKS = [
  [/!?\[([^\]\n]*)\]\([^)\n]*\)/g, "$1"],
  [/(?<![\p{L}\p{N}*])(\*{1,3})(?=\S)([^*\n]*?\S)\1(?![\p{L}\p{N}*])/gu, "$2"],
  [/(?<![\p{L}\p{N}_])(_{1,3})(?=\S)([^_\n]*?\S)\1(?![\p{L}\p{N}_])/gu, "$2"],
  [/~~(?=\S)([^~\n]+?)~~/g, "$1"],
];

/**
 * @param {string} text
 * @returns {string} its first line that says something, without marks, and not longer than a name may be; what stands
 *   between backticks stays as it is
 */
export function lineOf(text) {
  const lines = text.split("\n").filter((line) => !FENCE.test(line));
  const first = lines.find((line) => /[\p{L}\p{N}]/u.test(line)) ?? text.trim().split("\n")[0];
  const line = inLine(first);
  if (line.length <= LINE_LENGTH) return line;
  return `${line.slice(0, LINE_LENGTH).replace(/\s+\S*$/, "")}…`;
}

/** @param {string} text @returns {string} all of it in one line, without marks */
export function inLine(text) {
  const parts = text.replaceAll(BEGINS, "").split(/`+/);
  return parts
    .map((part, index) => (index % 2 ? part : withoutMarks(part)))
    .join("")
    .replaceAll(/\s+/g, " ")
    .trim();
}

/** @param {string} text */
function withoutMarks(text) {
  return MARKS.reduce((left, [mark, kept]) => left.replaceAll(mark, kept), text);
}
