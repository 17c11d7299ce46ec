/**
 * The files that are to go with the next question: read one after the other, each shown with how far that has come, until
 * it is taken away again; and whether they stay with the conversation.
 *
 * @import { AttachedFile } from "./attached.js"
 */

import { button, element, iconButton } from "./dom.js";
import { labelOf } from "./file_view.js";
import { percent } from "../shared/format.js";
import { icon } from "./icons.js";
import { strings } from "./strings.js";
import { toast } from "./toasts.js";

export class Attaching {
  #root;
  #changed;
  /** @type {AttachedFile[]} */
  #files = [];
  /** Those that are being read, or wait for it, with how each is shown. @type {Map<File, {stop: AbortController, item: HTMLElement}>} */
  #reading = new Map();
  /** One after the other: a large one alone takes much memory. @type {Promise<unknown>} */
  #turn = Promise.resolve();
  #areKept = true;

  /**
   * @param {HTMLElement} root
   * @param {(failed: boolean) => void} changed there are other ones now; failed: one could not be read
   */
  constructor(root, changed) {
    this.#root = root;
    this.#changed = changed;
  }

  /** @returns {AttachedFile[]} those that have been read */
  get files() {
    return this.#areKept ? this.#files : this.#files.map((file) => ({ ...file, fleeting: true }));
  }

  /** @param {AttachedFile[]} files */
  set files(files) {
    this.#files = files.map(({ fleeting: _, ...file }) => file);
    this.#areKept = !files.some(({ fleeting }) => fleeting);
    this.#show();
  }

  get isReading() {
    return this.#reading.size > 0;
  }

  /** @param {File[]} files */
  add(files) {
    for (const file of files) {
      const stop = new AbortController();
      const item = chip(strings.files.reading(file.name, percent(0)), file.name, () => {
        stop.abort();
        this.#reading.delete(file);
        this.#end();
      });
      item.classList.add("reading");
      this.#reading.set(file, { stop, item });
      this.#turn = this.#turn.then(() => this.#read(file));
    }
    this.#show();
  }

  /** @param {File} file */
  async #read(file) {
    const reading = this.#reading.get(file);
    if (!reading) return; // taken away before its turn
    let failed = false;
    try {
      const { read } = await import("./reading.js");
      const label = /** @type {HTMLElement} */ (reading.item.querySelector("span"));
      const made = await read(file, reading.stop.signal, (share) => {
        label.textContent = strings.files.reading(file.name, percent(Math.floor(100 * share) / 100));
      });
      if (!reading.stop.signal.aborted) this.#files.push(made);
    } catch (error) {
      failed = !reading.stop.signal.aborted;
      if (failed) toast(/** @type {Error} */ (error).message);
    }
    this.#reading.delete(file);
    this.#show();
    this.#changed(failed);
  }

  #show() {
    const read = this.#files.map((file) =>
      chip(labelOf(file), file.name, () => {
        this.#files = this.#files.filter((other) => other !== file);
        this.#end();
      }),
    );
    const all = [...read, ...[...this.#reading.values()].map(({ item }) => item)];
    this.#root.hidden = !all.length;
    this.#root.replaceChildren(...all, ...(all.length ? [this.#keep()] : []));
  }

  #end() {
    this.#show();
    this.#changed(false);
  }

  /** Whether they are kept. */
  #keep() {
    const item = element("li", "keep");
    const words = () => (this.#areKept ? strings.files.kept : strings.files.fleeting);
    const change = button("link", words(), () => {
      this.#areKept = !this.#areKept;
      change.textContent = words();
    });
    change.title = strings.files.keepHelp;
    item.append(change);
    return item;
  }
}

/**
 * @param {string} text
 * @param {string} name
 * @param {() => void} remove
 */
function chip(text, name, remove) {
  const item = element("li", "chip");
  item.append(icon("file"), element("span", "", text), iconButton("close", strings.composer.remove(name), remove));
  return item;
}
