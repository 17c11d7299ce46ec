/**
 * How the text of a message becomes DOM: Markdown, drawn as it streams in, a block at a time. A finished block is parsed
 * and drawn once; the last one is drawn anew as it grows, and of it only what differs is touched: nothing flickers, and
 * what a reader has selected stays selected.
 *
 * @import { Block } from "./reader.js"
 */

import { element } from "./dom.js";
import { inSteps } from "./frames.js";
import { asWritten, LACKING, loadedMarkdown, loadMarkdown } from "./markdown.js";
import { PIECE } from "./pieces.js";
import { Reader } from "./reader.js";

/** A long text's blocks lie in pages of so much, each of which is laid out on its own; those of a short one in the root. */
const PAGE = { characters: PIECE, elements: 400 };
const ROOT = { characters: 2 * PIECE, elements: 600 };
/** When so much has been drawn, the rest waits for the next frame: to lay it out takes time too. */
const FRAME = { characters: 3000, elements: 300 };

export class TextRenderer {
  #root;
  #mark;
  /** Where blocks go now: the root, later a page in it. */
  #page;
  #source = "";
  /** Half a line's end, which may be a whole one. */
  #half = "";
  #reader = new Reader();
  /** Characters of the source that no further text can change. */
  #settled = 0;
  /** Blocks that they are, as far as these have not been drawn. @type {Block[]} */
  #finished = [];
  /** What may still grow or become something else. @type {Block[]} */
  #open = [];
  /** There is text that has not been parsed. */
  #unread = false;
  /** Nodes that the finished blocks became in this page, and how much they are. */
  #nodes = 0;
  #size = { characters: 0, elements: 0 };
  /** How much was drawn since the work waited for a frame. */
  #fresh = { characters: 0, elements: 0 };
  /** Drawn as well as could be without a library that has come since. @type {HTMLElement[]} */
  #improvable = [];
  #draw = inSteps(() => this.#step());

  /**
   * @param {HTMLElement} root empty; the renderer owns what is in it
   * @param {(nodes: Node[]) => void} [mark] marks something in what a block became, before it is shown
   */
  constructor(root, mark = () => {}) {
    this.#root = this.#page = root;
    this.#mark = mark;
    if (!loadedMarkdown())
      loadMarkdown().then(
        () => this.#begin(),
        () => {},
      ); // without it, it stays plain text
  }

  /**
   * @param {string} text what has come since the last call
   * @param {boolean} [now] it is drawn at once, not after the next frame
   */
  append(text, now = false) {
    const whole = this.#half + text;
    this.#half = whole.endsWith("\r") ? "\r" : "";
    this.#source += whole
      .slice(0, whole.length - this.#half.length)
      .replaceAll(/\r\n?/g, "\n")
      .replaceAll("\0", "\ufffd");
    this.#unread = true;
    this.#draw(now);
  }

  /** Anew, with the library. */
  #begin() {
    this.#settled = this.#nodes = 0;
    this.#size = { characters: 0, elements: 0 };
    this.#reader = new Reader();
    this.#finished = this.#open = [];
    this.#page = this.#root;
    this.#unread = true;
    this.#draw();
  }

  /** Draw a block, or less. @returns {import("./frames.js").Progress} whether there is more to draw */
  #step() {
    const markdown = loadedMarkdown();
    const improvable = this.#improvable.pop();
    const finished = improvable ? undefined : this.#finished.shift();
    if (improvable) markdown?.improve(improvable);
    else if (finished) return this.#finish(finished);
    else if (this.#unread) this.#read();
    else {
      this.#put(this.#render(this.#open).nodes);
      return false;
    }
    return true;
  }

  #read() {
    const markdown = loadedMarkdown();
    // A little more than a piece, so that it is seen to go on.
    const text = this.#source.slice(this.#settled, this.#settled + PIECE + 1);
    const lex = (/** @type {string} */ text) => markdown?.blocks(text) ?? [{ type: "plain", raw: text }];
    const { finished, open, length, hasMore } = this.#reader.read(text, lex);
    this.#settled += length;
    this.#finished = finished;
    this.#open = open;
    this.#unread = hasMore && this.#settled < this.#source.length;
  }

  /** @param {Block} block */
  #finish(block) {
    const drawn = this.#render([block]);
    const limit = this.#page === this.#root ? ROOT : PAGE;
    if (this.#nodes && isOver(limit, sum(this.#size, drawn.size))) {
      this.#put([]);
      this.#page = element("div", "page");
      this.#root.append(this.#page);
      this.#nodes = 0;
      this.#size = { characters: 0, elements: 0 };
    }
    this.#put(drawn.nodes);
    this.#nodes += drawn.nodes.length;
    this.#size = sum(this.#size, drawn.size);
    this.#fresh = sum(this.#fresh, drawn.size);
    if (!isOver(FRAME, this.#fresh)) return true;
    this.#fresh = { characters: 0, elements: 0 };
    return "next frame";
  }

  /** @param {Block[]} blocks */
  #render(blocks) {
    const markdown = loadedMarkdown();
    const plain = () => ({ nodes: blocks.flatMap(({ raw }) => asWritten(raw)), better: null });
    const { nodes, better } = markdown?.render(blocks) ?? plain();
    this.#mark(nodes);
    better?.then(
      () => {
        this.#improvable = [.../** @type {NodeListOf<HTMLElement>} */ (this.#root.querySelectorAll(LACKING))].reverse();
        this.#draw();
      },
      () => {}, // it stays as it is
    );
    const elements = nodes.map((node) => (node instanceof Element ? 1 + node.getElementsByTagName("*").length : 0));
    const [characters, count] = [blocks.map(({ raw }) => raw.length), elements].map((all) =>
      all.reduce((a, b) => a + b, 0),
    );
    return { nodes, size: { characters, elements: count } };
  }

  /** Show these behind the finished blocks. @param {Node[]} nodes */
  #put(nodes) {
    this.#root.classList.add("markdown");
    patch(this.#page, this.#nodes, nodes);
  }
}

/** @typedef {{characters: number, elements: number}} Size */

/**
 * @param {Size} one
 * @param {Size} other
 */
function sum(one, other) {
  return { characters: one.characters + other.characters, elements: one.elements + other.elements };
}

/**
 * @param {Size} limit
 * @param {Size} size
 */
function isOver(limit, { characters, elements }) {
  return characters > limit.characters || elements > limit.elements;
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
