/** The text of a PDF, page by page, by Mozilla's pdf.js, which does that in a worker of its own. */

import { once } from "./libraries.js";
import { strings } from "./strings.js";
import { workerAddress } from "./trusted.js";
import { unzipped } from "./zip.js";
import { address } from "../shared/site.js";

/** A line that stands so many times a line's height below the one before begins a paragraph. */
const PARAGRAPH = 1.6;
/** One whose letters are so many times as high as most of a page's is a heading, if it is short. */
const HEADING = 1.25;
const LONGEST_HEADING = 120;

/** All tables of letters in one file, which few PDFs need. */
const tables = once(async () => {
  const response = await fetch(address("lib/cmaps.zip"));
  if (!response.ok) throw new Error(`cmaps.zip: ${response.status}`);
  return response.blob();
});
const LARGEST_TABLE = 1e6; // bytes

/** Gives pdf.js those tables that a PDF names and does not bring along: of Chinese, Japanese and Korean letters. */
class Tables {
  /** @param {{name: string}} table */
  async fetch({ name }) {
    const table = await unzipped(await tables(), `${name}.bcmap`, LARGEST_TABLE);
    return { cMapData: new Uint8Array(await table.arrayBuffer()), isCompressed: true };
  }
}

/** @typedef {{str: string, hasEOL: boolean, height: number, transform: number[]}} Item of a page's text */

/**
 * @param {File} file
 * @param {AbortSignal} signal
 * @param {(share: number) => void} tell
 * @returns {Promise<{text: string, pages: number[]}>} pages: where each begins
 * @throws {Error} one line for the visitor
 */
export async function readPdf(file, signal, tell) {
  const library = await import("../lib/pdf.min.mjs");
  const thread = new Worker(workerAddress("lib/pdf.worker.min.mjs"), { type: "module" });
  const worker = new library.PDFWorker({ port: /** @type {any} */ (thread) });
  try {
    const data = new Uint8Array(await file.arrayBuffer());
    const own = { worker, useWorkerFetch: false, CMapReaderFactory: Tables };
    const task = library.getDocument({ data, ...own, isEvalSupported: false, disableFontFace: true, verbosity: 0 });
    const pdf = await task.promise;
    const texts = [];
    for (let number = 1; number <= pdf.numPages; number++) {
      signal.throwIfAborted();
      const page = await pdf.getPage(number);
      const { items } = await page.getTextContent();
      texts.push(written(items.filter((item) => "str" in item)));
      page.cleanup();
      tell(number / pdf.numPages);
    }
    let length = 0;
    const pages = texts.map((text) => (length += text.length + 2) - text.length - 2);
    return { text: texts.join("\n\n"), pages };
  } catch (error) {
    const { name } = /** @type {Error} */ (error);
    if (name === "AbortError") throw error;
    throw new Error(name === "PasswordException" ? strings.files.locked(file.name) : strings.files.broken(file.name));
  } finally {
    worker.destroy();
    thread.terminate();
  }
}

/**
 * The lines of a page as paragraphs. Words that were divided at a line's end are whole again.
 *
 * @param {Item[]} items
 * @returns {string}
 */
function written(items) {
  const usual = usualHeight(items);
  /** @type {{text: string, height: number, y: number}[]} */
  const lines = [];
  let [text, height, y] = ["", 0, 0];
  for (const item of items) {
    if (!text) [height, y] = [item.height, item.transform[5]];
    text += item.str;
    height = Math.max(height, item.str.trim() ? item.height : 0);
    if (!item.hasEOL) continue;
    if (text.trim()) lines.push({ text: text.trim(), height, y });
    text = "";
  }
  if (text.trim()) lines.push({ text: text.trim(), height, y });
  let page = "";
  for (const [index, line] of lines.entries()) {
    const before = lines[index - 1];
    const isHeading = line.height > HEADING * usual && line.text.length <= LONGEST_HEADING;
    const wasHeading = before && before.height > HEADING * usual;
    if (!before) page = isHeading ? `# ${line.text}` : line.text;
    else if (isHeading && !wasHeading) page += `\n\n# ${line.text}`;
    else if (isHeading !== Boolean(wasHeading)) page += `\n\n${line.text}`;
    else if (Math.abs(before.y - line.y) > PARAGRAPH * Math.max(line.height, before.height, 1))
      page += `\n\n${line.text}`;
    else if (isHeading) page += ` ${line.text}`;
    else if (/\p{Ll}-$/u.test(page) && /^\p{Ll}/u.test(line.text)) page = page.slice(0, -1) + line.text;
    else page += `\n${line.text}`;
  }
  return page;
}

/** @param {Item[]} items @returns {number} the height that most letters have */
function usualHeight(items) {
  /** @type {Map<number, number>} */
  const letters = new Map();
  for (const { str, height } of items) letters.set(height, (letters.get(height) ?? 0) + str.trim().length);
  return [...letters].reduce((most, next) => (next[1] > most[1] ? next : most), [0, 0])[0];
}
