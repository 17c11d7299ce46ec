/**
 * The conversations on this device, in IndexedDB: a small entry of each for the list, and the whole beside it. Where the
 * browser gives no storage, they last as long as the page does.
 *
 * @import { IDBPDatabase } from "idb"
 * @import { ConversationRecord } from "./conversation.js"
 *
 * @typedef {Pick<ConversationRecord, "id" | "name" | "created" | "changed" | "pinned" | "archived" | "folder">} Entry
 *
 * @typedef {Entry & {place?: Place}} Found
 * @typedef {{message: string, text: string}} Place a message that has what was searched for, and its text
 *
 * @typedef {object} Change
 * @property {string} id of the conversation
 * @property {boolean} listed its entry has changed too
 * @property {boolean} deleted
 */

import { lasting } from "./attached.js";
import { arrangedOf, readRecord, timeOf } from "./conversation.js";
import { idb } from "./libraries.js";

/** Storage that does not open within so many milliseconds is not waited for: until it opens there is none. */
const OPENS_WITHIN = 10_000;
/** So many conversations are searched at once: all of them may be more than there is memory for. */
const READ_AT_ONCE = 16;

export class Store {
  #name;
  /** The open one, or the one that opens. @type {Promise<IDBPDatabase<any>> | null} */
  #database = null;
  /** Nothing, once that has been waited for. @type {Promise<null>} */
  #patience = Promise.resolve(null);
  /** Somebody was told that there is none. */
  #isMissed = false;
  /** @type {Map<string, ConversationRecord>} what there is where nothing can be kept */
  #unkept = new Map();

  /** @type {BroadcastChannel | undefined} */
  #channel;

  #notKept;
  #opened;
  /** The last change was not kept, and that was told. */
  #isTold = false;

  /**
   * @param {{changed: (change: Change) => void, notKept: (isFull: boolean) => void, opened: () => void}} on changed:
   *   another tab has changed something; notKept: from now on changes last as long as the page only, since there is no room
   *   left, or no storage; opened: there is storage after all, with what it has kept
   */
  constructor({ changed, notKept, opened }) {
    this.#notKept = notKept;
    this.#opened = opened;
    // Sites in other folders of this origin have conversations of their own.
    this.#name = `py_wgml ${new URL("./", location.href).pathname}`;
    try {
      this.#channel = new BroadcastChannel(this.#name);
      this.#channel.onmessage = ({ data }) => changed(data);
    } catch {
      // site data are blocked: other tabs are told nothing, and keep nothing either
    }
  }

  /** @returns {Promise<IDBPDatabase<any> | null>} null: there is no storage, or it has not opened yet */
  async #connection() {
    if (!this.#database) {
      /** @type {Promise<IDBPDatabase<any>>} */
      const opening = this.#open(() => this.#closed(opening));
      this.#database = opening;
      this.#patience = new Promise((resolve) => setTimeout(() => resolve(null), OPENS_WITHIN));
      opening.then(
        () => {
          if (this.#isMissed) this.#found();
        },
        () => this.#closed(opening),
      );
    }
    const database = await Promise.race([this.#database, this.#patience]).catch(() => null);
    this.#isMissed ||= !database;
    return database;
  }

  /** @param {() => void} terminated the browser has closed it @returns {Promise<IDBPDatabase<any>>} */
  async #open(terminated) {
    const { openDB } = await idb();
    return openDB(this.#name, 1, {
      upgrade(database) {
        database.createObjectStore("entries", { keyPath: "id" });
        database.createObjectStore("conversations", { keyPath: "id" });
      },
      terminated,
    });
  }

  /** It is of no more use: who asks next opens it anew. @param {Promise<unknown> | null} database */
  #closed(database) {
    if (this.#database === database) this.#database = null;
  }

  /** What there was without storage is kept now. */
  async #found() {
    this.#isMissed = false;
    for (const id of this.#unkept.keys()) await this.update(id, (record) => record);
    this.#opened();
  }

