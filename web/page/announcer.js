/**
 * Reads an answer out to a screen reader as it comes: whole sentences, each once. (A live region around the text
 * itself would be read again with every token.)
 */

/** So many lines are kept, each of so many characters. */
const LINES = 20;
const LONGEST = 1000;
/** Where the last sentence of a text ends. */
const END = /[.!?:;。！？؟।\n][^.!?:;。！？؟।\n]*$/;

export class Announcer {
  #root;
  #rest = "";

  /** @param {HTMLElement} root a polite live region */
  constructor(root) {
    this.#root = root;
  }

  /** @param {string} text the next part of a text that is still coming */
  stream(text) {
    const end = text.search(END) + 1;
    this.#rest += text.slice(0, end);
    if (end > 0 || this.#rest.length > LONGEST) this.flush();
    this.#rest += text.slice(end);
  }

  /** The text has ended: say what is left of it. */
  flush() {
    const text = this.#rest;
    this.#rest = "";
    // No more than is kept; and in parts, for nobody waits for the end of a sentence that has none.
    for (let start = Math.max(0, text.length - LINES * LONGEST); start < text.length; start += LONGEST)
      this.say(text.slice(start, start + LONGEST));
  }

  /** @param {string} text perhaps with the marks of Markdown, which nobody wants read out */
  say(text) {
    const words = text.replaceAll(/[*`|~]+|^[^\S\n]*(?:#+|[-+>])\s+/gm, " ");
    if (!words.trim()) return;
    const line = document.createElement("p");
    line.textContent = words;
    while (this.#root.childElementCount >= LINES) this.#root.firstElementChild?.remove();
    this.#root.append(line);
  }

  clear() {
    this.#rest = "";
    this.#root.replaceChildren();
  }
}
