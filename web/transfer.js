/**
 * Conversations as files. JSON holds everything; Markdown the branch in view, for people, with a comment before each
 * message from which it can be read back.
 *
 * @import { ConversationRecord, Message } from "./conversation.js"
 */

import { Conversation, newId } from "./conversation.js";

const FORMAT = "py_wgml conversations";
const VERSION = 1;
const MARK = /^<!-- (user|assistant)(?: \((.*)\))? -->$/gm;

/** @param {ConversationRecord[]} conversations */
export function toJson(conversations) {
  return `${JSON.stringify({ format: FORMAT, version: VERSION, conversations }, null, 1)}\n`;
}

/** @param {ConversationRecord} record */
export function toMarkdown(record) {
  const parts = [`# ${record.name.replaceAll("\n", " ")}`];
  for (const { role, content, model, files } of new Conversation(record).path) {
    parts.push(model ? `<!-- ${role} (${model.replaceAll("--", "-")}) -->` : `<!-- ${role} -->`);
    for (const { name, text } of files ?? []) parts.push(`\`\`\`\`\`\`text ${name}\n${text}\n\`\`\`\`\`\``);
    parts.push(content.trim());
  }
  return `${parts.join("\n\n")}\n`;
}

/**
 * @param {string} text of a file that toJson or toMarkdown made
 * @returns {ConversationRecord[]} with ids of their own
 * @throws {TypeError} it is something else
 */
export function fromFile(text) {
  return text.trimStart().startsWith("{") ? fromJson(text) : [fromMarkdown(text)];
}

/** @param {string} text @returns {ConversationRecord[]} */
function fromJson(text) {
  const file = JSON.parse(text);
  if (file.format !== FORMAT || file.version !== VERSION || !Array.isArray(file.conversations)) throw new TypeError(FORMAT);
  return file.conversations.map(checked);
}

/** @param {string} text @returns {ConversationRecord} */
function fromMarkdown(text) {
  const marks = [...text.matchAll(MARK)];
  const name = text.match(/^# (.*)$/m)?.[1] ?? "";
  if (!marks.length) throw new TypeError("no messages");
  /** @type {any[]} */
  const messages = [];
  for (const [index, mark] of marks.entries()) {
    const [, role, model] = mark;
    let content = text.slice(mark.index + mark[0].length, marks[index + 1]?.index).trim();
    /** @type {{name: string, text: string}[]} */
    const files = [];
    content = content.replace(/^``````text (.*)\n([^]*?)\n``````$\n*/gm, (_, name, text) => (files.push({ name, text }), ""));
    const parent = index ? String(index - 1) : null;
    messages.push({ id: String(index), parent, role, content, ...(model && { model }), ...(files.length && { files }) });
  }
  return checked({ name, messages, leaf: String(messages.length - 1) });
}

/**
 * Take from data of unknown making what a conversation needs, checked, with new ids.
 *
 * @param {any} data
 * @returns {ConversationRecord}
 */
function checked(data) {
  /** @type {Map<string, string>} */
  const ids = new Map();
  /** @type {Message[]} */
  const messages = [];
  for (const { id, parent, role, content, files, reasoning, thought, model, figures } of data.messages) {
    if (role !== "user" && role !== "assistant") throw new TypeError(`role ${role}`);
    if (typeof content !== "string" || (parent !== null && !ids.has(parent))) throw new TypeError(`message ${id}`);
    ids.set(id, newId());
    /** @type {Message} */
    const message = { id: ids.get(id) ?? "", parent: parent === null ? null : (ids.get(parent) ?? null), role, content };
    if (typeof reasoning === "string") message.reasoning = reasoning;
    if (typeof thought === "number") message.thought = thought;
    if (typeof model === "string") message.model = model;
    const { usage, seconds, tokens_per_second } = figures ?? {};
    if ([usage?.completion_tokens, seconds?.first_token, tokens_per_second?.decode].every(Number.isFinite))
      message.figures = figures;
    if (Array.isArray(files)) message.files = files.map(({ name, text }) => ({ name: String(name), text: String(text) }));
    messages.push(message);
  }
  const now = Date.now();
  const time = (/** @type {unknown} */ value) => (Number.isFinite(value) ? Number(value) : now);
  return {
    id: newId(),
    name: String(data.name ?? ""),
    created: time(data.created),
    changed: time(data.changed),
    messages,
    leaf: ids.get(data.leaf) ?? messages.at(-1)?.id ?? null,
    dropOldest: data.dropOldest === true,
    first: ids.get(data.first) ?? null,
  };
}
