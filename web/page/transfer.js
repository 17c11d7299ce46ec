/**
 * Conversations as files. JSON holds everything; Markdown the branch in view, for people, with comments as marks from
 * which it can be read back: what stands between two marks, without a blank line on each side, is as it was written.
 *
 * @import { AttachedFile } from "./attached.js"
 * @import { ConversationRecord, Message } from "./conversation.js"
 */

import { fenceAround } from "./attached.js";
import { arrangedOf, Conversation, detailsOf, newId, timeOf } from "./conversation.js";
import { ownValuesOf } from "./settings_values.js";

const FORMAT = "py_wgml conversations";
const VERSION = 1;
/** Before a message: who says it, the model's name, how many files are attached. */
const MARK = /^<!-- (user|assistant)(?: \((.*)\))?(?:: (\d+) files?)? -->$/gm;
/** In an answer: what was thought, in how many seconds; and where that ends. */
const REASONING = /^\n?\n?<!-- reasoning(?: \((.*) s\))? -->\n\n([^]*?)\n\n<!-- answer -->$/m;
/** In an answer, before its text: what it calls, in JSON. */
const CALLS = /^\n?\n?<!-- calls -->\n\n([^\n]*)\n\n<!-- answer -->$/m;
/** Lines of a message that look like a mark have a backslash more in the file, and one less when they are read. */
const LIKE_MARKS = /^\\*<!-- (?:user|assistant|reasoning|calls|answer)\b.*-->$/gm;
/** Behind the name: what the conversation has of settings of its own, in JSON. */
const SETTINGS = /^# .*\n\n<!-- settings ([^\n]*) -->\n/;
const FILE = /^(`{6,})text (.*)\n([^]*?)\n\1(?:\n\n|$)/;
const LONGEST_NAME = 500;

/** @param {ConversationRecord[]} conversations */
export function toJson(conversations) {
  return `${JSON.stringify({ format: FORMAT, version: VERSION, conversations }, null, 1)}\n`;
}

/** @param {ConversationRecord} record */
export function toMarkdown(record) {
  const parts = [`# ${named(record.name)}`];
  if (record.settings) parts.push(`<!-- settings ${inComment(record.settings)} -->`);
  for (const { role, content, reasoning, thought, calls, model, files = [] } of new Conversation(record).path) {
    const count = files.length || FILE.test(content) ? `: ${files.length} file${files.length === 1 ? "" : "s"}` : "";
    parts.push(`<!-- ${role}${model ? ` (${named(model)})` : ""}${count} -->`);
    if (reasoning) {
      const seconds = thought === undefined ? "" : ` (${thought} s)`;
      parts.push(`<!-- reasoning${seconds} -->`, guarded(reasoning), "<!-- answer -->");
    }
    if (calls) parts.push("<!-- calls -->", inLine(calls), "<!-- answer -->");
    for (const { name, text } of files) {
      const fence = fenceAround(text, 6);
      parts.push(`${fence}text ${named(name)}\n${guarded(text)}\n${fence}`);
    }
    parts.push(guarded(content));
  }
  return `${parts.join("\n\n")}\n`;
}

/** JSON without any of the characters that end a line. @param {unknown} value */
const inLine = (value) =>
  JSON.stringify(value).replaceAll(/[\u2028\u2029]/g, (end) => `\\u${end.charCodeAt(0).toString(16)}`);

/** JSON that ends no comment either. @param {unknown} value */
const inComment = (value) => inLine(value).replaceAll(/-(?=[->])/g, "\\u002d");

/** @param {string} text */
const guarded = (text) => text.replaceAll(LIKE_MARKS, "\\$&");

/** @param {string} text */
const unguarded = (text) => text.replaceAll(LIKE_MARKS, (line) => line.replace(/^\\/, ""));

/** A name, in one line and in a comment: what can't stand there is percent-encoded. @param {string} name */
const named = (name) =>
  name.replaceAll(
    /[\0-\x1f%`\u2028\u2029]|-(?=-)/g,
    (character) => `%${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );

/** @param {string} text */
const unnamed = (text) =>
  text.replaceAll(/%([01][\da-f]|25|2d|60|2028|2029)/g, (_, code) => String.fromCharCode(Number.parseInt(code, 16)));

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
  if (file.format !== FORMAT || file.version !== VERSION || !Array.isArray(file.conversations))
    throw new TypeError(FORMAT);
  return file.conversations.map(checked);
}

/** @param {string} text @returns {ConversationRecord} */
function fromMarkdown(text) {
  if (!/(?<!\r)\n/.test(text)) text = text.replaceAll("\r\n", "\n"); // an editor made it so
  const marks = [...text.matchAll(MARK)];
  const name = unnamed(text.match(/^# (.*)/)?.[1] ?? "");
  if (!marks.length) throw new TypeError("no messages");
  /** @type {any[]} */
  const messages = [];
  for (const [index, mark] of marks.entries()) {
    const [, role, model, count] = mark;
    const next = marks[index + 1]?.index;
    const between = text.slice(mark.index + mark[0].length, next).replace(next ? /\n\n?$/ : /\n$/, "");
    const thoughts = role === "assistant" ? REASONING.exec(between) : null;
    const answer = thoughts ? between.slice(thoughts[0].length) : between;
    const calls = role === "assistant" ? CALLS.exec(answer) : null;
    const own = (calls ? answer.slice(calls[0].length) : answer).replace(/^\n\n?/, "");
    const { files, content } = attached(own, count === undefined ? Infinity : Number(count));
    messages.push({
      ...{ id: String(index), parent: index ? String(index - 1) : null, role, content: unguarded(content) },
      ...(model && { model: unnamed(model) }),
      ...(files.length && { files }),
      ...(thoughts && { reasoning: unguarded(thoughts[2]) }),
      ...(thoughts?.[1] && { thought: Number(thoughts[1]) }),
      ...(calls && { calls: JSON.parse(calls[1]) }),
    });
  }
  const settings = SETTINGS.exec(text)?.[1];
  return checked({ name, messages, leaf: String(messages.length - 1), settings: settings && JSON.parse(settings) });
}

/**
 * @param {string} text
 * @param {number} count of files, at most
 * @returns {{files: AttachedFile[], content: string}}
 */
function attached(text, count) {
  const files = [];
  for (let found = FILE.exec(text); found && files.length < count; found = FILE.exec(text)) {
    files.push({ name: unnamed(found[2]), text: unguarded(found[3]) });
    text = text.slice(found[0].length);
  }
  return { files, content: text };
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
  for (const given of data.messages) {
    const { id, parent, role, content } = given;
    if (role !== "user" && role !== "assistant") throw new TypeError(`role ${role}`);
    if (typeof content !== "string" || (parent !== null && !ids.has(parent))) throw new TypeError(`message ${id}`);
    ids.set(id, newId());
    const place = { id: ids.get(id) ?? "", parent: parent === null ? null : (ids.get(parent) ?? null) };
    messages.push({ ...place, role, content, ...detailsOf(given) });
  }
  const now = Date.now();
  return {
    id: newId(),
    name: String(data.name ?? "").slice(0, LONGEST_NAME),
    created: timeOf(data.created, now),
    changed: timeOf(data.changed, now),
    messages,
    leaf: ids.get(data.leaf) ?? messages.at(-1)?.id ?? null,
    ...arrangedOf(data),
    settings: ownValuesOf(data.settings),
    dropOldest: data.dropOldest === true,
    first: ids.get(data.first) ?? null,
  };
}
