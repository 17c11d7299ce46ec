/**
 * The Python of the model in use: shown coloured, to be changed and run. What is run is what the visitor has typed or
 * pasted here, and nothing else: no link and no file of a model brings any.
 *
 * @import { Engine } from "./engine.js"
 * @import { Rewritten } from "../shared/protocol.js"
 */

import { button, element } from "./dom.js";
import { highlighter } from "./libraries.js";
import { strings } from "./strings.js";
import { showColoured } from "./trusted.js";

const words = strings.inside;

export class Rewriting {
  root = element("div", "rewriting");
  #engine;
  #coloured = element("code", "");
  #area = /** @type {HTMLTextAreaElement} */ (element("textarea", ""));
  #status = element("p", "status", words.looking);
  #problem = element("pre", "traceback");
  #file = element("p", "file");
  #run = button("main", words.run, () => this.#rewrite(this.#area.value));
  #original = button("quiet", words.original, () => this.#rewrite(null));

  /** @param {Engine} engine */
  constructor(engine) {
    this.#engine = engine;
    this.#area.spellcheck = false;
    this.#area.wrap = "off";
    this.#area.dir = "ltr";
    this.#area.setAttribute("aria-label", words.source);
    this.#area.setAttribute("autocapitalize", "off");
    this.#area.addEventListener("input", () => this.#colour());
    this.#area.addEventListener("keydown", (event) => {
      event.stopPropagation(); // the page has keys of its own
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.#rewrite(this.#area.value);
    });
    this.#status.setAttribute("role", "status");
    this.#problem.setAttribute("role", "alert");
    this.#problem.tabIndex = 0;
    this.#problem.hidden = true;
    const shown = element("pre", "");
    shown.setAttribute("aria-hidden", "true");
    shown.append(this.#coloured);
    const editor = element("div", "editor-of-code");
    const sheet = element("div", "sheet");
    sheet.append(shown, this.#area);
    editor.append(sheet);
    const choices = element("div", "choices");
    choices.append(this.#run, this.#original);
    this.root.append(element("p", "lead", words.pythonLead), this.#file, editor, choices, this.#status, this.#problem);
    this.#ask(undefined, "");
  }

  /** @param {string | null} text null: the original */
  #rewrite(text) {
    return this.#ask(text, words.running);
  }

  /**
   * @param {string | null | undefined} text
   * @param {string} status
   */
  async #ask(text, status) {
    if (this.#run.disabled) return;
    this.#busy = true;
    if (status) this.#status.textContent = status;
    try {
      this.#show(await this.#engine.rewrite(text), text);
    } catch (error) {
      this.#status.textContent = /** @type {Error} */ (error).message;
    }
    this.#busy = false;
  }

  set #busy(/** @type {boolean} */ busy) {
    this.#run.disabled = this.#original.disabled = busy;
  }

  /**
   * @param {Rewritten} now
   * @param {string | null | undefined} asked what was asked for: undefined: nothing but to see it
   */
  #show({ file, text, original, problem }, asked) {
    this.#file.textContent = file;
    this.#problem.hidden = !problem;
    this.#problem.textContent = problem ?? "";
    if (problem) return void (this.#status.textContent = words.failed);
    const isOriginal = text === original;
    if (asked === undefined) this.#status.textContent = isOriginal ? words.isOriginal : words.isChanged;
    else this.#status.textContent = isOriginal ? words.isOriginal : words.runs;
    if (this.#area.value === text) return;
    this.#area.value = text;
    this.#colour();
  }

  async #colour() {
    const text = `${this.#area.value}\n`; // which a last empty line needs to be as high
    this.#coloured.textContent = text;
    try {
      const library = await highlighter();
      if (text !== `${this.#area.value}\n`) return; // it is being written
      showColoured(this.#coloured, library.highlight(text, { language: "python", ignoreIllegals: true }).value);
    } catch {
      // It is readable without colours.
    }
  }
}
