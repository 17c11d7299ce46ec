/** How the text of a message becomes DOM. Plain text with its whitespace (see `.text` in style.css). */

export class TextRenderer {
  #node = document.createTextNode("");

  /** @param {HTMLElement} element empty; the renderer owns what is in it */
  constructor(element) {
    element.append(this.#node);
  }

  /** @param {string} text what has come since the last call */
  append(text) {
    this.#node.appendData(text);
  }
}
