/**
 * The sidebar's list of conversations: searched, renamed, exported, imported, deleted.
 *
 * @import { ConversationRecord } from "./conversation.js"
 * @import { Entry, Store } from "./store.js"
 */

import { button, byId, element } from "./dom.js";
import { bytes, monthOf } from "../shared/format.js";
import { icon } from "./icons.js";
import { openMenu } from "./menu.js";
import { strings } from "./strings.js";
import { toast } from "./toasts.js";
import { fromFile, toJson, toMarkdown } from "./transfer.js";

/** Of a file, in bytes: a browser's string can't be much longer, so no export is either. */
const LARGEST = 500e6;
/** So many conversations are drawn at first, and with each step towards their end. */
const PAGE = 200;

export class History {
  #store;
  #on;
  #list = byId("conversations");
  #search = byId("search", HTMLInputElement);
  #current = "";
  /** What there is to show, and how much of it is drawn. @type {Entry[]} */
  #entries = [];
  #wanted = PAGE;
  /** What is drawn, by what it shows. @type {Map<string, HTMLElement>} */
  #rows = new Map();
  /** What was searched for last, and what ends that. */
  #text = "";
  #outdated = new AbortController();
  /** The last time that the list was shown, and the next. */
  #shown = Promise.resolve();
  /** @type {Promise<void> | null} */
  #next = null;

  /**
   * @param {Store} store
   * @param {{open: (id: string) => void, renamed: (id: string, name: string) => void, deleted: (id: string) => void,
   *          restored: (id: string) => void}} on
   */
  constructor(store, on) {
    this.#store = store;
    this.#on = on;
    this.#search.addEventListener("input", () => this.show());
    this.#list.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    byId("transfer-button").addEventListener("click", () => this.#transfer());
  }

