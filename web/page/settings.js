/**
 * What the visitor can set: how the model answers, and how the page looks. What is left empty is the model's default,
 * which its field shows; a value out of range is not taken.
 *
 * @import { AnswerOptions, LoadOptions, Ready, Sampling } from "../shared/protocol.js"
 *
 * @typedef {{stop?: string[], system?: string, schema?: string, thinks?: boolean}} Own
 * @typedef {"temperature" | "top_k" | "top_p" | "min_p" | "repetition_penalty" | "max_tokens" | "seed"} Sampled
 * @typedef {Pick<Sampling, Sampled> & Pick<LoadOptions, "context" | "cache_bits"> & Own} Values
 *
 * @typedef {object} Field
 * @property {keyof Values} name
 * @property {number} min
 * @property {number} max
 * @property {number} step
 */

import { Dialog } from "./dialog.js";
import { button, element } from "./dom.js";
import { languageField } from "./language.js";
import { recall, recallJson, remember } from "./remembered.js";
import { strings } from "./strings.js";

const KEY = "settings";

/** @type {Field[]} the numbers, in the ranges that the engine takes */
const NUMBERS = [
  { name: "temperature", min: 0, max: 5, step: 0.05 },
  { name: "top_k", min: 0, max: 10000, step: 1 },
  { name: "top_p", min: 0, max: 1, step: 0.01 },
  { name: "min_p", min: 0, max: 1, step: 0.01 },
  { name: "repetition_penalty", min: 0.5, max: 2, step: 0.01 },
  { name: "max_tokens", min: 1, max: 1e6, step: 1 },
  { name: "seed", min: 0, max: 2 ** 32 - 1, step: 1 },
  { name: "context", min: 64, max: 1e7, step: 1 },
];

/** The temperature at which a model that always says the likeliest answers anew. */
const VARIED = 0.7;

export class Settings {
  /** @type {Values} */
  #values = read();
  /** @type {Values} */
  #defaults = {};
  /** @type {Ready["thinking"]} */
  #thinking = "fixed";
  #onLoading;
  #loadingAtOpening = "";
  /** Of features: what they show here, made anew each time, and what becomes of it when all is reset. */
  sections = /** @type {{show: () => HTMLElement, reset: () => void}[]} */ ([]);
  #dialog = new Dialog("settings", strings.settings.title, { opened: () => this.#opened(), closed: () => this.#closed() });

  /** @param {() => void} onLoading called when something was changed for which the model must be loaded anew */
  constructor(onLoading) {
    this.#onLoading = onLoading;
  }

  open() {
    this.#dialog.open();
  }

  /** @param {Ready} ready */
  set model(ready) {
    const { stop: _, ...sampling } = ready.sampling;
    this.#thinking = ready.thinking;
    this.#defaults = { ...this.#defaults, ...sampling, context: ready.model.context_length };
  }

  /** @param {string} system the site's own system prompt */
  set systemDefault(system) {
    this.#defaults.system = system;
  }

  /** @returns {string} the system prompt, or nothing */
  get system() {
    return this.#values.system ?? this.#defaults.system ?? "";
  }

  /** @returns {LoadOptions} as far as the visitor set them */
  get loading() {
    const { context, cache_bits } = this.#values;
    return { ...(context && { context }), ...(cache_bits && { cache_bits }) };
  }

  /**
   * @param {boolean} anew for another answer to the same question, which should be another one
   * @returns {AnswerOptions}
   */
  sampling(anew = false) {
    const { system: _, context: __, cache_bits: ___, thinks, ...sampling } = this.#values;
    if (anew && sampling.temperature === undefined && !this.#defaults.temperature) sampling.temperature = VARIED;
    const isTold = thinks !== undefined && this.#thinking !== "fixed";
    return { ...sampling, ...(isTold && { chat_template_kwargs: { enable_thinking: thinks } }) };
  }

  #opened() {
    this.#loadingAtOpening = JSON.stringify(this.loading);
    this.#show();
  }

  #show() {
    const form = element("form", "fields");
    form.addEventListener("submit", (event) => event.preventDefault());
    form.append(
      this.#text("system", 4, (text) => text || undefined, this.#values.system ?? ""),
      themes(),
      languageField(),
      ...(this.#thinking === "fixed" ? [] : [this.#thinks(this.#thinking)]),
      ...this.sections.map(({ show }) => show()),
      ...NUMBERS.map((field) => this.#number(field)),
      this.#cacheBits(),
      this.#text("stop", 2, (text) => listed(text), (this.#values.stop ?? []).join("\n")),
      this.#text("schema", 3, (text) => text.trim() || undefined, this.#values.schema ?? "", isSchema),
    );
    const reset = button("quiet", strings.settings.reset, () => {
      this.#values = {};
      for (const { reset } of this.sections) reset();
      this.#save();
      this.#show();
      this.#dialog.body.querySelector("button")?.focus();
    });
    this.#dialog.body.replaceChildren(form, reset);
  }

  #closed() {
    if (JSON.stringify(this.loading) !== this.#loadingAtOpening) this.#onLoading();
  }

  #cacheBits() {
    const { label, explained, choices: labels } = strings.settings.cache_bits;
    return choices("cache_bits", label, labels, String(this.#values.cache_bits ?? 16), explained, (chosen) => {
      if (chosen === "8") this.#values.cache_bits = 8;
      else delete this.#values.cache_bits;
      this.#save();
    });
  }

