/**
 * Assistants and saved prompts: the page's own, and what the visitor has made of them. An assistant is settings that a
 * conversation begins with. Dispatches "change", and "open" when somebody wants to change saved prompts.
 *
 * @import { OwnValues } from "./settings_values.js"
 *
 * @typedef {object} Assistant
 * @property {string} id
 * @property {string} name
 * @property {string} mark one character that stands for it, or nothing
 * @property {Omit<OwnValues, "assistant">} settings
 * @property {{name: string, url: string}} [model] that it is meant for
 *
 * @typedef {object} Prompt
 * @property {string} id
 * @property {string} name
 * @property {string} text with {{places}} to fill in
 *
 * @typedef {object} Kept
 * @property {Assistant[]} assistants
 * @property {Prompt[]} prompts
 * @property {string[]} gone of the page's own, those that the visitor has deleted
 *
 * @typedef {"assistants" | "prompts"} Kind
 */

import { newId } from "./conversation.js";
import { PRESETS } from "./presets.js";
import { recall, recallJson, remember, whenChanged } from "./remembered.js";
import { faceOf, ownValuesOf } from "./settings_values.js";
import { strings } from "./strings.js";

const KEY = "library";
const FORMAT = "py_wgml assistants";
const VERSION = 1;
/** How the page's own assistants answer. */
const STYLES = /** @type {const} */ ({
  writer: "creative",
  translator: "precise",
  coder: "precise",
  tutor: "balanced",
});

/** @type {Assistant[]} */
const OWN_ASSISTANTS = Object.entries(strings.library.assistants).map(([id, { name, system }]) => {
  return { id, name, mark: "", settings: { system, ...PRESETS[STYLES[/** @type {keyof typeof STYLES} */ (id)]] } };
});
/** @type {Prompt[]} */
const OWN_PROMPTS = Object.entries(strings.library.prompts).map(([id, prompt]) => ({ id, ...prompt }));

class Library extends EventTarget {
  #kept = read(recallJson(KEY));

  constructor() {
    super();
    whenChanged(KEY, () => {
      this.#kept = read(recallJson(KEY));
      this.dispatchEvent(new Event("change"));
    });
  }

  get assistants() {
    return this.#all("assistants", OWN_ASSISTANTS);
  }

  get prompts() {
    return this.#all("prompts", OWN_PROMPTS);
  }

  /**
   * The page's own in their order, changed as the visitor has changed them, and then the visitor's.
   *
   * @template {Assistant | Prompt} T
   * @param {Kind} kind
   * @param {T[]} own
   * @returns {T[]}
   */
  #all(kind, own) {
    const kept = /** @type {T[]} */ (/** @type {unknown} */ (this.#kept[kind]));
    const there = own.filter(({ id }) => !this.#kept.gone.includes(id));
    const changed = there.map((item) => kept.find(({ id }) => id === item.id) ?? item);
    return [...changed, ...kept.filter(({ id }) => !own.some((item) => item.id === id))];
  }

  /**
   * @param {Kind} kind
   * @param {(Omit<Assistant, "id"> | Omit<Prompt, "id">) & {id?: string}} item a new one, or another version of one
   * @returns {boolean} whether it will be there after the page is closed
   */
  save(kind, item) {
    const saved = /** @type {any} */ ({ ...item, id: item.id ?? newId() });
    const at = this.#kept[kind].findIndex(({ id }) => id === saved.id);
    const all = at < 0 ? [...this.#kept[kind], saved] : this.#kept[kind].with(at, saved);
    return this.#change({ [kind]: all });
  }

  /** @param {Kind} kind @param {string} removed @returns {() => void} brings it back */
  remove(kind, removed) {
    const before = this.#kept[kind];
    const item = before.find(({ id }) => id === removed);
    const isOwn = [...OWN_ASSISTANTS, ...OWN_PROMPTS].some(({ id }) => id === removed);
    this.#change({
      [kind]: before.filter(({ id }) => id !== removed),
      gone: isOwn ? [...this.#kept.gone, removed] : this.#kept.gone,
    });
    return () => {
      this.#change({
        [kind]: item ? [...this.#kept[kind], item] : this.#kept[kind],
        gone: this.#kept.gone.filter((id) => id !== removed),
      });
    };
  }

  /** @param {Partial<Kept>} change */
  #change(change) {
    this.#kept = { ...this.#kept, ...change };
    const text = JSON.stringify(this.#kept);
    remember(KEY, text);
    this.dispatchEvent(new Event("change"));
    return recall(KEY) === text;
  }

  /** @returns {string} all that there is, as a file */
  toJson() {
    const { assistants, prompts } = this;
    return `${JSON.stringify({ format: FORMAT, version: VERSION, assistants, prompts }, null, 1)}\n`;
  }

  /**
   * What there is already is not taken twice.
   *
   * @param {string} text of a file
   * @returns {{count: number, kept: boolean}} how many are new, and whether they will be there after the page is closed
   * @throws {SyntaxError | TypeError} it is none that toJson has made
   */
  add(text) {
    const file = JSON.parse(text);
    if (file?.format !== FORMAT || file.version !== VERSION) throw new TypeError(FORMAT);
    const { assistants, prompts } = read(file);
    const there = read(this); // its members in the same order
    const content = (/** @type {Assistant | Prompt} */ { id: _, ...rest }) => JSON.stringify(rest);
    const fresh = (/** @type {Assistant[] | Prompt[]} */ given, /** @type {Assistant[] | Prompt[]} */ before) => {
      const known = new Set(before.map(content));
      return given.filter((item) => !known.has(content(item))).map((item) => ({ ...item, id: newId() }));
    };
    const [newAssistants, newPrompts] = [fresh(assistants, there.assistants), fresh(prompts, there.prompts)];
    const kept = this.#change({
      assistants: [...this.#kept.assistants, .../** @type {Assistant[]} */ (newAssistants)],
      prompts: [...this.#kept.prompts, .../** @type {Prompt[]} */ (newPrompts)],
    });
    return { count: newAssistants.length + newPrompts.length, kept };
  }
}

/** @param {any} data of unknown making @returns {Kept} what of it is what it should be */
function read(data) {
  const list = (/** @type {unknown} */ items) => (Array.isArray(items) ? items.map(Object) : []);
  const isText = (/** @type {unknown} */ text) => typeof text === "string" && text !== "";
  const assistants = list(data?.assistants).flatMap(({ id, name, mark, settings, model }) => {
    const face = faceOf({ name, mark });
    const { assistant: _, ...own } = ownValuesOf(settings) ?? {};
    const isModel = isText(model?.name) && isText(model?.url);
    return face
      ? [{ id: String(id), ...face, settings: own, ...(isModel && { model: { name: model.name, url: model.url } }) }]
      : [];
  });
  const prompts = list(data?.prompts).flatMap(({ id, name, text }) => {
    const face = faceOf({ name });
    return face && isText(text) ? [{ id: String(id), name: face.name, text }] : [];
  });
  return { assistants, prompts, gone: list(data?.gone).map(String) };
}

export const library = new Library();
