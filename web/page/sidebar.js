/** Opens and closes the sidebar: beside the page where there is room (and remembered), over it where there is not. */

import { byId } from "./dom.js";
import { recall, remember } from "./remembered.js";
import { isTouched } from "./touch.js";

const narrow = matchMedia("(max-width: 48rem)");

export class Sidebar {
  #toggle = byId("sidebar-toggle", HTMLButtonElement);

  constructor() {
    this.#toggle.addEventListener("click", () => this.toggle());
    byId("sidebar-close").addEventListener("click", () => this.show(false));
    byId("new-chat").addEventListener("click", () => this.chosen());
    byId("shade").addEventListener("click", () => this.show(false));
    narrow.addEventListener("change", () => this.#restore());
    this.#restore();
  }

  get isOpen() {
    return document.body.dataset.sidebar === "open";
  }

  toggle() {
    this.show(!this.isOpen);
  }

  /** @param {boolean} open */
  show(open) {
    this.#apply(open);
    if (!narrow.matches) remember("sidebar", open ? "open" : "closed");
    if (open) byId(isTouched() ? "sidebar-close" : "search").focus();
    else this.#toggle.focus();
  }

  /** Something in it was chosen: out of the way with it, where it lies over the page. */
  chosen() {
    if (narrow.matches) this.#apply(false);
  }

  #restore() {
    this.#apply(!narrow.matches && recall("sidebar") !== "closed");
  }

  /** @param {boolean} open */
  #apply(open) {
    document.body.dataset.sidebar = open ? "open" : "closed";
    this.#toggle.setAttribute("aria-expanded", String(open));
    byId("page").inert = open && narrow.matches;
  }
}
