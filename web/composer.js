/** The field in which a question is written, with its button: send, or stop while an answer comes. */

import { byId } from "./dom.js";

export class Composer {
  #form = byId("composer", HTMLFormElement);
  #prompt = byId("prompt", HTMLTextAreaElement);
  #send = byId("send", HTMLButtonElement);
  #stop = byId("stop", HTMLButtonElement);
  #busy = false;

  /** @param {{ask: (text: string) => void, stop: () => void}} on */
  constructor(on) {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = this.#prompt.value.trim();
      if (!text || this.#busy) return;
      this.text = "";
      on.ask(text);
    });
    this.#stop.addEventListener("click", on.stop);
    this.#prompt.addEventListener("input", () => this.#changed());
    this.#prompt.addEventListener("keydown", (event) => {
      // While an input method composes a character, Enter belongs to it (229: as Safari tells it).
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.#form.requestSubmit();
    });
    this.#changed();
  }

  get text() {
    return this.#prompt.value;
  }

  set text(text) {
    this.#prompt.value = text;
    this.#changed();
  }

  /** @param {boolean} busy an answer comes, or waits to come */
  set busy(busy) {
    const focused = document.activeElement === this.#send || document.activeElement === this.#stop;
    this.#busy = busy;
    this.#send.hidden = busy;
    this.#stop.hidden = !busy;
    if (focused) this.focus(); // the button that had the focus is gone
  }

  /** @param {boolean} disabled there is nobody to ask */
  set disabled(disabled) {
    this.#prompt.disabled = disabled;
    this.#changed();
  }

  focus() {
    this.#prompt.focus();
  }

  /** As high as its text, up to the limit that style.css sets. */
  #changed() {
    this.#send.disabled = this.#prompt.disabled || !this.#prompt.value.trim();
    this.#prompt.style.height = "auto";
    this.#prompt.style.height = `${this.#prompt.scrollHeight}px`;
  }
}
