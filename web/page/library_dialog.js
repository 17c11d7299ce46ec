/**
 * The dialog of assistants and saved prompts: used, written, changed, deleted, exported, imported. Loaded when it is first
 * opened.
 *
 * @import { App } from "./app.js"
 * @import { Assistant, Kind, Prompt } from "./library.js"
 */

import { Dialog } from "./dialog.js";
import { button, element, iconButton } from "./dom.js";
import { emblem } from "./emblem.js";
import { choices, fieldRow } from "./fields.js";
import { library } from "./library.js";
import { PRESET_NAMES, presetOf, PRESETS } from "./presets.js";
import { saveText } from "./saving.js";
import { faceOf } from "./settings_values.js";
import { strings } from "./strings.js";
import { tabs } from "./tabs.js";

const words = strings.library;
/** What a file may weigh at most, in bytes. */
const LARGEST = 5e6;

/** @type {LibraryDialog | null} */
let dialog = null;

/**
 * @param {App} app
 * @param {Kind} kind to begin with
 * @param {(assistant: Assistant) => void} begin a conversation with it
 */
export function openLibrary(app, kind, begin) {
  dialog ??= new LibraryDialog(app, begin);
  dialog.open(kind);
}

class LibraryDialog {
  #app;
  #begin;
  #dialog = new Dialog("assistants", words.title);
  /** @type {Kind} */
  #kind = "assistants";

  /** @param {App} app @param {(assistant: Assistant) => void} begin */
  constructor(app, begin) {
    this.#app = app;
    this.#begin = begin;
  }

  /** @param {Kind} kind */
  open(kind) {
    this.#kind = kind;
    this.#draw();
    this.#dialog.open();
  }

  #draw() {
    const chosen = (/** @type {string} */ name) => void (this.#kind = /** @type {Kind} */ (name));
    const panels = [
      { name: "assistants", label: words.assistantsTitle, body: this.#assistants() },
      { name: "prompts", label: words.promptsTitle, body: this.#prompts() },
    ];
    this.#dialog.body.replaceChildren(tabs("library", words.title, panels, this.#kind, chosen), this.#foot());
  }

  #assistants() {
    const rows = library.assistants.map((assistant) => {
      const { name, settings, model } = assistant;
      const use = button("quiet", words.use, () => {
        this.#dialog.close();
        this.#begin(assistant);
      });
      const meant = model ? words.meantFor(name, model.name) : "";
      return this.#row("assistants", assistant, [emblem(assistant)], settings.system ?? meant, [use]);
    });
    return this.#list(words.assistantsLead, rows, words.newAssistant, () => this.#editAssistant(this.#fresh()));
  }

  #prompts() {
    const rows = library.prompts.map((prompt) => this.#row("prompts", prompt, [], prompt.text, []));
    return this.#list(words.promptsLead, rows, words.newPrompt, () => this.#editPrompt({ name: "", text: "" }));
  }

  /**
   * @param {string} lead
   * @param {HTMLElement[]} rows
   * @param {string} label
   * @param {() => void} add
   */
  #list(lead, rows, label, add) {
    const root = element("div", "library");
    const list = element("ul", "");
    list.append(...rows);
    root.append(element("p", "help", lead), list, button("quiet", label, add));
    return root;
  }

  /**
   * @param {Kind} kind
   * @param {Assistant | Prompt} item
   * @param {HTMLElement[]} before
   * @param {string} text
   * @param {HTMLElement[]} acts
   */
  #row(kind, item, before, text, acts) {
    const root = element("li", "");
    const said = element("div", "said");
    said.append(element("strong", "", item.name), element("p", "", text));
    said.dir = "auto";
    const edit = () => {
      if (kind === "assistants") this.#editAssistant(/** @type {Assistant} */ (item));
      else this.#editPrompt(/** @type {Prompt} */ (item));
    };
    const remove = () => {
      const bringBack = library.remove(kind, item.id);
      this.#back();
      const undo = () => {
        bringBack();
        if (!this.#dialog.body.querySelector("form")) this.#draw(); // what is being written stays
      };
      this.#app.toast(words.removed(item.name), { label: strings.undo, act: undo });
    };
    const buttons = [
      iconButton("edit", words.edit(item.name), edit),
      iconButton("delete", words.remove(item.name), remove),
    ];
    root.append(...before, said, ...acts, ...buttons);
    return root;
  }

