/**
 * The sidebar's list of conversations: searched, renamed, exported, imported, deleted.
 *
 * @import { ConversationRecord } from "./conversation.js"
 * @import { Entry, Store } from "./store.js"
 */

import { button, byId, element } from "./dom.js";
import { icon } from "./icons.js";
import { openMenu } from "./menu.js";
import { strings } from "./strings.js";
import { toast } from "./toasts.js";
import { fromFile, toJson, toMarkdown } from "./transfer.js";

export class History {
  #store;
  #on;
  #list = byId("conversations");
  #search = byId("search", HTMLInputElement);
  #current = "";
  #showing = 0;

  /**
   * @param {Store} store
   * @param {{open: (id: string) => void, renamed: (id: string, name: string) => void, deleted: (id: string) => void,
   *          restored: (id: string) => void}} on
   */
  constructor(store, on) {
    this.#store = store;
    this.#on = on;
    this.#search.addEventListener("input", () => this.show());
    byId("transfer-button").addEventListener("click", () => this.#transfer());
  }

  /** @param {string} id of the conversation in view */
  set current(id) {
    this.#current = id;
    for (const item of this.#list.querySelectorAll("[data-id]")) this.#mark(/** @type {HTMLElement} */ (item));
  }

  /** Show the list as it is kept. @param {string} [current] the conversation in view, if it is another now */
  async show(current = this.#current) {
    this.#current = current;
    const showing = ++this.#showing;
    const entries = await this.#store.search(this.#search.value);
    if (showing !== this.#showing) return; // a later one is under way
    const items = [];
    let group = "";
    for (const entry of entries) {
      const when = period(entry.changed);
      if (when !== group) items.push(element("li", "when", when));
      group = when;
      items.push(this.#item(entry));
    }
    this.#list.replaceChildren(...items);
    byId("no-conversations").hidden = entries.length > 0;
    byId("no-conversations").textContent = this.#search.value ? strings.sidebar.noneFound : strings.sidebar.none;
  }

  /** @param {Entry} entry */
  #item(entry) {
    const root = element("li", "conversation");
    root.dataset.id = entry.id;
    const open = button("open", entry.name || strings.sidebar.unnamed, () => this.#on.open(entry.id));
    open.dir = "auto";
    open.title = entry.name;
    const more = element("button", "more icon");
    more.setAttribute("aria-label", strings.sidebar.more(entry.name));
    more.append(icon("more"));
    const save = (/** @type {string} */ type, /** @type {(record: ConversationRecord) => string} */ format) => async () => {
      const record = await this.#store.load(entry.id);
      if (record) download(`${fileName(entry.name)}.${type}`, format(record));
    };
    const { rename, asMarkdown, asJson, remove } = strings.sidebar;
    more.addEventListener("click", () =>
      openMenu(more, [
        { label: rename, icon: "rename", act: () => this.#rename(root, entry) },
        { label: asMarkdown, icon: "save", act: save("md", toMarkdown) },
        { label: asJson, icon: "save", act: save("json", (record) => toJson([record])) },
        { label: remove, icon: "delete", act: () => this.#delete(entry) },
      ]),
    );
    root.append(open, more);
    this.#mark(root);
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
    let over = false;
    const end = async (/** @type {boolean} */ keep) => {
      if (over) return;
      over = true;
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
    download(`${strings.transfer.fileName}.json`, toJson(await this.#store.loadAll()));
  }

  #import() {
    const input = document.createElement("input");
    Object.assign(input, { type: "file", multiple: true, accept: ".json,.md,.markdown" });
    input.addEventListener("change", async () => {
      let count = 0;
      for (const file of input.files ?? []) {
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
  return new Intl.DateTimeFormat(strings.language, { month: "long", year: "numeric" }).format(time);
}

/**
 * @param {string} name
 * @param {string} text
 */
function download(name, text) {
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
