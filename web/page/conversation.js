/**
 * A conversation: a tree of messages, of which one branch is in view. Editing a message or asking again begins another
 * branch beside the old one; nothing is lost by it.
 *
 * @import { Part } from "./engine.js"
 * @import { ChatMessage, Done } from "../shared/protocol.js"
 * @import { Run } from "./runs.js"
 * @import { AttachedFile, Source } from "./attached.js"
 * @import { OwnValues } from "./settings_values.js"
 *
 * @typedef {object} Message
 * @property {string} id
 * @property {string | null} parent the message before it; null: the first one
 * @property {"user" | "assistant"} role
 * @property {string} content
 * @property {AttachedFile[]} [files] that go with a question
 * @property {string} [reasoning] what the model thought before it answered
 * @property {number} [thought] seconds that it took
 * @property {CallRecord[]} [calls] of functions, by the model
 * @property {string} [model] that answered
 * @property {Figures} [figures] of the finished answer
 * @property {Source[]} [sources] that it was given; the files themselves were too long
 *
 * @typedef {object} CallRecord
 * @property {string} id
 * @property {string} name
 * @property {string} arguments JSON as the model wrote it
 * @property {string} [result] what the function gave back, as the model reads it, if it was called
 * @property {Run} [run] what the visitor sees of it
 *
 * @typedef {object} Turn an answer that was asked for
 * @property {Conversation} conversation
 * @property {Message} message the answer, or the beginning of one that is to be gone on with
 * @property {Message} [question] that was just asked for it: goes back to the visitor if the turn is withdrawn
 * @property {boolean} [anew] instead of another answer to the same question
 *
 * @typedef {Pick<Done, "reason" | "usage" | "seconds" | "tokens_per_second">} Figures
 *
 * @typedef {object} ConversationRecord as it is kept, exported and imported
 * @property {string} id
 * @property {string} name
 * @property {number} created milliseconds since 1970
 * @property {number} changed likewise
 * @property {Message[]} messages each after the one before it
 * @property {string | null} leaf the last message in view
 * @property {boolean} [pinned] it stands above the others
 * @property {boolean} [archived] it is out of the way
 * @property {string} [folder] that it lies in, by its name: a folder is there as long as something is in it
 * @property {OwnValues} [settings] of its own; changed as a whole
 * @property {boolean} [dropOldest] leave the oldest messages out of the prompt when the context is full
 * @property {string | null} [first] the message with which the prompt begins since then
 */

import { fileOf, sourceOf, written } from "./attached.js";
import { lineOf } from "./plain_text.js";
import { runOf } from "./runs.js";
import { ownValuesOf } from "./settings_values.js";

/** What the visitor has made of a conversation as a whole; of each the last change stays, whichever tab made it. */
const ARRANGED = /** @type {const} */ (["name", "pinned", "archived", "folder", "settings"]);
/** Of a date. */
const LAST_TIME = 8.64e15;

export class Conversation {
  /** What this device was last known to keep of it: the length of each message, and what is ARRANGED. */
  #kept = known();
  #mapped = mapped([]);

  /** @param {ConversationRecord} [record] a kept one; else a new one */
  constructor(record) {
    const now = Date.now();
    this.record = record ?? { id: newId(), name: "", created: now, changed: now, messages: [], leaf: null };
    this.#kept = known(record);
  }

  get id() {
    return this.record.id;
  }

  get isEmpty() {
    return this.record.messages.length === 0;
  }

  /** @param {string | null} id @returns {Message | undefined} */
  find(id) {
    return id === null ? undefined : this.#tree.byId.get(id);
  }

  /** Its messages in maps, made anew when there are others: a long one would take too long to look through. */
  get #tree() {
    const { messages } = this.record;
    if (this.#mapped.messages !== messages || this.#mapped.count !== messages.length) this.#mapped = mapped(messages);
    return this.#mapped;
  }

  /** The messages in view. @returns {Message[]} */
  get path() {
    return this.#pathTo(this.record.leaf);
  }

  /**
   * @param {Omit<Message, "id">} message
   * @returns {Message} now the last one in view
   */
  add(message) {
    const added = { id: newId(), ...message };
    this.record.messages.push(added);
    this.record.leaf = added.id;
    this.record.name ||= this.firstWords;
    if (message.role === "user") delete this.record.archived; // it is taken up again
    this.touch();
    return added;
  }

