/**
 * The sidebar's list of conversations: searched, renamed, pinned, moved to folders, archived, exported, deleted.
 *
 * @import { ConversationRecord } from "./conversation.js"
 * @import { Group } from "./groups.js"
 * @import { MenuItem } from "./menu.js"
 * @import { Entry, Found, Place, Store } from "./store.js"
 *
 * @typedef {Partial<Pick<ConversationRecord, "name" | "pinned" | "archived" | "folder">>} Arrangement undefined, not
 *   false: as a record is that was never pinned, so that a tab knows what another has changed
 *
 * @typedef {object} HistoryHandlers
 * @property {(id: string, place?: Place) => unknown} open the visitor wants to see it; that message of it
 * @property {(id: string, change: Arrangement) => void} arranged
 * @property {(id: string) => void} deleted
 * @property {(id: string) => void} restored
 */

import { button, byId, element } from "./dom.js";
import { reveal } from "./finding.js";
import { fold, foldersOf, grouped } from "./groups.js";
import { icon } from "./icons.js";
import { openMenu } from "./menu.js";
import { chooseImports, fileName, saveText } from "./saving.js";
import { strings } from "./strings.js";
import { toast } from "./toasts.js";
import { toJson, toMarkdown } from "./transfer.js";
import { Wanted } from "./wanted.js";

/** So many conversations are drawn at first, and with each step towards their end. */
const PAGE = 200;
/** Of what the visitor calls something, in characters. */
const LONGEST_NAME = 200;