  /** @param {string} id of the conversation in view */
  set current(id) {
    this.#current = id;
    for (const row of this.#rows.values()) this.#mark(row);
  }

  /**
   * Show the list as it is kept. Once more at most is waited for, however often it is asked for meanwhile.
   *
   * @param {string} [current] the conversation in view, if it is another now
   */
  show(current = this.#current) {
    this.#current = current;
    if (this.#search.value !== this.#text) this.#outdated.abort();
    const begin = () => {
      this.#next = null;
      return (this.#shown = this.#show());
    };
    return (this.#next ??= this.#shown.then(begin, begin));
  }

  async #show() {
    this.#outdated = new AbortController();
    const text = this.#search.value;
    if (text !== this.#text) this.#wanted = PAGE;
    this.#text = text;
    const entries = await this.#store.search(text, this.#outdated.signal);
    if (!entries) return; // something else is searched for
    this.#entries = entries;
    this.#draw();
    byId("no-conversations").hidden = entries.length > 0;
    byId("no-conversations").textContent = text ? strings.sidebar.noneFound : strings.sidebar.none;
  }

  /** Draw as much of the list as is wanted. What is drawn already stays. */
  #draw() {
    const before = this.#rows;
    this.#rows = new Map();
    const add = (/** @type {string} */ key, /** @type {() => HTMLElement} */ make) =>
      this.#rows.set(key, before.get(key) ?? make());
    for (const entry of this.#entries.slice(0, this.#wanted)) {
      const when = period(entry.changed);
      if (!this.#rows.has(when)) add(when, () => element("li", "when", when));
      add(JSON.stringify([entry.id, entry.name]), () => this.#item(entry));
    }
    let next = this.#list.firstChild;
    for (const row of this.#rows.values()) {
      if (row === next) next = row.nextSibling;
      else this.#list.insertBefore(row, next);
      this.#mark(row);
    }
    while (next) {
      const gone = next;
      next = gone.nextSibling;
      gone.remove();
    }
  }

  /** The end of what is drawn comes near: there may be more. */
  #scrolled() {
    const { scrollTop, clientHeight, scrollHeight } = this.#list;
    if (this.#wanted >= this.#entries.length || scrollTop + 2 * clientHeight < scrollHeight) return;
    this.#wanted += PAGE;
    this.#draw();
  }

  /** @param {Entry} entry */
  #item(entry) {
    const root = element("li", "conversation");
    root.dataset.id = entry.id;
    const open = button("open", entry.name || strings.sidebar.unnamed, () => this.#on.open(entry.id));
    open.dir = "auto";
    open.title = entry.name;
    const opener = element("button", "more icon");
    opener.setAttribute("aria-label", strings.sidebar.more(entry.name));
    opener.setAttribute("aria-haspopup", "menu");
    opener.setAttribute("aria-expanded", "false");
    opener.append(icon("more"));
    const save = (/** @type {string} */ type, /** @type {(record: ConversationRecord) => string} */ format) => async () => {
      const record = await this.#store.load(entry.id);
      if (record) download(`${fileName(entry.name)}.${type}`, () => format(record));
    };
    const { rename, asMarkdown, asJson, remove } = strings.sidebar;
    opener.addEventListener("click", () =>
      openMenu(opener, [
        { label: rename, icon: "rename", act: () => this.#rename(root, entry) },
        { label: asMarkdown, icon: "save", act: save("md", toMarkdown) },
        { label: asJson, icon: "save", act: save("json", (record) => toJson([record])) },
        { label: remove, icon: "delete", act: () => this.#delete(entry) },
      ]),
    );
    root.append(open, opener);
    return root;
  }

  /** @param {HTMLElement} item */
  #mark(item) {
    if (item.dataset.id === this.#current) item.setAttribute("aria-current", "true");
    else item.removeAttribute("aria-current");
  }

  /**
   * @param {HTMLElement} item
   * @param {Entry} entry
   */
  #rename(item, entry) {
    const input = /** @type {HTMLInputElement} */ (element("input", ""));
    input.value = entry.name;
    input.dir = "auto";
    input.setAttribute("aria-label", strings.sidebar.rename);
    const before = [...item.childNodes];
    let over = false;
    const end = async (/** @type {boolean} */ keep) => {
      if (over) return;
      over = true;
      item.replaceChildren(...before);
      const name = input.value.trim();
      if (keep && name && name !== entry.name) {
        await this.#store.update(entry.id, (record) => record && { ...record, name });
        this.#on.renamed(entry.id, name);
      }
      await this.show();
      /** @type {HTMLElement | null} */ (this.#list.querySelector(`[data-id="${entry.id}"] .open`))?.focus();
    };
    input.addEventListener("blur", () => end(true));
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") end(true);
      else if (event.key === "Escape") end(false);
      else return;
      event.stopPropagation();
    });
    item.replaceChildren(input);
    input.select();
  }

  /** @param {Entry} entry */
  async #delete(entry) {
    const record = await this.#store.load(entry.id);
    await this.#store.delete(entry.id);
    this.#on.deleted(entry.id);
    await this.show();
    const undo = async () => {
      if (!record) return;
      await this.#store.save(record);
      await this.show();
      this.#on.restored(entry.id);
    };
    toast(strings.sidebar.deleted(entry.name), { label: strings.undo, act: undo });
  }

  #transfer() {
    openMenu(byId("transfer-button"), [
      { label: strings.transfer.exportAll, icon: "save", act: () => this.#exportAll() },
      { label: strings.transfer.import, icon: "open", act: () => this.#import() },
    ]);
  }

  async #exportAll() {
    const records = await this.#store.loadAll();
    download(`${strings.transfer.fileName}.json`, () => toJson(records));
  }

  #import() {
    const input = document.createElement("input");
    Object.assign(input, { type: "file", multiple: true, accept: ".json,.md,.markdown" });
    input.addEventListener("change", async () => {
      let count = 0;
      for (const file of input.files ?? []) {
        if (file.size > LARGEST) {
          toast(strings.transfer.tooLarge(file.name, bytes(LARGEST)));
          continue;
        }
        try {
          for (const record of fromFile(await file.text())) {
            await this.#store.save(record);
            count++;
          }
        } catch {
          toast(strings.transfer.unreadable(file.name));
        }
      }
      if (count) toast(strings.transfer.imported(count));
      await this.show();
    });
    input.click();
  }
}

/**
 * @param {number} time in milliseconds since 1970
 * @returns {string} how long ago that is, as a heading
 */
function period(time) {
  const midnight = new Date().setHours(0, 0, 0, 0);
  const days = Math.ceil((midnight - time) / 86_400_000);
  const { today, yesterday, lastWeek } = strings.sidebar;
  if (days < 1) return today;
  if (days < 2) return yesterday;
  if (days < 8) return lastWeek;
  return monthOf(time);
}

/**
 * @param {string} name
 * @param {() => string} write
 */
function download(name, write) {
  let text;
  try {
    text = write();
  } catch {
    return toast(strings.transfer.tooMuch); // for a string
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser has begun to read it by then
}

/** @param {string} name */
function fileName(name) {
  return name.replaceAll(/[^\p{L}\p{N} _-]/gu, "").trim().slice(0, 50) || strings.transfer.fileName;
}
