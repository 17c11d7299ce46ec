/**
 * The conversations that this device keeps: the list of them, and what other tabs do with those in use here.
 *
 * @import { ConversationRecord, Message } from "./conversation.js"
 *
 * @typedef {object} KeepingHandlers
 * @property {() => Conversation} inView
 * @property {() => (Conversation | undefined)[]} inUse that one, and those that are being answered
 * @property {(conversation: Conversation) => Message | undefined} written what of one is being written here
 * @property {(id: string, message?: string) => unknown} open the visitor wants to see it, with that message
 * @property {() => void} opened storage has come, late
 * @property {(id: string) => void} deleted it is no more
 * @property {(conversation: Conversation) => void} merged another tab has added to it
 */

import { Conversation } from "./conversation.js";
import { History } from "./history.js";
import { Store } from "./store.js";
import { strings } from "./strings.js";
import { toast } from "./toasts.js";

/** An answer that streams in is kept so often, in milliseconds: a closed tab loses no more. */
const KEEP_EVERY = 1000;
/** And not before so many times as long as that took has gone by. */
const KEEP_SHARE = 10;

export class Keeping {
  #on;
  #store = new Store({
    changed: (change) => this.#changedElsewhere(change),
    notKept: (isFull) => toast(isFull ? strings.notKept : strings.noStorage),
    opened: () => {
      this.list();
      this.#on.opened();
    },
  });
  #history = new History(this.#store, {
    open: (id, place) => this.#on.open(id, place?.message),
    arranged: (id, change) => {
      for (const conversation of this.#on.inUse()) if (conversation?.id === id) conversation.arrange(change);
    },
    deleted: (id) => this.#deleted(id),
    restored: (id) => {
      this.#gone.delete(id);
      this.#on.open(id);
    },
  });
  /** Conversations that were deleted: what still streams in for one does not bring it back. @type {Set<string>} */
  #gone = new Set();

  /** @param {KeepingHandlers} on */
  constructor(on) {
    this.#on = on;
  }

  /** Another one is in view. */
  entered() {
    this.#history.current = this.#on.inView().id;
  }

  list() {
    this.#history.show(this.#on.inView().id);
  }

  /** @param {string} id @returns {Promise<Conversation | undefined>} the one that is in use, or as it is kept */
  async find(id) {
    const record = this.#inUse(id) ? undefined : await this.#store.load(id);
    return this.#inUse(id) ?? (record && new Conversation(record));
  }

  /** @param {Conversation} conversation */
  async keep(conversation) {
    if (this.#gone.has(conversation.id)) return;
    let kept = () => {};
    const merged = (/** @type {ConversationRecord | undefined} */ record) => {
      if (record) conversation.merge(record, this.#on.written(conversation));
      kept = conversation.keeping();
      return conversation.isEmpty ? undefined : conversation.record;
    };
    const done = await this.#store.update(conversation.id, merged);
    if (this.#gone.has(conversation.id)) return void this.#store.delete(conversation.id); // it went meanwhile
    if (done.kept) kept();
    if (done.listed) this.list();
  }

  /**
   * @param {Conversation} conversation in which an answer streams in
   * @returns {() => void} to be called with what comes: keeps it, now and then
   */
  nowAndThen(conversation) {
    let keepAt = performance.now() + KEEP_EVERY;
    return () => {
      const now = performance.now();
      if (now < keepAt) return;
      keepAt = Infinity; // until that is done
      this.keep(conversation).finally(() => {
        keepAt = Math.max(now + KEEP_EVERY, performance.now() + KEEP_SHARE * (performance.now() - now));
      });
    };
  }

  /** @param {string} id */
  #deleted(id) {
    this.#gone.add(id);
    this.#on.deleted(id);
  }

  /** @param {import("./store.js").Change} change */
  async #changedElsewhere({ id, listed, deleted }) {
    if (listed) this.list();
    if (deleted) return this.#deleted(id);
    this.#gone.delete(id);
    if (!this.#inUse(id)) return;
    const record = await this.#store.load(id);
    const conversation = this.#inUse(id);
    if (!record || !conversation) return;
    conversation.merge(record, this.#on.written(conversation));
    this.#on.merged(conversation);
  }

  /** @param {string} id */
  #inUse(id) {
    return this.#on.inUse().find((conversation) => conversation?.id === id);
  }
}
