/** The list of messages. Text that streams in is put into the page once a frame, however fast it comes. */

import { element } from "./dom.js";
import { perFrame } from "./frames.js";
import { TextRenderer } from "./render.js";

export class MessageList {
  #root;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
  }

  /**
   * @param {"user" | "assistant"} role
   * @param {string} author who speaks, for those who do not see how it looks
   * @param {string} [text]
   * @returns {MessageView}
   */
  add(role, author, text = "") {
    const view = new MessageView(role, author);
    this.#root.append(view.root);
    if (text) view.append(text);
    return view;
  }

  clear() {
    this.#root.replaceChildren();
  }
}

/** One message. `data-state` on it is `waiting`, `streaming` or `ended`. */
export class MessageView {
  #text = element("div", "text");
  #stats = element("div", "stats");
  #renderer = new TextRenderer(this.#text);
  #arrived = "";
  #draw = perFrame(() => this.#flush());

  /**
   * @param {"user" | "assistant"} role
   * @param {string} author
   */
  constructor(role, author) {
    this.root = element("article", `message ${role}`);
    this.root.setAttribute("aria-label", author);
    this.#text.dir = "auto";
    this.root.append(this.#text);
    if (role === "assistant") this.root.append(this.#stats);
  }

  /** @param {"waiting" | "streaming" | "ended"} state */
  set state(state) {
    this.root.dataset.state = state;
    if (state === "ended") this.#flush(); // a page in the background gets no frames
  }

  /** @param {string} note what stands below the text: figures, or what became of it */
  set note(note) {
    this.#stats.textContent = note;
  }

  /** @param {string} text */
  append(text) {
    this.#arrived += text;
    this.#draw();
  }

  remove() {
    this.root.remove();
  }

  #flush() {
    if (!this.#arrived) return;
    this.#renderer.append(this.#arrived);
    this.#arrived = "";
  }
}