  /** What it is called as long as nobody gives it a name. */
  get firstWords() {
    const [first] = this.record.messages;
    return first ? lineOf(first.content || first.files?.[0]?.name || "") : "";
  }

  /** It has been changed now. */
  touch() {
    this.record.changed = Date.now();
  }

  /**
   * The message's alternatives, itself among them.
   *
   * @param {Message} message
   */
  beside(message) {
    return (this.#tree.after.get(message.parent) ?? []).filter(({ role }) => role === message.role);
  }

  /** Bring the branch with this message into view, down to its newest end. @param {string | null} id */
  select(id) {
    let leaf = id;
    for (;;) {
      const next = this.#tree.after.get(leaf)?.at(-1);
      if (!next) break;
      leaf = next.id;
    }
    this.record.leaf = leaf;
  }

  /** Likewise, if it is not in view. @param {string} [id] @returns {boolean} whether another branch is in view now */
  bring(id) {
    const message = this.find(id ?? null);
    const isThere = !message || this.path.includes(message);
    if (!isThere) this.select(message.id);
    return !isThere;
  }

  /**
   * Take a message away, and all that follows it in any branch.
   *
   * @param {Message} message
   * @returns {() => void} brings them back
   */
  remove(message) {
    const { messages: before, leaf, name } = this.record;
    const gone = new Set([message.id]);
    for (const { id, parent } of this.record.messages) if (parent && gone.has(parent)) gone.add(id);
    const beside = this.beside(message);
    const index = beside.indexOf(message);
    this.record.messages = this.record.messages.filter(({ id }) => !gone.has(id));
    const next = beside[index - 1] ?? beside[index + 1];
    if (next) this.select(next.id);
    else this.record.leaf = message.parent;
    if (this.isEmpty) this.record.name = "";
    this.touch();
    return () => {
      const known = new Set(before);
      const added = this.record.messages.filter((message) => !known.has(message));
      Object.assign(this.record, { messages: [...before, ...added], leaf, name: this.record.name || name });
    };
  }

  /**
   * Take in what another tab made of it. What was added or written on there or here is here then; what was deleted
   * there or here is gone, unless it was written on elsewhere meanwhile, or answered.
   *
   * @param {ConversationRecord} theirs as it is kept now
   * @param {Message} [own] that is being written here, so that no other knows more of it
   */
  merge(theirs, own) {
    const { record } = this;
    const kept = this.#kept;
    const here = new Map(record.messages.map((message) => [message.id, message]));
    const there = new Map(theirs.messages.map((message) => [message.id, message]));
    const all = theirs.messages.map((message) => here.get(message.id) ?? message);
    for (const message of record.messages) if (!there.has(message.id)) all.push(message);
    const parents = new Map(all.map(({ id, parent }) => [id, parent]));
    /** @type {Set<string | null>} */
    const stays = new Set();
    for (const { id, parent } of all.toReversed()) {
      const versions = [here.get(id), there.get(id)].filter((version) => version !== undefined);
      const isNew = versions.some((version) => lengthOf(version) !== kept.lengths.get(id));
      if (versions.length === 2 || isNew || stays.has(id)) stays.add(id).add(parent);
    }
    record.messages = all.filter(({ id }) => stays.has(id));
    for (const message of record.messages) {
      const their = there.get(message.id);
      if (their && message !== own && isFuller(their, message)) {
        delete message.figures;
        Object.assign(message, their); // the same object, which is in view
      }
    }
    for (const name of ARRANGED) if (record[name] === kept[name]) Object.assign(record, { [name]: theirs[name] });
    record.changed = Math.max(record.changed, theirs.changed);
    record.dropOldest ||= theirs.dropOldest;
    record.first ??= theirs.first;
    let { leaf } = record;
    while (leaf && !stays.has(leaf)) leaf = parents.get(leaf) ?? null;
    if (leaf !== record.leaf) this.select(leaf);
    this.#kept = known(theirs);
  }

  /** It was arranged so where it is kept. @param {Partial<ConversationRecord>} change */
  arrange(change) {
    Object.assign(this.record, change);
    Object.assign(this.#kept, change);
  }

  /** It is about to be kept as it is. @returns {() => void} says that this was done */
  keeping() {
    const now = known(this.record);
    return () => void (this.#kept = now);
  }

  /**
   * What the engine is sent: from where the prompt begins to `last`.
   *
   * @param {Message} last
   * @param {string} system a system prompt, or nothing
   * @returns {ChatMessage[]}
   */
  prompt(last, system) {
    const asked = last.role === "assistant" ? last.parent : last.id;
    const messages = this.#sentUpTo(last).flatMap((message) => sent(message, message.id === asked, last.sources));
    return system ? [{ role: "system", content: system }, ...messages] : messages;
  }

  /** The files that an answer is about. @param {Message} answer @returns {AttachedFile[]} */
  filesFor(answer) {
    return this.#pathTo(answer.id).flatMap(({ id, files }) =>
      (files ?? []).filter(({ text, fleeting }) => text && (!fleeting || id === answer.parent)),
    );
  }

  /**
   * Add to an answer what has come of it. Messages that the engine left out of its prompt are not sent from now on.
   *
   * @param {Message} answer
   * @param {Part} part
   * @param {number | undefined} thought seconds that the model has thought, by now
   */
  take(answer, { text, reasoning, recast, calls = [], dropped }, thought) {
    if (recast) [answer.reasoning, answer.content] = [(answer.reasoning ?? "") + answer.content, ""];
    if (reasoning) answer.reasoning = (answer.reasoning ?? "") + reasoning;
    if (text && answer.reasoning) answer.thought ??= thought;
    answer.content += text;
    if (calls.length) answer.calls ??= [];
    for (const { id, name, arguments: more } of calls) {
      if (id) answer.calls?.push({ id, name, arguments: more });
      else if (answer.calls) answer.calls[answer.calls.length - 1].arguments += more; // of the one that is being written
    }
    if (dropped) this.record.first = this.#firstAfter(this.#sentUpTo(answer), dropped);
  }

  /**
   * @param {Message[]} path
   * @param {number} dropped messages as the engine has them: an answer that calls is one, and each result
   * @returns {string | null}
   */
  #firstAfter(path, dropped) {
    let count = 0;
    for (const message of path) {
      if (count >= dropped) return message.id;
      count += sent(message).length;
    }
    return null;
  }

  /** @param {Message} last */
  #sentUpTo(last) {
    const path = this.#pathTo(last.id);
    const first = path.findIndex(({ id }) => id === this.record.first);
    return path
      .slice(Math.max(0, first))
      .filter(({ role, content, reasoning, calls }) => role === "user" || content || reasoning || calls);
  }

