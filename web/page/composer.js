/**
 * The field in which a question is written, with its button: send, or stop while an answer comes. Text files can be
 * dropped anywhere on the page, pasted, or chosen; they go with the question.
 *
 * @import { AttachedFile } from "./attached.js"
 */

import { byId, element, iconButton } from "./dom.js";
import { keepDraft } from "./draft.js";
import { bytes } from "../shared/format.js";
import { icon } from "./icons.js";
import { strings } from "./strings.js";
import { toast } from "./toasts.js";

/** Files above this many bytes are longer than any context here. */
const LARGEST_FILE = 2e6;

const touch = matchMedia("(hover: none)");

export class Composer {
  #form = byId("composer", HTMLFormElement);
  #prompt = byId("prompt", HTMLTextAreaElement);
  #send = byId("send", HTMLButtonElement);
  #stop = byId("stop", HTMLButtonElement);
  #attached = byId("attached");
  #busy = false;
  /** @type {AttachedFile[]} */
  #files = [];

  /** @param {{ask: (text: string, files: AttachedFile[]) => void, stop: () => void, editLast: () => void}} on */
  constructor(on) {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = this.#prompt.value.trim();
      const files = this.#files;
      if (this.isEmpty || this.#busy) return;
      this.set("", []);
      on.ask(text, files);
    });
    this.#stop.addEventListener("click", on.stop);
    this.#prompt.addEventListener("input", () => this.#changed());
    this.#prompt.addEventListener("keydown", (event) => {
      // While an input method composes a character, Enter belongs to it (229: as Safari tells it).
      if (event.isComposing || event.keyCode === 229) return;
      if (event.key === "Enter" && !event.shiftKey) this.#form.requestSubmit();
      else if (event.key === "ArrowUp" && !this.#prompt.value) on.editLast();
      else return;
      event.preventDefault();
    });
    this.#takeFiles();
    const { text, files } = keepDraft(() => ({ text: this.#prompt.value, files: this.#files })) ?? { text: "", files: [] };
    this.set(text, files);
  }

  /**
   * @param {string} text
   * @param {AttachedFile[]} files
   */
  set(text, files) {
    this.#prompt.value = text;
    this.#files = [...files];
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
    if (!touch.matches) this.#prompt.focus();
  }

  /** Nothing has been written, and no file added. */
  get isEmpty() {
    return !this.#prompt.value.trim() && !this.#files.length;
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
  async #attach(files) {
    for (const file of files) {
      try {
        const text = await textOf(file);
        this.#files.push({ name: file.name, text }); // to those that are attached by now
      } catch (error) {
        toast(/** @type {Error} */ (error).message);
      }
    }
    this.#changed();
    this.focus();
  }

  /** As high as its text, up to the limit that dock.css sets. */
  #changed() {
    this.#send.disabled = this.#prompt.disabled || this.isEmpty;
    this.#prompt.style.height = "auto";
    this.#prompt.style.height = `${this.#prompt.scrollHeight}px`;
    this.#attached.hidden = !this.#files.length;
    this.#attached.replaceChildren(
      ...this.#files.map((file) => {
        const item = element("li", "chip");
        const remove = iconButton("close", strings.composer.remove(file.name), () => {
          this.#files = this.#files.filter((other) => other !== file);
          this.#changed();
          this.focus();
        });
        item.append(icon("file"), element("span", "", strings.file(file.name, bytes(file.text.length))), remove);
        return item;
      }),
    );
  }
}

/**
 * @param {File} file
 * @returns {Promise<string>}
 * @throws {Error} it is too large, or no text
 */
async function textOf(file) {
  if (file.size > LARGEST_FILE) throw new Error(strings.composer.tooLarge(file.name, bytes(LARGEST_FILE)));
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
    if (!text.includes("\0")) return text;
  } catch {
    // not UTF-8, or not readable
  }
  throw new Error(strings.composer.notText(file.name));
}