  /** A new one: as the conversation in view is set, if that is of nobody else. @returns {Omit<Assistant, "id">} */
  #fresh() {
    const { assistant, ...settings } = this.#app.conversation.record.settings ?? {};
    return { name: "", mark: "", settings: assistant ? {} : settings };
  }

  /** @param {Omit<Assistant, "id"> & {id?: string}} assistant */
  #editAssistant({ id, name, mark, settings, model }) {
    const fields = {
      name: line("assistant-name", words.name, words.nameHelp, name),
      mark: line("assistant-mark", words.mark, words.markHelp, mark),
      system: area("assistant-system", strings.settings.system.label, words.systemHelp, settings.system ?? ""),
    };
    let sampling = /** @type {Assistant["settings"]} */ (settings);
    const { label, labels, own } = strings.settings.presets;
    const preset = presetOf(settings);
    const styles = choices(
      "assistant-style",
      label,
      preset ? labels : { ...labels, own },
      preset ?? "own",
      "",
      (chosen) => {
        const without = Object.fromEntries(
          Object.entries(settings).filter(([name]) => !PRESET_NAMES.some((other) => other === name)),
        );
        sampling =
          chosen === "own" ? settings : { ...without, ...PRESETS[/** @type {keyof typeof PRESETS} */ (chosen)] };
      },
    );
    let meant = model;
    const inUse = this.#app.model;
    const offers = new Map(
      [model, inUse].flatMap((one) => (one?.url ? [[one.url, { name: one.name, url: one.url }]] : [])),
    );
    const names = Object.fromEntries([["", words.anyModel], ...[...offers].map(([url, { name }]) => [url, name])]);
    const models = choices("assistant-model", words.model, names, model?.url ?? "", words.modelHelp, (url) => {
      meant = offers.get(url);
    });
    this.#form(
      id ? words.edit(name) : words.newAssistant,
      [fields.name, fields.mark, fields.system, styles, models],
      () => {
        const face = faceOf({ name: fields.name.input.value, mark: fields.mark.input.value });
        if (!face) return this.#missing(fields.name);
        const { system: _, ...others } = sampling;
        const system = fields.system.input.value.trim();
        const all = { ...others, ...(system && { system }) };
        return library.save("assistants", { id, ...face, settings: all, ...(meant && { model: meant }) });
      },
    );
  }

  /** @param {Omit<Prompt, "id"> & {id?: string}} prompt */
  #editPrompt({ id, name, text }) {
    const fields = {
      name: line("prompt-name", words.name, words.promptNameHelp, name),
      text: area("prompt-text", words.text, words.textHelp, text),
    };
    this.#form(id ? words.edit(name) : words.newPrompt, [fields.name, fields.text], () => {
      const face = faceOf({ name: fields.name.input.value });
      if (!face) return this.#missing(fields.name);
      if (!fields.text.input.value.trim()) return this.#missing(fields.text);
      return library.save("prompts", { id, name: face.name, text: fields.text.input.value });
    });
  }

  /** @param {ReturnType<typeof line>} field that must not be empty */
  #missing({ input, problem }) {
    problem.textContent = words.missing;
    input.setAttribute("aria-invalid", "true");
    input.focus();
    return undefined;
  }

  /**
   * In the place of the lists.
   *
   * @param {string} title
   * @param {({root: HTMLElement} | HTMLElement)[]} fields
   * @param {() => boolean | undefined} save whether it is kept; undefined: something is missing
   */
  #form(title, fields, save) {
    const form = element("form", "fields");
    const acts = element("div", "acts");
    const submit = /** @type {HTMLButtonElement} */ (element("button", "main", words.save));
    submit.type = "submit";
    acts.append(
      submit,
      button("quiet", strings.cancel, () => this.#back()),
    );
    form.append(element("h3", "", title), ...fields.map((field) => ("root" in field ? field.root : field)), acts);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const kept = save();
      if (kept === undefined) return;
      if (!kept) this.#app.toast(words.notKept);
      this.#back();
    });
    this.#dialog.body.replaceChildren(form);
    form.querySelector("input")?.focus();
  }

  #back() {
    this.#draw();
    /** @type {HTMLElement | null} */ (this.#dialog.body.querySelector("[aria-selected=true]"))?.focus();
  }

  #foot() {
    const root = element("div", "acts");
    const save = () => saveText(`${words.fileName}.json`, () => library.toJson());
    root.append(
      button("quiet", words.import, () => this.#import()),
      button("quiet", words.export, save),
    );
    return root;
  }

  #import() {
    const input = document.createElement("input");
    Object.assign(input, { type: "file", accept: ".json" });
    input.addEventListener("change", async () => {
      const [file] = input.files ?? [];
      try {
        if (!file || file.size > LARGEST) throw new RangeError("too large");
        const { count, kept } = library.add(await file.text());
        this.#app.toast(kept ? words.imported(count) : words.notKept);
        this.#draw();
      } catch {
        this.#app.toast(words.unreadable(file?.name ?? ""));
      }
    });
    input.click();
  }
}

/**
 * @param {string} name
 * @param {string} label
 * @param {string} explained
 * @param {string} value
 */
function line(name, label, explained, value) {
  const input = /** @type {HTMLInputElement | HTMLTextAreaElement} */ (element("input", ""));
  Object.assign(input, { value, dir: "auto", autocomplete: "off" });
  return { input, ...fieldRow(name, label, explained, input) };
}

/**
 * @param {string} name
 * @param {string} label
 * @param {string} explained
 * @param {string} value
 */
function area(name, label, explained, value) {
  const input = /** @type {HTMLInputElement | HTMLTextAreaElement} */ (element("textarea", ""));
  Object.assign(input, { value, rows: 6, dir: "auto" });
  return { input, ...fieldRow(name, label, explained, input) };
}
