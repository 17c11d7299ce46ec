/**
 * Reads an answer out to a screen reader as it comes: whole sentences, each once. (A live region around the text
 * itself would be read again with every token.)
 */
export class Announcer {
  #root;
  #rest = "";

  /** @param {HTMLElement} root a polite live region */
  constructor(root) {
    this.#root = root;
  }

  /** @param {string} text the next part of a text that is still coming */
  stream(text) {
    this.#rest += text;
    const end = this.#rest.search(/[.!?:;。！？؟।\n][^.!?:;。！？؟।\n]*$/) + 1;
    if (end === 0) return;
    this.say(this.#rest.slice(0, end));
    this.#rest = this.#rest.slice(end);
  }

  /** The text has ended: say what is left of it. */
  flush() {
    this.say(this.#rest);
    this.#rest = "";
  }

  /** @param {string} text perhaps with the marks of Markdown, which nobody wants read out */
  say(text) {
    const words = text.replaceAll(/[*`|~]+|^\s*(?:#+|[-+>])\s+/gm, " ");
    if (!words.trim()) return;
    const line = document.createElement("p");
    line.textContent = words;
    while (this.#root.childElementCount >= 20) this.#root.firstElementChild?.remove();
    this.#root.append(line);
  }

  clear() {
    this.#rest = "";
    this.#root.replaceChildren();
  }
}
