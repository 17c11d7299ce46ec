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

import { idb } from "./libraries.js";

/** A browser whose storage does not open within so many milliseconds gives none. */
const OPENS_WITHIN = 10_000;

export class Store {
  /** @type {Promise<IDBPDatabase<any> | null>} */
  #database;
  /** @type {Map<string, ConversationRecord>} what there is where nothing can be kept */
  #unkept = new Map();

  /** @type {BroadcastChannel | undefined} */
  #channel;

  /** @param {(change: Change) => void} changed called when another tab has changed something */
  constructor(changed) {
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
    const database = await this.#database;
    const entries = database ? await database.getAll("entries") : [...this.#unkept.values()];
    return entries.sort((a, b) => b.changed - a.changed);
  }

  /** @param {string} id @returns {Promise<ConversationRecord | undefined>} */
  async load(id) {
    const database = await this.#database;
    return database ? database.get("conversations", id) : this.#unkept.get(id);
  }

  /** @returns {Promise<ConversationRecord[]>} */
  async loadAll() {
    const database = await this.#database;
    return database ? database.getAll("conversations") : [...this.#unkept.values()];
  }

  /**
   * Make something else of what is kept. No other tab comes between.
   *
   * @param {string} id
   * @param {(record: ConversationRecord | undefined) => ConversationRecord | undefined} change of what there is, or of
   *   nothing; to nothing: it is deleted
   * @returns {Promise<boolean>} whether its entry in the list has changed
   * @throws {DOMException} QuotaExceededError: this device has no room left
   */
  async update(id, change) {
    const database = await this.#database;
    const transaction = database?.transaction(["entries", "conversations"], "readwrite");
    const before = transaction ? await transaction.objectStore("conversations").get(id) : this.#unkept.get(id);
    const listedBefore = before && `${before.name} ${before.changed}`; // what is not kept is changed in its place
    const record = change(before);
    if (transaction) {
      const [entries, conversations] = ["entries", "conversations"].map((name) => transaction.objectStore(name));
      const entry = record && { id, name: record.name, created: record.created, changed: record.changed };
      const done = record ? [entries.put(entry), conversations.put(record)] : [entries.delete(id), conversations.delete(id)];
      await Promise.all([...done, transaction.done]);
    } else if (record) this.#unkept.set(id, record);
    else this.#unkept.delete(id);
    const listed = listedBefore !== (record && `${record.name} ${record.changed}`);
    this.#channel?.postMessage({ id, listed, deleted: !record });
    return listed;
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
   * @returns {Promise<Entry[]>} those whose name or messages contain it, the last changed one first
   */
  async search(text) {
    const wanted = text.trim().toLocaleLowerCase();
    if (!wanted) return this.list();
    const has = (/** @type {string} */ text) => text.toLocaleLowerCase().includes(wanted);
    const found = [];
    for (const entry of await this.list()) {
      const record = await this.load(entry.id); // one at a time: all of them may be more than can be had at once
      if (record && (has(record.name) || record.messages.some(({ content }) => has(content)))) found.push(entry);
    }
    return found;
  }
}
