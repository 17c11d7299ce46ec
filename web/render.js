/**
 * How the text of a message becomes DOM: Markdown, drawn as it streams in, a block at a time. A finished block is parsed
 * and drawn once; the last one is drawn anew as it grows, and of it only what differs is touched: nothing flickers, and
 * what a reader has selected stays selected.
 *
 * @import { Token } from "marked"
 */

import { inSteps } from "./frames.js";
import { LACKING, loadedMarkdown, loadMarkdown } from "./markdown.js";

export class TextRenderer {
  #root;
  #source = "";
  /** Characters of the source that no further text can change. */
  #settled = 0;
  /** Blocks that they are, as far as these have not been drawn. @type {Token[]} */
  #finished = [];
  /** What may still grow or become something else. @type {Token[]} */
  #open = [];
  /** There is text that has not been parsed. */
  #unread = false;
  /** Nodes that the finished blocks became. */
  #nodes = 0;
  /** Drawn as well as could be without a library that has come since. @type {HTMLElement[]} */
  #improvable = [];
  #draw = inSteps(() => this.#step());

  /** @param {HTMLElement} root empty; the renderer owns what is in it */
  constructor(root) {
    this.#root = root;
    if (!loadedMarkdown()) loadMarkdown().then(this.#draw, () => {}); // without it, it stays plain text
  }

  /** @param {string} text what has come since the last call */
  append(text) {
    this.#source += text;
    this.#unread = true;
    this.#draw();
  }

  /** Draw a block, or less. @returns {boolean} whether there is more to draw */
  #step() {
    const markdown = loadedMarkdown();
    if (!markdown) {
      patch(this.#root, 0, [document.createTextNode(this.#source)]);
      return false;
    }
    const improvable = this.#improvable.pop();
    const finished = improvable ? undefined : this.#finished.shift();
    if (improvable) markdown.improve(improvable);
    else if (finished) this.#nodes += this.#put(markdown.render([finished]));
    else if (this.#unread) this.#read(markdown.blocks(this.#source.slice(this.#settled)));
    else {
      this.#put(markdown.render(this.#open));
      return false;
    }
    return true;
  }

  /** @param {Token[]} blocks of what is not settled */
  #read(blocks) {
    this.#unread = false;
    // Space behind the last block says nothing yet.
    const last = Math.max(0, blocks.findLastIndex(({ type }) => type !== "space"));
    for (const { raw } of blocks.slice(0, last)) this.#settled += raw.length;
    this.#finished = blocks.slice(0, last).filter(({ type }) => type !== "space");
    this.#open = blocks.slice(last);
  }

  /**
   * Show these behind the finished blocks.
   *
   * @param {{nodes: Node[], more: Promise<unknown> | null}} drawn
   */
  #put({ nodes, more }) {
    this.#root.classList.add("markdown");
    patch(this.#root, this.#nodes, nodes);
    more?.then(
      () => {
        this.#improvable = [.../** @type {NodeListOf<HTMLElement>} */ (this.#root.querySelectorAll(LACKING))].reverse();
        this.#draw();
      },
      () => {}, // it stays as it is
    );
    return nodes.length;
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