  /** @param {Exclude<Ready["thinking"], "fixed">} thinking what the model does by itself */
  #thinks(thinking) {
    const { label, explained, choices: labels, byItself } = strings.settings.thinks;
    const { thinks } = this.#values;
    const own = { default: byItself[thinking], ...labels };
    return choices("thinks", label, own, thinks === undefined ? "default" : String(thinks), explained, (chosen) => {
      if (chosen === "default") delete this.#values.thinks;
      else this.#values.thinks = chosen === "true";
      this.#save();
    });
  }

  /** @param {Field} field */
  #number({ name, min, max, step }) {
    const input = /** @type {HTMLInputElement} */ (element("input", ""));
    Object.assign(input, { type: "number", min, max, step, value: this.#values[name] ?? "" });
    input.placeholder = String(this.#defaults[name] ?? strings.settings.unset[name] ?? "");
    return this.#field(name, input, () => (input.value === "" ? undefined : input.valueAsNumber));
  }

  /**
   * @param {"system" | "stop" | "schema"} name
   * @param {number} rows
   * @param {(text: string) => any} parse
   * @param {string} value
   * @param {(text: string) => boolean} [isGood]
   */
  #text(name, rows, parse, value, isGood = () => true) {
    const input = /** @type {HTMLTextAreaElement} */ (element("textarea", ""));
    input.addEventListener("input", () => input.setCustomValidity(isGood(input.value) ? "" : strings.settings.noSchema));
    Object.assign(input, { rows, value, dir: "auto", placeholder: name === "system" ? (this.#defaults.system ?? "") : "" });
    return this.#field(name, input, () => parse(input.value));
  }

  /**
   * @param {keyof Values} name
   * @param {HTMLInputElement | HTMLTextAreaElement} input
   * @param {() => any} value undefined: the model's default
   */
  #field(name, input, value) {
    const { label, explained } = strings.settings[name];
    const { root, problem } = fieldRow(name, label, explained, input);
    input.addEventListener("input", () => {
      problem.textContent = input.validity.valid ? "" : input.validationMessage;
      input.setAttribute("aria-invalid", String(!input.validity.valid));
      if (!input.validity.valid) return;
      const chosen = value();
      if (chosen === undefined) delete this.#values[name];
      else Object.assign(this.#values, { [name]: chosen });
      this.#save();
    });
    return root;
  }

  #save() {
    remember(KEY, JSON.stringify(this.#values));
  }
}

/**
 * A field with its words.
 *
 * @param {string} name
 * @param {string} label
 * @param {string} explained
 * @param {HTMLInputElement | HTMLTextAreaElement} input
 * @returns {{root: HTMLElement, problem: HTMLElement}} problem: for what is wrong with what was typed
 */
export function fieldRow(name, label, explained, input) {
  const root = element("div", `field-row ${input.tagName.toLowerCase()}`);
  const title = element("label", "", label);
  const help = element("p", "help", explained);
  const problem = element("p", "problem");
  input.id = `setting-${name}`;
  help.id = `${input.id}-help`;
  problem.id = `${input.id}-problem`;
  input.setAttribute("aria-describedby", `${help.id} ${problem.id}`);
  title.setAttribute("for", input.id);
  root.append(title, input, help, problem);
  return { root, problem };
}

/** @returns {Values} what is kept, as far as it is what it should be: other versions may have kept other things */
function read() {
  const kept = /** @type {any} */ (recallJson(KEY));
  if (kept === null || typeof kept !== "object" || Array.isArray(kept)) return {};
  /** @type {any} */
  const values = {};
  for (const { name, min, max, step } of NUMBERS) {
    const value = kept[name];
    const isWhole = step !== 1 || Number.isInteger(value);
    if (typeof value === "number" && value >= min && value <= max && isWhole) values[name] = value;
  }
  if (kept.cache_bits === 8) values.cache_bits = 8;
  if (typeof kept.thinks === "boolean") values.thinks = kept.thinks;
  if (typeof kept.system === "string") values.system = kept.system;
  if (typeof kept.schema === "string" && kept.schema && isSchema(kept.schema)) values.schema = kept.schema;
  const isText = (/** @type {unknown} */ line) => typeof line === "string" && line !== "";
  if (Array.isArray(kept.stop) && kept.stop.length && kept.stop.every(isText)) values.stop = kept.stop;
  return values;
}

/**
 * Whether nothing is asked for, or JSON that may be a schema: what it says, the engine looks at.
 *
 * @param {string} text
 */
function isSchema(text) {
  if (!text.trim()) return true;
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === "object" && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** @param {string} text */
function listed(text) {
  const lines = text.split("\n").filter(Boolean);
  return lines.length ? lines : undefined;
}

/** Light, dark, or as the system has it; see theme.js. */
function themes() {
  const { label, choices: labels } = strings.settings.theme;
  return choices("theme", label, labels, recall("theme") ?? "system", "", (chosen) => {
    remember("theme", chosen === "system" ? null : chosen);
    dispatchEvent(new Event("theme"));
  });
}

/**
 * One of a few.
 *
 * @param {string} name
 * @param {string} label
 * @param {Record<string, string>} labels of the choices, by their values
 * @param {string} chosen
 * @param {string} explained
 * @param {(chosen: string) => void} act
 */
export function choices(name, label, labels, chosen, explained, act) {
  const root = element("fieldset", "field-row choices");
  root.append(element("legend", "", label));
  for (const [value, text] of Object.entries(labels)) {
    const choice = element("label", "choice");
    const input = /** @type {HTMLInputElement} */ (element("input", ""));
    Object.assign(input, { type: "radio", name, value, checked: value === chosen });
    input.addEventListener("change", () => act(value));
    choice.append(input, element("span", "", text));
    root.append(choice);
  }
  if (explained) {
    const help = element("p", "help", explained);
    help.id = `setting-${name}-help`;
    root.setAttribute("aria-describedby", help.id);
    root.append(help);
  }
  return root;
}
