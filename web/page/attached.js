/**
 * The files that go with a question: as they are kept, and as a model is given them.
 *
 * @import { ConversationRecord } from "./conversation.js"
 *
 * @typedef {object} AttachedFile
 * @property {string} name
 * @property {string} text
 * @property {number[]} [pages] where in the text each page begins
 * @property {boolean} [fleeting] it goes with one question alone, and is kept no longer than the page is open
 * @property {{model: string, data: string}} [vectors] of its passages, by an embedding model: see GivenDocument
 *
 * @typedef {object} Source a passage of a file that the model was given for an answer, as there was no room for all
 * @property {string} name of the file
 * @property {number} [page] from 1, of a file that has pages
 * @property {number} line of the page or file, from 1
 * @property {string} heading under which it stands, or ""
 * @property {string} text
 * @property {boolean} [fleeting] as its file is
 */

/** @param {any} file of unknown making @returns {AttachedFile} */
export function fileOf(file) {
  const { name, text, pages, fleeting, vectors } = Object(file);
  return {
    ...{ name: String(name), text: String(text) },
    ...(Array.isArray(pages) && pages.every(Number.isFinite) && { pages }),
    ...(fleeting === true && { fleeting }),
    ...(typeof vectors?.data === "string" && { vectors: { model: String(vectors.model), data: vectors.data } }),
  };
}

/** @param {any} source of unknown making @returns {Source} */
export function sourceOf(source) {
  const { name, page, line, heading, text, fleeting } = Object(source);
  return {
    ...{ name: String(name), line: Number(line) || 1, heading: String(heading), text: String(text) },
    ...(Number.isFinite(page) && { page }),
    ...(fleeting === true && { fleeting }),
  };
}

/**
 * What is kept of a conversation: nothing of files that were to go with one question alone.
 *
 * @param {ConversationRecord} record
 * @returns {ConversationRecord}
 */
export function lasting(record) {
  const strip = (/** @type {any} */ item) => (item.fleeting ? { ...item, text: "", vectors: undefined } : item);
  const messages = record.messages.map(({ files, sources, ...message }) => ({
    ...message,
    ...(files && { files: files.map(strip) }),
    ...(sources && { sources: sources.map(strip) }),
  }));
  return { ...record, messages };
}

/**
 * What a question is sent with: its files whole, or, where they are too long for that, the passages that were found.
 *
 * @param {AttachedFile[]} files
 * @param {boolean} isAsked the answer to it is what is asked for
 * @param {Source[]} [sources]
 * @returns {string[]}
 */
export function written(files, isAsked, sources) {
  if (sources) return isAsked ? passages(sources) : [];
  return files
    .filter(({ text, fleeting }) => text && (isAsked || !fleeting))
    .map(({ name, text }) => fenced(name, text));
}

/** @param {Source[]} sources @returns {string[]} */
function passages(sources) {
  if (!sources.length) return [];
  const numbered = sources.map(({ name, page, heading, text }, index) => {
    const place = [name, page ? `page ${page}` : "", heading].filter(Boolean).join(", ");
    return fenced(`[${index + 1}] ${place}`, text);
  });
  return [
    "Passages of the attached files:",
    ...numbered,
    "Answer from these passages. Name those that you use by their numbers, like [1].",
  ];
}

/**
 * @param {string} name
 * @param {string} text
 */
function fenced(name, text) {
  const fence = fenceAround(text, 3);
  return `${name}:\n${fence}\n${text}${text.endsWith("\n") ? "" : "\n"}${fence}`;
}

/**
 * @param {string} text
 * @param {number} least
 * @returns {string} so many backticks, or more: one more than any run of them in the text
 */
export function fenceAround(text, least) {
  let length = least;
  for (const [run] of text.matchAll(/`+/g)) length = Math.max(length, run.length + 1);
  return "`".repeat(length);
}
