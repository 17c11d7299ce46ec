/**
 * The conversations on this device, in IndexedDB: a small entry of each for the list, and the whole beside it. Where the
 * browser gives no storage, they last as long as the page does.
 *
 * @import { IDBPDatabase } from "idb"
 * @import { ConversationRecord } from "./conversation.js"
 *
 * @typedef {Pick<ConversationRecord, "id" | "name" | "created" | "changed">} Entry
 *
 * @typedef {object} Change
 * @property {string} id of the conversation
 * @property {boolean} listed its entry has changed too
 * @property {boolean} deleted
 */

import { readRecord, timeOf } from "./conversation.js";
import { idb } from "./libraries.js";

/** A browser whose storage does not open within so many milliseconds gives none. */
const OPENS_WITHIN = 10_000;
/** So many conversations are searched at once: all of them may be more than there is memory for. */
const READ_AT_ONCE = 16;

export class Store {
  /** @type {Promise<IDBPDatabase<any> | null>} */
  #database;
  /** @type {Map<string, ConversationRecord>} what there is where nothing can be kept */
  #unkept = new Map();

  /** @type {BroadcastChannel | undefined} */
  #channel;

  #notKept;
  /** The last change was not kept, and that was told. */
  #isTold = false;

  /**
   * @param {{changed: (change: Change) => void, notKept: (isFull: boolean) => void}} on changed: another tab has changed
   *   something; notKept: from now on changes last as long as the page only, since there is no room left, or no storage
   */
  constructor({ changed, notKept }) {
    this.#notKept = notKept;
    // Sites in other folders of this origin have conversations of their own.
    const name = `py_wgml ${new URL("./", location.href).pathname}`;
    try {
      this.#channel = new BroadcastChannel(name);
      this.#channel.onmessage = ({ data }) => changed(data);
    } catch {
      // site data are blocked: other tabs are told nothing, and keep nothing either
    }
    const opened = idb().then(({ openDB }) =>
      openDB(name, 1, {
        upgrade(database) {
          database.createObjectStore("entries", { keyPath: "id" });
          database.createObjectStore("conversations", { keyPath: "id" });
        },
      }),
    );
    /** @type {Promise<null>} */
    const never = new Promise((resolve) => setTimeout(() => resolve(null), OPENS_WITHIN));
    this.#database = Promise.race([opened, never]).catch(() => null);
  }

  /** @returns {Promise<Entry[]>} the last changed one first */
  async list() {
    const kept = (await this.#read((database) => database.getAll("entries"))) ?? [];
    const entries = kept.filter(({ id }) => typeof id === "string" && !this.#unkept.has(id)).map(entryOf);
    return [...entries, ...this.#unkept.values()].sort((a, b) => b.changed - a.changed);
  }

  /** @param {string} id @returns {Promise<ConversationRecord | undefined>} */
  async load(id) {
    return this.#unkept.get(id) ?? readRecord(await this.#read((database) => database.get("conversations", id)));
  }

  /** @returns {Promise<ConversationRecord[]>} */
  async loadAll() {
    const all = (await this.#read((database) => database.getAll("conversations"))) ?? [];
    const kept = all.map(readRecord).filter((record) => record !== undefined);
    return [...kept.filter(({ id }) => !this.#unkept.has(id)), ...this.#unkept.values()];
  }

  /**
   * @template T
   * @param {(database: IDBPDatabase<any>) => Promise<T>} ask
   * @returns {Promise<T | undefined>} nothing, where the storage does not open or has failed since
   */
  async #read(ask) {
    const database = await this.#database;
    try {
      return database ? await ask(database) : undefined;
    } catch {
      return undefined;
    }
  }

  /**
   * Make something else of what is kept. No other tab comes between.
   *
   * @param {string} id
   * @param {(record: ConversationRecord | undefined) => ConversationRecord | undefined} change of what there is, or of
   *   nothing; to nothing: it is deleted
   * @returns {Promise<{listed: boolean, kept: boolean}>} whether its entry in the list has changed; and whether it is
   *   kept, not only had until the page is closed
   */
  async update(id, change) {
    const transaction = await this.#read(async (database) => database.transaction(["entries", "conversations"], "readwrite"));
    transaction?.done.catch(() => {}); // told below
    const kept = await this.#read(async () => transaction?.objectStore("conversations").get(id));
    const before = this.#unkept.get(id) ?? readRecord(kept);
    const listedBefore = before && `${before.name} ${before.changed}`; // what is not kept is changed in its place
    const record = change(before);
    const isKept = transaction ? await written(transaction, id, record) : null;
    if (isKept || !record) this.#unkept.delete(id);
    else this.#unkept.set(id, record);
    if (!isKept && !this.#isTold) this.#notKept(isKept === false);
    this.#isTold = !isKept;
    const listed = listedBefore !== (record && `${record.name} ${record.changed}`);
    this.#channel?.postMessage({ id, listed, deleted: !record });
    return { listed, kept: Boolean(isKept) };
  }

  /** @param {ConversationRecord} record that takes the place of what there may be */
  save(record) {
    return this.update(record.id, () => record);
  }

  /** @param {string} id */
  delete(id) {
    return this.update(id, () => undefined);
  }

  /**
   * @param {string} text
   * @param {AbortSignal} signal ends it
   * @returns {Promise<Entry[] | undefined>} those whose name or messages contain it, the last changed one first;
   *   undefined: it was ended
   */
  async search(text, signal) {
    const entries = await this.list();
    const wanted = text.trim().toLocaleLowerCase();
    if (!wanted) return entries;
    const has = (/** @type {string} */ text) => text.toLocaleLowerCase().includes(wanted);
    const found = [];
    for (let at = 0; at < entries.length; at += READ_AT_ONCE) {
      if (signal.aborted) return undefined;
      const some = entries.slice(at, at + READ_AT_ONCE);
      const records = await Promise.all(some.map(({ id }) => this.load(id)));
      found.push(...some.filter((_, index) => {
        const record = records[index];
        return record && (has(record.name) || record.messages.some(({ content }) => has(content)));
      }));
    }
    return found;
  }
}

/**
 * @param {import("idb").IDBPTransaction<any, string[], "readwrite">} transaction
 * @param {string} id
 * @param {ConversationRecord | undefined} record
 * @returns {Promise<boolean>}
 */
async function written(transaction, id, record) {
  try {
    const [entries, conversations] = ["entries", "conversations"].map((name) => transaction.objectStore(name));
    const done = record
      ? [entries.put(entryOf(record)), conversations.put(record)]
      : [entries.delete(id), conversations.delete(id)];
    await Promise.all([...done, transaction.done]);
    return true;
  } catch {
    return false;
  }
}

/** @param {any} data an entry, or what it is to be of @returns {Entry} */
function entryOf({ id, name, created, changed }) {
  return { id, name: typeof name === "string" ? name : "", created: timeOf(created), changed: timeOf(changed) };
}