  /** @param {string | null} leaf @returns {Message[]} */
  #pathTo(leaf) {
    const path = [];
    for (let message = this.find(leaf); message; message = this.find(message.parent)) path.push(message);
    return path.reverse();
  }
}

/**
 * What storage gives back: of an earlier version of this page, or damaged. Messages that are none are left out; one whose
 * place among them can't be told begins a branch of its own.
 *
 * @param {any} data
 * @returns {ConversationRecord | undefined} undefined: it is no conversation
 */
export function readRecord(data) {
  if (typeof data?.id !== "string") return undefined;
  const ids = new Set();
  /** @type {Message[]} */
  const messages = [];
  for (const given of Array.isArray(data.messages) ? data.messages : []) {
    const { id, parent, role, content } = Object(given);
    if (typeof id !== "string" || ids.has(id) || typeof content !== "string" || !["user", "assistant"].includes(role))
      continue;
    messages.push({ id, parent: ids.has(parent) ? parent : null, role, content, ...detailsOf(given) });
    ids.add(id);
  }
  return {
    id: data.id,
    name: typeof data.name === "string" ? data.name : "",
    created: timeOf(data.created),
    changed: timeOf(data.changed),
    messages,
    leaf: ids.has(data.leaf) || data.leaf === null ? data.leaf : (messages.at(-1)?.id ?? null),
    ...arrangedOf(data),
    settings: ownValuesOf(data.settings),
    dropOldest: data.dropOldest === true,
    first: ids.has(data.first) ? data.first : null,
  };
}

/**
 * @param {any} data of unknown making
 * @returns {Pick<ConversationRecord, "pinned" | "archived" | "folder">} what of it is what it should be
 */
export function arrangedOf({ pinned, archived, folder }) {
  return {
    ...(pinned === true && { pinned }),
    ...(archived === true && { archived }),
    ...(typeof folder === "string" && folder && { folder }),
  };
}

/**
 * @param {unknown} value of unknown making
 * @param {number} [otherwise] if it is no time at all
 * @returns {number} milliseconds since 1970 that a date can have
 */
