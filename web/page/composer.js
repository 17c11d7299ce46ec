/**
 * The field in which a question is written, with its button: send, or stop while an answer comes. Files can be
 * dropped anywhere on the page, pasted, or chosen; they go with the question.
 *
 * @import { AttachedFile } from "./attached.js"
 */

import { Attaching } from "./attaching.js";
import { byId } from "./dom.js";
import { keepDraft } from "./draft.js";
import { isTouched, returnSends, stayAboveKeyboard } from "./touch.js";

export class Composer {
  #form = byId("composer", HTMLFormElement);
  #prompt = byId("prompt", HTMLTextAreaElement);
  #send = byId("send", HTMLButtonElement);
  #stop = byId("stop", HTMLButtonElement);
  #busy = false;
  #attaching = new Attaching(byId("attached"), (failed) => this.#read(failed));
  /** It was sent, and waits for its files to be read. */
  #isWaiting = false;

  /** @param {{ask: (text: string, files: AttachedFile[]) => void, stop: () => void, editLast: () => void}} on */
  constructor(on) {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = this.#prompt.value.trim();
      const { files, isReading } = this.#attaching;
      if (this.isEmpty || this.#busy) return;
      this.#isWaiting = isReading;
      if (isReading) return this.#changed();
      this.set("", []);
      on.ask(text, files);
    });
    this.#stop.addEventListener("click", on.stop);
    this.#prompt.addEventListener("input", () => {
      this.#isWaiting = false; // more is being written
      this.#changed();
    });
    this.#prompt.addEventListener("keydown", (event) => {
      // While an input method composes a character, Enter belongs to it (229: as Safari tells it).
      if (event.isComposing || event.keyCode === 229) return;
      const sends = event.key === "Enter" && (returnSends() ? !event.shiftKey : event.ctrlKey || event.metaKey);
      if (sends) this.#form.requestSubmit();
      else if (event.key === "ArrowUp" && !this.#prompt.value) on.editLast();
      else return;
      event.preventDefault();
    });
    const showReturn = () => (this.#prompt.enterKeyHint = returnSends() ? "send" : "enter");
    addEventListener("return", showReturn);
    showReturn();
    stayAboveKeyboard();
    this.#takeFiles();
    const draft = () => ({
      text: this.#prompt.value,
      files: this.#attaching.files.filter(({ fleeting }) => !fleeting),
    });
    const { text, files } = keepDraft(draft) ?? { text: "", files: [] };
    this.set(text, files);
    this.focus();
  }

  /**
   * @param {string} text
   * @param {AttachedFile[]} files
   */
  set(text, files) {
    this.#prompt.value = text;
    this.#attaching.files = files;
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

  /** Go there, but where that would bring up a keyboard on the screen. */
  focus() {
    if (!isTouched()) this.#prompt.focus();
  }

  /** Nothing has been written, and no file added. */
  get isEmpty() {
    return !this.#prompt.value.trim() && !this.#attaching.files.length && !this.#attaching.isReading;
  }

  #takeFiles() {
    const input = byId("files", HTMLInputElement);
    byId("attach").addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      this.#attach([...(input.files ?? [])]);
      input.value = "";
    });
    this.#prompt.addEventListener("paste", (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (!files.length) return;
      event.preventDefault();
      this.#attach(files);
    });
    document.addEventListener("dragover", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      this.#form.classList.add("target");
    });
    document.addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) this.#form.classList.remove("target"); // it has left the window
    });
    document.addEventListener("drop", (event) => {
      const files = [...(event.dataTransfer?.files ?? [])];
      this.#form.classList.remove("target");
      if (event.defaultPrevented || !files.length) return; // a model's file was taken for what it is
      event.preventDefault();
      this.#attach(files);
    });
  }

  /** @param {File[]} files */
  #attach(files) {
    this.#attaching.add(files);
    this.#changed();
    this.focus();
  }

  /** There are other files than before. @param {boolean} failed one could not be read: the visitor decides what to do */
  #read(failed) {
    const sends = this.#isWaiting && !this.#attaching.isReading && !failed;
    if (failed || sends) this.#isWaiting = false;
    this.#changed();
    if (sends) this.#form.requestSubmit();
  }

  /** As high as its text, up to the limit that dock.css sets. */
  #changed() {
    this.#send.disabled = this.#prompt.disabled || this.isEmpty || this.#isWaiting;
    this.#prompt.style.height = "auto";
    this.#prompt.style.height = `${this.#prompt.scrollHeight}px`;
  }
}
