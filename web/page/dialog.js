/**
 * A <dialog> of the page: opens over everything, by its button if it has one (`#ID-button`), closes by another, by Escape
 * and by a click beside it. Short messages (toasts.js) are in the one that lies on top: what lies below can't be used.
 */

import { byId, element, iconButton } from "./dom.js";
import { strings } from "./strings.js";

/** Those that are open, the one on top last. @type {HTMLElement[]} */
const opened = [];

function showToasts() {
  (opened.at(-1) ?? document.body).append(byId("toasts"));
}

export class Dialog {
  #root;
  #opened;
  body = element("div", "body");

  /**
   * @param {string} id
   * @param {string} title
   * @param {{opened?: () => void, closed?: () => void}} [on]
   */
  constructor(id, title, on = {}) {
    this.#root = byId(id, HTMLDialogElement);
    this.#opened = on.opened ?? (() => {});
    const head = element("div", "head");
    const heading = element("h2", "", title);
    const close = iconButton("close", strings.close, () => this.close());
    heading.id = `${id}-title`;
    this.#root.setAttribute("aria-labelledby", heading.id);
    close.classList.add("close");
    head.append(heading, close);
    this.#root.append(head, this.body);
    document.getElementById(`${id}-button`)?.addEventListener("click", () => this.open());
    let isBeside = false; // both ends of a click: what was selected may end there too
    this.#root.addEventListener("pointerdown", ({ target }) => (isBeside = target === this.#root));
    this.#root.addEventListener("click", ({ target }) => isBeside && target === this.#root && this.close());
    this.#root.addEventListener("close", () => {
      opened.splice(opened.indexOf(this.#root), 1);
      showToasts();
      on.closed?.();
    });
  }

  get isOpen() {
    return this.#root.open;
  }

  open() {
    if (this.isOpen) return;
    this.#opened();
    this.#root.showModal();
    opened.push(this.#root);
    showToasts();
  }

  close() {
    this.#root.close();
  }
}
