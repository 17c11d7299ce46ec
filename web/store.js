/**
 * The conversations on this device, in IndexedDB: a small entry of each for the list, and the whole beside it. Where the
 * browser gives no storage, they last as long as the page does.
 *
 * @import { IDBPDatabase } from "idb"
 * @import { ConversationRecord } from "./conversation.js"
 *
 * @typedef {Pick<ConversationRecord, "id" | "name" | "created" | "changed">} Entry
 */

import { idb } from "./libraries.js";

export class Store {
  /** @type {Promise<IDBPDatabase<any> | null>} */
  #database;
  /** @type {Map<string, ConversationRecord>} what there is where nothing can be kept */
  #unkept = new Map();

  constructor() {
    // Sites in other folders of this origin have conversations of their own.
    const name = `py_wgml ${new URL("./", location.href).pathname}`;
    this.#database = idb()
      .then(({ openDB }) =>
        openDB(name, 1, {
          upgrade(database) {
            database.createObjectStore("entries", { keyPath: "id" });
            database.createObjectStore("conversations", { keyPath: "id" });
          },
        }),
      )
      .catch(() => null);
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
   * @param {ConversationRecord} record
   * @throws {DOMException} QuotaExceededError: this device has no room left
   */
  async save(record) {
    const database = await this.#database;
    if (!database) return void this.#unkept.set(record.id, record);
    const { id, name, created, changed } = record;
    const transaction = database.transaction(["entries", "conversations"], "readwrite");
    await Promise.all([
      transaction.objectStore("entries").put({ id, name, created, changed }),
      transaction.objectStore("conversations").put(record),
      transaction.done,
    ]);
  }

  /** @param {string} id */
  async delete(id) {
    const database = await this.#database;
    if (!database) return void this.#unkept.delete(id);
    const transaction = database.transaction(["entries", "conversations"], "readwrite");
    await Promise.all([
      transaction.objectStore("entries").delete(id),
      transaction.objectStore("conversations").delete(id),
      transaction.done,
    ]);
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
    for (const record of await this.loadAll())
      if (has(record.name) || record.messages.some(({ content }) => has(content))) found.push(record);
    return found.sort((a, b) => b.changed - a.changed);
  }
}
