/**
 * What is in a file that goes with a question: its text, or its rows of values as a table.
 *
 * @import { AttachedFile } from "./attached.js"
 */

import { element, tableHead } from "./dom.js";
import { plain } from "./pieces.js";
import { strings } from "./strings.js";

const TABLE = /\.(csv|tsv)$/i;
/** Of a table, and characters of a text: nobody reads on here. */
const MOST_ROWS = 200;
const MOST_SHOWN = 200_000;

/** @param {AttachedFile} file */
export function contentOf({ name, text }) {
  const content = element(TABLE.test(name) ? "div" : "pre", "");
  content.tabIndex = 0;
  content.setAttribute("role", "region");
  content.setAttribute("aria-label", name);
  if (TABLE.test(name)) content.append(tableOf(text, /\.tsv$/i.test(name) ? "\t" : undefined));
  else
    content.append(
      ...plain(text.slice(0, MOST_SHOWN)),
      ...(text.length > MOST_SHOWN ? [element("p", "", strings.files.more)] : []),
    );
  return content;
}

/**
 * @param {string} text
 * @param {string} [between] what stands between values; else what the first line has most of
 */
function tableOf(text, between) {
  const first = text.split("\n", 1)[0];
  const found = [",", ";", "\t"].toSorted((a, b) => first.split(b).length - first.split(a).length)[0];
  const rows = rowsOf(text, between ?? found, MOST_ROWS + 1);
  const table = element("table", "");
  const body = element("tbody", "");
  for (const values of rows.slice(1)) {
    const row = element("tr", "");
    for (const value of values) row.append(element("td", "", value));
    body.append(row);
  }
  table.append(tableHead(rows[0] ?? []), body);
  return table;
}

/**
 * @param {string} text
 * @param {string} between
 * @param {number} most
 * @returns {string[][]} the first rows; a value in quotation marks may hold anything
 */
function rowsOf(text, between, most) {
  /** @type {string[][]} */
  const rows = [[]];
  const value = new RegExp(`("(?:[^"]|"")*"|[^${between}\\r\\n]*)(${between}|\\r?\\n|$)`, "y");
  while (value.lastIndex < text.length) {
    const found = value.exec(text);
    if (!found) break;
    rows[rows.length - 1].push(found[1].startsWith('"') ? found[1].slice(1, -1).replaceAll('""', '"') : found[1]);
    if (found[2] === between) continue;
    if (rows.length === most) return rows;
    if (value.lastIndex < text.length) rows.push([]);
  }
  return rows;
}
