/**
 * Saved prompts: a slash at the beginning of the field for questions lists them, what is typed behind it narrows the list
 * down. A chosen one is written there, its first place to fill in selected; Tab goes on to the next.
 * Loaded with the first slash. See https://www.w3.org/WAI/ARIA/apg/patterns/combobox/
 *
 * @import { App } from "./app.js"
 * @import { Prompt } from "./library.js"
 */

import { byId, element } from "./dom.js";
import { library } from "./library.js";
import { strings } from "./strings.js";

const words = strings.library;
/** What is typed that may ask for one. */
const ASKED = /^\/([^\n]*)$/;
/** A place in a prompt that is to be filled in. */
const PLACE = /\{\{[^{}]*\}\}/;

/** From now on: for what the field holds already, too. @param {App} app */
export function offerPrompts(app) {
  new Prompts(app);
}

class Prompts {
  #field = byId("prompt", HTMLTextAreaElement);
  #list = element("ul", "prompts");
  /** What the rows do, in their order. @type {(() => void)[]} */
  #acts = [];
  #at = 0;
  #composing = byId("composer");

  /** @param {App} app */
  constructor(app) {
    const field = this.#field;
    this.#list.id = "prompts";
    this.#list.hidden = true;
    this.#list.setAttribute("role", "listbox");
    this.#list.setAttribute("aria-label", words.promptsTitle);
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
    this.#composing.append(this.#list);
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-controls", this.#list.id);
    field.addEventListener("input", () => this.#show());
    field.addEventListener("blur", () => this.#close());
    // Before the composer, for which Enter sends.
    this.#composing.addEventListener("keydown", (event) => this.#pressed(event), { capture: true });
    app.addEventListener("entered", () => this.#close());
    this.#show();
  }

  #show() {
    const [, typed] = ASKED.exec(this.#field.value) ?? [];
    const wanted = typed?.trim().toLocaleLowerCase();
    if (wanted === undefined) return this.#close();
    const found = library.prompts.filter(({ name, text }) => `${name}\n${text}`.toLocaleLowerCase().includes(wanted));
    if (!found.length) return this.#close(); // it is text that begins so
    const rows = found.map(({ name, text }) => {
      const row = element("li", "");
      row.append(element("span", "name", name), element("span", "text", text.replaceAll(/\s+/g, " ")));
      return row;
    });
    this.#acts = found.map((prompt) => () => this.#write(prompt));
    rows.push(element("li", "edit", words.editPrompts));
    this.#acts.push(() => this.#edit());
    for (const [at, row] of rows.entries()) {
      row.id = `prompts-${at}`;
      row.setAttribute("role", "option");
      row.addEventListener("click", () => this.#acts[at]());
    }
    this.#list.replaceChildren(...rows);
    this.#list.hidden = false;
    this.#choose(0);
  }

  /** @param {number} at */
  #choose(at) {
    this.#at = (at + this.#acts.length) % this.#acts.length;
    for (const [other, row] of [...this.#list.children].entries())
      row.setAttribute("aria-selected", String(other === this.#at));
    const row = this.#list.children[this.#at];
    this.#field.setAttribute("aria-activedescendant", row.id);
    row.scrollIntoView({ block: "nearest" });
  }

  #close() {
    this.#list.hidden = true;
    this.#field.removeAttribute("aria-activedescendant");
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.target !== this.#field || event.isComposing || event.keyCode === 229) return;
    const { key, shiftKey } = event;
    if (this.#list.hidden) {
      if (key !== "Tab" || shiftKey || !this.#fill(this.#field.selectionEnd)) return;
    } else if (key === "ArrowDown" || key === "ArrowUp") {
      this.#choose(this.#at + (key === "ArrowDown" ? 1 : -1));
    } else if ((key === "Enter" && !shiftKey) || key === "Tab") {
      this.#acts[this.#at]();
    } else if (key === "Escape") {
      this.#close();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {Prompt} prompt */
  #write({ text }) {
    this.#put(text);
    this.#close();
    this.#field.focus();
    if (!this.#fill(0)) this.#field.setSelectionRange(text.length, text.length);
  }

  #edit() {
    this.#put("");
    library.dispatchEvent(new Event("open"));
  }

  /** @param {string} text in the place of what was typed */
  #put(text) {
    this.#field.value = text;
    this.#field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /** @param {number} from @returns {boolean} whether there is a place to fill in behind it, which is selected now */
  #fill(from) {
    const found = PLACE.exec(this.#field.value.slice(from));
    if (found) this.#field.setSelectionRange(from + found.index, from + found.index + found[0].length);
    return found !== null;
  }
}
