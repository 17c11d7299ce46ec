/** The text of a Word document: a zip of XML files, of which one holds what is written, paragraph by paragraph. */

import { strings } from "./strings.js";
import { unzipped } from "./zip.js";

const PLACE = "word/document.xml";
const LARGEST = 100e6; // bytes of that file, unpacked
/** Between two pieces of this many tokens the page gets its turn. */
const AT_ONCE = 20_000;
const TOKEN = /<(\/?)w:([A-Za-z]+)((?:\s[^>]*?)?)(\/?)>|<[^>]*>|[^<]+/g;
/** What older programs are to read in the place of what stands before it. */
const FALLBACK = /^<(\/?)mc:Fallback\b[^>]*?(\/?)>$/;
const ENTITIES = /** @type {Record<string, string>} */ ({ amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" });

/**
 * @param {File} file
 * @returns {Promise<string>} headings as Markdown has them, the cells of a row with tabs between them
 * @throws {Error} one line for the visitor
 */
export async function readDocx(file) {
  try {
    return await written(await (await unzipped(file, PLACE, LARGEST)).text());
  } catch {
    throw new Error(strings.files.broken(file.name));
  }
}

/** @param {string} xml */
async function written(xml) {
  const parts = [];
  let [isText, count, tables, again] = [false, 0, 0, 0];
  let paragraph = "";
  for (const [token, closes, name, attributes, isEmpty] of xml.matchAll(TOKEN)) {
    if (++count % AT_ONCE === 0) await new Promise((resolve) => setTimeout(resolve));
    const [, ends, isNone] = FALLBACK.exec(token) ?? ["", "", "/"];
    if (!isNone) again = Math.max(0, again + (ends ? -1 : 1));
    if (again) continue;
    if (name === "t") isText = !closes && !isEmpty;
    else if (name === "tab" && !closes) paragraph += "\t";
    else if (name === "br" || name === "cr") paragraph += "\n";
    else if (name === "pStyle") paragraph = "#".repeat(levelOf(attributes)) + (levelOf(attributes) ? " " : "");
    else if (name === "tbl" && !isEmpty) tables += closes ? -1 : 1;
    else if (name === "tc" && closes) paragraph = `${paragraph.trimEnd()}\t`;
    else if (name === "p" && closes && tables) paragraph += " ";
    else if ((name === "p" || name === "tr") && closes) {
      parts.push(paragraph.trimEnd(), name === "p" ? "\n\n" : "\n");
      paragraph = "";
    } else if (isText && token[0] !== "<") paragraph += plain(token);
  }
  return parts
    .join("")
    .replaceAll(/\n{3,}/g, "\n\n")
    .trim();
}

/** @param {string} attributes of a paragraph's style @returns {number} of a heading, from 1; 0: it is none */
function levelOf(attributes) {
  const [, style = "", level] = /w:val="([^"\d]*)(\d?)/.exec(attributes) ?? [];
  if (/^title$/i.test(style)) return 1;
  return /^(heading|berschrift|überschrift|titre|título|titulo|ttulo)/i.test(style)
    ? Math.min(6, Number(level) || 1)
    : 0;
}

/** @param {string} text of XML */
function plain(text) {
  return text.replaceAll(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (whole, decimal, hexadecimal, name) => {
    if (name) return ENTITIES[name] ?? whole;
    return String.fromCodePoint(decimal ? Number(decimal) : Number.parseInt(hexadecimal, 16));
  });
}
