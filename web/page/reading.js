/**
 * The text of a file that a visitor gives: of plain text in whatever encoding, of a web page, of a PDF with its pages, of a
 * Word document with its headings. What reads the latter is loaded with the first of them.
 *
 * @import { AttachedFile } from "./attached.js"
 */

import { bytes, count } from "../shared/format.js";
import { strings } from "./strings.js";

/** Characters: what is longer takes minutes to search, and more memory than a phone gives. */
const LONGEST = 4e6;
const LARGEST = 200e6;
const PDF = /^[^]{0,1000}%PDF-/;
const WORD = /\.docx$/i;
const HTML = /\.x?html?$/i;
/** Of files that are no text, in whatever encoding. */
const CONTROL = /[\0-\x08\x0e-\x1a\x1c-\x1f]/;
/** Files of programs that write no UTF-8 (spreadsheets, editors of old) are in this encoding, mostly. */
const OLD = /\.(txt|csv|tsv|text|log|md|srt|ini|cfg|tex|html?)$/i;

/**
 * @param {File} file
 * @param {AbortSignal} signal ends it
 * @param {(share: number) => void} tell how far it has come, from 0 to 1
 * @returns {Promise<AttachedFile>}
 * @throws {Error} one line for the visitor: it can't be read, or is too long
 */
export async function read(file, signal, tell) {
  const { name, size } = file;
  if (size > LARGEST) throw new Error(strings.composer.tooLarge(name, bytes(LARGEST)));
  const begins = latin(await slice(file, 1024));
  const made = await textOf(file, begins, signal, tell);
  if (made.text.length > LONGEST) throw new Error(strings.files.tooLong(name, count(LONGEST)));
  if (!made.text.trim()) throw new Error(made.pages ? strings.files.scanned(name) : strings.files.empty(name));
  return { name, ...made };
}

/**
 * @param {File} file
 * @param {string} begins
 * @param {AbortSignal} signal
 * @param {(share: number) => void} tell
 * @returns {Promise<{text: string, pages?: number[]}>}
 */
async function textOf(file, begins, signal, tell) {
  if (PDF.test(begins)) return (await import("./pdf.js")).readPdf(file, signal, tell);
  if (begins.startsWith("PK") && WORD.test(file.name))
    return { text: await (await import("./docx.js")).readDocx(file) };
  if (file.size > LONGEST * 2) throw new Error(strings.composer.tooLarge(file.name, bytes(LONGEST * 2)));
  const text = decoded(new Uint8Array(await file.arrayBuffer()), OLD.test(file.name));
  if (text === null) throw new Error(strings.composer.notText(file.name));
  return { text: HTML.test(file.name) ? (await import("./web_page.js")).textOfPage(text) : text };
}

/**
 * @param {File} file
 * @param {number} length
 */
async function slice(file, length) {
  try {
    return new Uint8Array(await file.slice(0, length).arrayBuffer());
  } catch {
    throw new Error(strings.composer.notText(file.name)); // a folder, or a file that has gone
  }
}

/** @param {Uint8Array} data */
const latin = (data) => new TextDecoder("latin1").decode(data);

/**
 * @param {Uint8Array} data
 * @param {boolean} mayBeOld
 * @returns {string | null} null: it is no text
 */
function decoded(data, mayBeOld) {
  const mark =
    data[0] === 0xff && data[1] === 0xfe ? "utf-16le" : data[0] === 0xfe && data[1] === 0xff ? "utf-16be" : "utf-8";
  for (const encoding of [mark, ...(mayBeOld ? ["windows-1252"] : [])]) {
    try {
      const text = new TextDecoder(encoding, { fatal: true }).decode(data);
      if (!CONTROL.test(text)) return text;
    } catch {
      // the next one
    }
  }
  return null;
}