export function timeOf(value, otherwise = 0) {
  return Number.isFinite(value) ? Math.min(Math.max(Number(value), 0), LAST_TIME) : otherwise;
}

/**
 * @param {any} message of unknown making
 * @returns {Partial<Message>} what a message may have and need not, as far as it is what it should be
 */
export function detailsOf({ files, reasoning, thought, calls, model, figures, sources }) {
  return {
    ...(Array.isArray(files) && { files: files.map(fileOf) }),
    ...(Array.isArray(sources) && { sources: sources.map(sourceOf) }),
    ...(typeof reasoning === "string" && { reasoning }),
    ...(typeof thought === "number" && { thought }),
    ...(Array.isArray(calls) && calls.length && { calls: calls.map(callOf) }),
    ...(typeof model === "string" && { model }),
    ...(areFigures(figures) && { figures }),
  };
}

/** @param {Done} done @returns {Figures} */
export function figuresOf({ reason, usage, seconds, tokens_per_second }) {
  return { reason, usage, seconds, tokens_per_second };
}

/** @param {any} call of unknown making @returns {CallRecord} */
function callOf(call) {
  const { id, name, arguments: written, result, run: given } = Object(call);
  const run = runOf(given);
  return {
    ...{ id: String(id), name: String(name), arguments: String(written) },
    ...(typeof result === "string" && { result }),
    ...(run && { run }),
  };
}

/** @param {any} figures */
function areFigures(figures) {
  const { usage, seconds, tokens_per_second } = figures ?? {};
  const numbers = [usage?.completion_tokens, usage?.context_used, usage?.context_length];
  return [...numbers, seconds?.first_token, tokens_per_second?.decode].every(Number.isFinite);
}

/** @returns {string} */
export function newId() {
  return crypto.randomUUID();
}

/** @param {Message[]} messages */
function mapped(messages) {
  const byId = new Map(messages.map((message) => [message.id, message]));
  /** @type {Map<string | null, Message[]>} */
  const after = new Map();
  for (const message of messages) {
    const beside = after.get(message.parent);
    if (beside) beside.push(message);
    else after.set(message.parent, [message]);
  }
  return { messages, count: messages.length, byId, after };
}

/** @param {ConversationRecord} [record] */
function known(record) {
  const lengths = new Map(record?.messages.map((message) => [message.id, lengthOf(message)]));
  const { name = "", pinned, archived, folder, settings } = record ?? {};
  return { lengths, name, pinned, archived, folder, settings };
}

/** Of all that is written in it. @param {Message} message */
function lengthOf({ content, reasoning = "", calls = [] }) {
  const called = calls.map(
    ({ arguments: written, result }) => 1 + written.length + (result === undefined ? 0 : 1 + result.length),
  );
  return called.reduce((sum, length) => sum + length, content.length + reasoning.length);
}

/**
 * Messages only ever grow.
 *
 * @param {Message} one
 * @param {Message} other the same, from another tab
 */
function isFuller(one, other) {
  const difference = lengthOf(one) - lengthOf(other);
  return difference > 0 || (difference === 0 && Boolean(one.figures) && !other.figures);
}

/**
 * A call is one where its result is there; else the model has only spoken of it. Files go along with a question.
 *
 * @param {Message} message
 * @param {boolean} isAsked it is the question
 * @param {Source[]} [sources]
 * @returns {ChatMessage[]}
 */
function sent({ role, content, files = [], reasoning, calls = [] }, isAsked = false, sources) {
  if (role === "assistant") {
    const done = calls.filter(({ result }) => result !== undefined);
    const spoken = calls.filter(({ result }) => result === undefined).map((call) => `${call.name}(${call.arguments})`);
    /** @type {ChatMessage} */
    const message = { role, content: [content, ...spoken].filter(Boolean).join("\n") };
    if (reasoning) message.reasoning_content = reasoning;
    if (!done.length) return [message];
    message.tool_calls = done.map(({ id, name, arguments: written }) => ({
      id,
      type: "function",
      function: { name, arguments: written },
    }));
    return [
      message,
      ...done.map(
        ({ id, result = "" }) => /** @type {ChatMessage} */ ({ role: "tool", tool_call_id: id, content: result }),
      ),
    ];
  }
  return [{ role, content: [...written(files, isAsked, sources), content].filter(Boolean).join("\n\n") }];
}
