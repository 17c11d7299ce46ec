/**
 * How the text of a message becomes DOM: Markdown, drawn as it streams in. Only the last block is ever drawn anew, and
 * of that only what differs is touched: nothing flickers, and what a reader has selected stays selected.
 */

import { paced } from "./frames.js";
import { loadedMarkdown, loadMarkdown } from "./markdown.js";

export class TextRenderer {
  #root;
  #source = "";
  /** Characters of the source that no further text can change. */
  #settled = 0;
  /** Nodes that they became. */
  #nodes = 0;
  #markdown = loadedMarkdown();
  #draw = paced(() => this.flush());

  /** @param {HTMLElement} root empty; the renderer owns what is in it */
  constructor(root) {
    this.#root = root;
    if (this.#markdown) return;
    loadMarkdown().then(
      (markdown) => {
        this.#markdown = markdown;
        this.#again();
      },
      () => {}, // it stays plain text
    );
  }

  /** @param {string} text what has come since the last call */
  append(text) {
    this.#source += text;
    this.#draw();
  }

  /** Draw what has come now: a page in the background gets no frames. */
  flush() {
    this.#draw.cancel();
    if (!this.#markdown) {
      patch(this.#root, 0, this.#source ? [document.createTextNode(this.#source)] : []);
      return;
    }
    this.#root.classList.add("markdown");
    const blocks = this.#markdown.blocks(this.#source.slice(this.#settled));
    // The last block may still grow or become another; space behind it says nothing yet.
    const last = blocks.findLastIndex(({ type }) => type !== "space");
    const done = this.#markdown.render(blocks.slice(0, Math.max(0, last)));
    const open = this.#markdown.render(blocks.slice(Math.max(0, last)));
    patch(this.#root, this.#nodes, [...done.nodes, ...open.nodes]);
    this.#nodes += done.nodes.length;
    for (const { raw } of blocks.slice(0, Math.max(0, last))) this.#settled += raw.length;
    for (const { more } of [done, open]) more?.then(() => this.#again(), () => {});
  }

  #again() {
    this.#settled = this.#nodes = 0;
    this.flush();
  }
}

/**
 * Make the children of `parent` from the one at `start` on look like `wanted`, changing as little as possible.
 *
 * @param {Node} parent
 * @param {number} start
 * @param {Node[]} wanted
 */
function patch(parent, start, wanted) {
  for (const [index, node] of wanted.entries()) {
    const there = parent.childNodes[start + index];
    if (!there) parent.appendChild(node);
    else if (there.isEqualNode(node)) continue;
    else if (there instanceof Text && node instanceof Text) there.data = node.data;
    else if (there instanceof HTMLElement && node instanceof HTMLElement && there.tagName === node.tagName) {
      copyAttributes(node, there);
      patch(there, 0, [...node.childNodes]);
    } else parent.replaceChild(node, there);
  }
  while (parent.childNodes.length > start + wanted.length) parent.lastChild?.remove();
}

/**
 * @param {Element} from
 * @param {Element} to
 */
function copyAttributes(from, to) {
  for (const { name } of [...to.attributes]) if (!from.hasAttribute(name)) to.removeAttribute(name);
  for (const { name, value } of from.attributes) if (to.getAttribute(name) !== value) to.setAttribute(name, value);
}