  /** @returns {Promise<Entry[]>} the last changed one first */
  async list() {
    const kept = (await this.#read((database) => database.getAll("entries"))) ?? [];
    const entries = kept.filter(({ id }) => typeof id === "string" && !this.#unkept.has(id)).map(entryOf);
    return [...entries, ...this.#unkept.values()].sort((a, b) => b.changed - a.changed);
  }

  /** @param {string} id @returns {Promise<ConversationRecord | undefined>} */
  async load(id) {
    return (await this.#loadSome([id]))[0];
  }

  /** @param {string[]} ids @returns {Promise<(ConversationRecord | undefined)[]>} */
  async #loadSome(ids) {
    const kept = await this.#read((database) => {
      const transaction = database.transaction("conversations");
      transaction.done.catch(() => {}); // its requests tell
      return Promise.all(ids.map((id) => transaction.store.get(id)));
    });
    return ids.map((id, index) => this.#unkept.get(id) ?? readRecord(kept?.[index]));
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
   * @returns {Promise<T | undefined>} nothing, where the storage does not open or fails
   */
  async #read(ask) {
    return this.#attempt(ask).catch(() => undefined);
  }

  /**
   * What fails is done once more, with another connection: the browser may have closed the one there was.
   *
   * @template T
   * @param {(database: IDBPDatabase<any>) => Promise<T>} act
   * @returns {Promise<T>}
   * @throws {Error} there is no storage, or it fails; its name is "QuotaExceededError" where there is no room left
   */
  async #attempt(act, isLast = false) {
    const database = await this.#connection();
    if (!database) throw new Error("no storage");
    const used = this.#database;
    try {
      return await act(database);
    } catch (error) {
      if (isLast || /** @type {Error} */ (error).name === "QuotaExceededError") throw error;
      database.close();
      this.#closed(used);
      return this.#attempt(act, true);
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
    let listedBefore = "";
    /** @type {ConversationRecord | undefined} */
    let record;
    const make = (/** @type {unknown} */ kept) => {
      const before = this.#unkept.get(id) ?? readRecord(kept);
      listedBefore = listing(before); // what is not kept is changed in its place
      record = change(before);
    };
    let [isMade, isKept, isFull] = [false, false, false];
    try {
      await this.#attempt(async (database) => {
        const transaction = database.transaction(["entries", "conversations"], "readwrite");
        transaction.done.catch(() => {}); // thrown below
        make(await transaction.objectStore("conversations").get(id));
        isMade = true;
        await write(transaction, id, record && lasting(record));
      });
      isKept = true;
    } catch (error) {
      isFull = /** @type {Error} */ (error).name === "QuotaExceededError";
      if (!isMade) make(undefined);
    }
    if (isKept || !record) this.#unkept.delete(id);
    else this.#unkept.set(id, record);
    if (!isKept && !this.#isTold) this.#notKept(isFull);
    this.#isTold = !isKept;
    const listed = listedBefore !== listing(record);
    this.#channel?.postMessage({ id, listed, deleted: !record });
    return { listed, kept: isKept };
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
   * @param {import("./wanted.js").Wanted} wanted
   * @param {AbortSignal} signal ends it
   * @returns {Promise<Found[] | undefined>} those whose name or messages have it, the last changed one first;
   *   undefined: it was ended
   */
  async search(wanted, signal) {
    const entries = await this.list();
    if (wanted.isNothing) return entries;
    /** @type {Found[]} */
    const found = [];
    for (let start = 0; start < entries.length; start += READ_AT_ONCE) {
      if (signal.aborted) return undefined;
      const some = entries.slice(start, start + READ_AT_ONCE);
      const records = await this.#loadSome(some.map(({ id }) => id));
      for (const [index, entry] of some.entries()) {
        const record = records[index];
        if (!record || !wanted.isIn([record.name, ...record.messages.map(({ content }) => content)])) continue;
        found.push({ ...entry, place: placeIn(record, wanted) });
      }
    }
    return found;
  }
}

/**
 * @param {import("idb").IDBPTransaction<any, string[], "readwrite">} transaction
 * @param {string} id
 * @param {ConversationRecord | undefined} record
 * @throws {Error} it could not be written
 */
async function write(transaction, id, record) {
  try {
    const [entries, conversations] = ["entries", "conversations"].map((name) => transaction.objectStore(name));
    const done = record
      ? [entries.put(entryOf(record)), conversations.put(record)]
      : [entries.delete(id), conversations.delete(id)];
    await Promise.all([...done, transaction.done]);
  } catch (error) {
    throw transaction.error ?? error; // of its requests, a browser may say only that they were ended with it
  }
}

/** What the list shows of it. @param {ConversationRecord | undefined} record */
function listing(record) {
  return record ? JSON.stringify(entryOf(record)) : "";
}

/** @param {any} data an entry, or what it is to be of @returns {Entry} */
function entryOf(data) {
  const { id, name, created, changed } = data;
  const named = typeof name === "string" ? name : "";
  return { id, name: named, created: timeOf(created), changed: timeOf(changed), ...arrangedOf(data) };
}

/**
 * @param {ConversationRecord} record
 * @param {import("./wanted.js").Wanted} wanted
 * @returns {Place | undefined} the message that has most of what is wanted, the first of those
 */
function placeIn({ messages }, wanted) {
  const counts = messages.map(({ content }) => wanted.count(content));
  const most = Math.max(0, ...counts);
  const best = most > 0 ? messages[counts.indexOf(most)] : undefined;
  return best && { message: best.id, text: best.content };
}