export class History {
  #store;
  #on;
  #list = byId("conversations");
  #search = byId("search", HTMLInputElement);
  #current = "";
  /** What there is to show, and how much of it is drawn. @type {Found[]} */
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
   * @param {HistoryHandlers} on
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
    const entries = await this.#store.search(new Wanted(text), this.#outdated.signal);
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
    const add = (/** @type {unknown[]} */ shown, /** @type {() => HTMLElement} */ make) => {
      const key = JSON.stringify(shown);
      this.#rows.set(key, before.get(key) ?? make());
    };
    const wanted = new Wanted(this.#text);
    let left = this.#wanted;
    for (const group of grouped(this.#entries, !wanted.isNothing)) {
      if (left <= 0) break;
      const { kind, title, entries, isFolded } = group;
      if (kind === "time" || kind === "pinned") add([kind, title], () => element("li", "when", title));
      else add([kind, title, entries.length, isFolded], () => this.#folding(group));
      const shown = isFolded ? [] : entries.slice(0, left);
      left -= shown.length;
      for (const entry of shown) {
        const { id, name, pinned, archived, folder } = entry;
        add([id, name, pinned, archived, folder, this.#text], () => this.#item(entry, wanted));
      }
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

  /** The heading of a folder, or of what is archived: it can be folded. @param {Group} group */
  #folding(group) {
    const { kind, title, entries, isFolded } = group;
    const root = element("li", "when folding");
    root.dataset.folder = kind === "folder" ? title : "";
    const open = button("fold", title, () => {
      fold(group);
      this.#draw();
      this.#focus(`.folding[data-folder="${CSS.escape(root.dataset.folder ?? "")}"] .fold`);
    });
    open.dir = "auto";
    open.setAttribute("aria-expanded", String(!isFolded));
    open.prepend(icon(kind === "folder" ? "folder" : "archive"));
    open.append(element("span", "count", String(entries.length)));
    root.append(open);
    if (kind !== "folder") return root;
    const { renameFolder, deleteFolder } = strings.organised;
    const opener = this.#opener(title, () => [
      { label: renameFolder, icon: "rename", act: () => this.#renameFolder(root, title) },
      { label: deleteFolder, icon: "delete", act: () => this.#deleteFolder(title) },
    ]);
    root.append(opener);
    return root;
  }

  /**
   * @param {Found} entry
   * @param {Wanted} wanted what was searched for, if anything
   */
  #item(entry, wanted) {
    const root = element("li", "conversation");
    root.dataset.id = entry.id;
    const { id, name, place } = entry;
    const open = button("open", "", async () => {
      await this.#on.open(id, place);
      reveal(place && place.message, wanted);
    });
    open.dir = "auto";
    open.title = name;
    const title = element("span", "name");
    title.append(...wanted.marked(name || strings.sidebar.unnamed));
    open.append(title);
    if (place) {
      const found = element("span", "excerpt");
      found.append(...wanted.excerpt(place.text));
      open.append(found);
    }
    root.append(
      open,
      this.#opener(name, (opener) => this.#choices(root, entry, opener)),
    );
    return root;
  }

  /**
   * @param {string} name of what its menu is for
   * @param {(opener: HTMLElement) => MenuItem[]} choices
   */
  #opener(name, choices) {
    const opener = button("more icon", "", () => openMenu(opener, choices(opener)));
    opener.setAttribute("aria-label", strings.sidebar.more(name));
    opener.setAttribute("aria-haspopup", "menu");
    opener.setAttribute("aria-expanded", "false");
    opener.append(icon("more"));
    return opener;
  }

  /**
   * What can be done with a conversation.
   *
   * @param {HTMLElement} root
   * @param {Entry} entry
   * @param {HTMLElement} opener
   * @returns {MenuItem[]}
   */
  #choices(root, entry, opener) {
    const { id, name, pinned, archived } = entry;
    const save =
      (/** @type {string} */ type, /** @type {(record: ConversationRecord) => string} */ format) => async () => {
        const record = await this.#store.load(id);
        if (record) saveText(`${fileName(name)}.${type}`, () => format(record));
      };
    const { rename, asMarkdown, asJson, remove } = strings.sidebar;
    const { pin, unpin, move, archive, unarchive } = strings.organised;
    return [
      {
        label: pinned ? unpin : pin,
        icon: "pin",
        act: () => this.#arrange(id, { pinned: pinned ? undefined : true, archived: undefined }),
      },
      { label: rename, icon: "rename", act: () => this.#rename(root, entry) },
      { label: move, icon: "folder", act: () => openMenu(opener, this.#folders(root, entry)) },
      { label: archived ? unarchive : archive, icon: "archive", act: () => this.#archive(entry) },
      { label: strings.share.menu, icon: "share", act: () => this.#share(id) },
      { label: asMarkdown, icon: "save", act: save("md", toMarkdown) },
      { label: asJson, icon: "save", act: save("json", (record) => toJson([record])) },
      { label: remove, icon: "delete", act: () => this.#delete(entry) },
    ];
  }

  /**
   * Where a conversation can be moved to.
   *
   * @param {HTMLElement} root
   * @param {Entry} entry
   * @returns {MenuItem[]}
   */
  #folders(root, { id, folder }) {
    const { newFolder, noFolder, folderName } = strings.organised;
    const moves = (/** @type {string | undefined} */ to) => () =>
      this.#arrange(id, { folder: to, archived: undefined });
    const other = foldersOf(this.#entries).filter((name) => name !== folder);
    const make = () =>
      this.#write(root, "", folderName, async (name) => {
        if (name) await this.#arrange(id, { folder: name, archived: undefined });
        else this.#focus(`[data-id="${id}"] .open`);
      });
    return [
      ...other.map((name) => ({ label: name, icon: "folder", act: moves(name) })),
      { label: newFolder, icon: "newFolder", act: make },
      ...(folder ? [{ label: noFolder, icon: "close", act: moves(undefined) }] : []),
    ];
  }

  /** @param {HTMLElement} item */
  #mark(item) {
    if (item.dataset.id === this.#current) item.setAttribute("aria-current", "true");
    else item.removeAttribute("aria-current");
  }

  /** @param {string} selector of something in the list */
  #focus(selector) {
    /** @type {HTMLElement | null} */ (this.#list.querySelector(selector))?.focus();
  }

  /**
   * Make something else of where a conversation stands, or of its name.
   *
   * @param {string} id
   * @param {Arrangement} change
   */
  async #arrange(id, change) {
    await this.#changeRecord(id, change);
    await this.show();
    this.#focus(`[data-id="${id}"] .open`);
  }

  /**
   * @param {string} id
   * @param {Arrangement} change
   */
  async #changeRecord(id, change) {
    await this.#store.update(id, (record) => record && { ...record, ...change });
    this.#on.arranged(id, change);
  }

  /**
   * Let the visitor write a name in the place of a row.
   *
   * @param {HTMLElement} item
   * @param {string} value
   * @param {string} label
   * @param {(name: string) => void} done with what was written, or nothing
   */
  #write(item, value, label, done) {
    const input = /** @type {HTMLInputElement} */ (element("input", ""));
    Object.assign(input, { value, dir: "auto", maxLength: LONGEST_NAME, placeholder: label });
    input.setAttribute("aria-label", label);
    const before = [...item.childNodes];
    let over = false;
    const end = (/** @type {boolean} */ keep) => {
      if (over) return;
      over = true;
      item.replaceChildren(...before);
      done(keep ? input.value.trim() : "");
    };
    input.addEventListener("blur", () => end(true));
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.isComposing) end(true);
      else if (event.key === "Escape") end(false);
      else return;
      event.stopPropagation();
    });
    item.replaceChildren(input);
    input.select();
  }

