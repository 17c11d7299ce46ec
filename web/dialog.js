/** A <dialog> of the page: opens over everything, closes by its button, by Escape and by a click beside it. */

import { byId } from "./dom.js";

export class Dialog {
  #root;

  /**
   * @param {string} id
   * @param {{opened?: () => void, closed?: () => void}} [on]
   */
  constructor(id, on = {}) {
    this.#root = byId(id, HTMLDialogElement);
    this.body = /** @type {HTMLElement} */ (this.#root.querySelector(".body"));
    this.#opened = on.opened ?? (() => {});
    this.#root.querySelector(".close")?.addEventListener("click", () => this.close());
    this.#root.addEventListener("click", (event) => event.target === this.#root && this.close());
    this.#root.addEventListener("close", on.closed ?? (() => {}));
  }

  #opened;

  get isOpen() {
    return this.#root.open;
  }

  open() {
    if (this.isOpen) return;
    this.#opened();
    this.#root.showModal();
  }

  close() {
    this.#root.close();
  }
}