  /**
   * @param {HTMLElement} item
   * @param {Entry} entry
   */
  #rename(item, entry) {
    this.#write(item, entry.name, strings.sidebar.rename, (name) => {
      // What was not changed here may have got another name meanwhile: by the model, or in another tab.
      if (name && name !== entry.name) this.#arrange(entry.id, { name });
      else this.#focus(`[data-id="${entry.id}"] .open`);
    });
  }

  /**
   * @param {HTMLElement} item
   * @param {string} folder
   */
  #renameFolder(item, folder) {
    this.#write(item, folder, strings.organised.folderName, async (name) => {
      if (name && name !== folder) await this.#moveAll(await this.#inFolder(folder), name);
      this.#focus(`.folding[data-folder="${CSS.escape(name || folder)}"] .fold`);
    });
  }

  /** What was in it stays, without a folder. @param {string} folder */
  async #deleteFolder(folder) {
    const entries = await this.#inFolder(folder);
    await this.#moveAll(entries, undefined);
    toast(strings.organised.folderDeleted(folder), { label: strings.undo, act: () => this.#moveAll(entries, folder) });
  }

  /** @param {string} folder */
  async #inFolder(folder) {
    return (await this.#store.list()).filter((entry) => entry.folder === folder);
  }

  /**
   * @param {Entry[]} entries
   * @param {string | undefined} folder
   */
  async #moveAll(entries, folder) {
    for (const { id } of entries) await this.#changeRecord(id, { folder });
    await this.show();
  }

  /** Out of the list, or back. @param {Entry} entry */
  async #archive({ id, name, archived, pinned }) {
    if (archived) return this.#arrange(id, { archived: undefined });
    await this.#arrange(id, { archived: true, pinned: undefined });
    const undo = () => this.#arrange(id, { archived: undefined, pinned });
    toast(strings.organised.wasArchived(name), { label: strings.undo, act: undo });
  }

  /** @param {string} id */
  async #share(id) {
    const record = await this.#store.load(id);
    if (record) this.#list.dispatchEvent(new CustomEvent("share", { detail: record })); // see sharing.js
  }

  /** @param {Entry} entry */
  async #delete(entry) {
    const record = await this.#store.load(entry.id);
    this.#on.deleted(entry.id); // before it is, so that nothing keeps it anew meanwhile
    await this.#store.delete(entry.id);
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
      { label: strings.transfer.import, icon: "open", act: () => chooseImports(this.#store, () => this.show()) },
    ]);
  }

  async #exportAll() {
    const records = await this.#store.loadAll();
    saveText(`${strings.transfer.fileName}.json`, () => toJson(records));
  }
}
