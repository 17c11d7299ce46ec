/**
 * The dialog of models: which there are, which are on this device, what another one takes, and the card of the one in
 * use. Loading itself is the App's; bytes are the worker's.
 *
 * @import { App } from "./app.js"
 * @import { EngineError } from "./engine.js"
 * @import { KeptModel } from "../shared/kept.js"
 * @import { ModelSource, Ready } from "../shared/protocol.js"
 *
 * @typedef {object} Offer a model that can be chosen
 * @property {string} name
 * @property {string} [url] by which its copy on this device is known
 * @property {() => Promise<ModelSource>} source rejected with an EngineError when it can't be had
 * @property {number} [bytes]
 * @property {number} [memory] that it takes on the GPU
 * @property {string} [licence]
 * @property {KeptModel} [kept]
 */

import { cardOf } from "./card.js";
import { forgetChoice, rememberChoice, siteModels } from "./choice.js";
import { Dialog } from "./dialog.js";
import { button, byId, element } from "./dom.js";
import { about, bytes } from "../shared/format.js";
import { forget, keptModels } from "../shared/kept.js";
import { persistent, room } from "./storage.js";
import { addressOf, nameOf, split } from "../shared/reference.js";
import { strings } from "./strings.js";
import { suggested } from "./suggested.js";

const words = strings.models;

/** @param {App} app */
export function mount(app) {
  const models = new Models(app);
  byId("model-button").addEventListener("click", () => models.open());
  byId("problem").querySelector(".choices")?.append(button("quiet", words.chooseOther, () => models.open()));
  document.addEventListener("drop", (event) => models.drop(event), { capture: true });
}

class Models {
  #app;
  #dialog = new Dialog("models", words.title, { opened: () => this.#draw() });
  /** Outlives the redrawing of what is around it, with what has been typed. */
  #reference = /** @type {HTMLInputElement} */ (element("input", ""));
  /** So does this: the browser's own dialog may be open over it. */
  #files = /** @type {HTMLInputElement} */ (element("input", ""));
  /** And the card of the model in use, open or not. @type {{ready: Ready, card: HTMLDetailsElement} | null} */
  #shown = null;
  /** Counts drawings: the last one is the one that is seen. */
  #drawing = 0;
  /** Of the model that could not be chosen, and why; at "", of what was typed. */
  #problem = { name: "", text: "", act: /** @type {(() => void) | null} */ (null) };

  /** @param {App} app */
  constructor(app) {
    this.#app = app;
    Object.assign(this.#files, { type: "file", accept: ".gguf", multiple: true, hidden: true });
    this.#files.addEventListener("change", () => {
      const files = [...(this.#files.files ?? [])];
      this.#files.value = ""; // the same file can be chosen again
      if (files.length) this.#choose(offerOfFiles(files));
    });
    app.addEventListener("ready", () => this.#loaded());
    app.addEventListener("model", () => this.#redraw());
    app.addEventListener("failed", () => this.#redraw());
  }

  open() {
    this.#problem = { name: "", text: "", act: null };
    this.#dialog.open();
  }

  /** Files of models dropped anywhere on the page; others are not ours. @param {DragEvent} event */
  drop(event) {
    const files = [...(event.dataTransfer?.files ?? [])];
    if (!files.length || !files.every(({ name }) => name.toLowerCase().endsWith(".gguf"))) return;
    event.preventDefault();
    this.#choose(offerOfFiles(files));
  }

  #loaded() {
    const { model, ready } = this.#app;
    if (model) rememberChoice(model);
    if (model && ready && !ready.kept) this.#app.toast(words.notKept(model.name));
    this.#redraw();
  }

  #redraw() {
    if (this.#dialog.isOpen) this.#draw();
  }

  async #draw() {
    const drawing = ++this.#drawing;
    const offers = this.#offers(await keptModels());
    const list = element("ul", "offers");
    for (const offer of offers) list.append(this.#row(offer));
    const current = this.#app.ready ? [this.#card(this.#app.ready)] : [];
    const storage = await this.#storage();
    if (drawing !== this.#drawing) return; // a later one is under way
    const focus = this.#focused();
    this.#dialog.body.replaceChildren(...current, list, this.#other(), storage);
    focus();
  }

  /** @returns {() => void} gives the focus back to what has it now, or to what has taken its place */
  #focused() {
    const active = document.activeElement;
    if (!this.#dialog.body.contains(active)) return () => {};
    const row = active?.closest("li");
    const index = [...(row?.querySelectorAll("button") ?? [])].findIndex((other) => other === active);
    return () => {
      if (active?.isConnected) return /** @type {HTMLElement} */ (active).focus();
      const now = row && this.#dialog.body.querySelector(`li[data-name="${CSS.escape(row.dataset.name ?? "")}"]`);
      const buttons = now ? [...now.querySelectorAll("button")] : [];
      (buttons[index] ?? buttons.at(-1) ?? this.#reference).focus();
    };
  }

  /**
   * The site's own, those suggested, and what else is kept on this device.
   *
   * @param {KeptModel[]} kept
   * @returns {Offer[]}
   */
  #offers(kept) {
    const { site } = this.#app;
    /** @type {Offer[]} */
    const own = (site ? siteModels(site) : []).map((model, index) => ({
      ...{ ...model, licence: site?.models[index].license },
      source: async () => model,
    }));
    /** @type {Offer[]} */
    const hub = suggested.map(({ reference, ...about }) => ({
      ...{ ...about, url: addressOf(reference) ?? undefined },
      source: () => this.#app.workingEngine.resolve(reference),
    }));
    /** @type {Offer[]} */
    const others = [];
    for (const model of kept) {
      const known = [...own, ...hub].find(({ url }) => url === model.url);
      if (known) known.kept = model;
      else others.push({ ...model, kept: model, source: async () => keptSource(model) });
      // A whole copy needs no question to the hub, and so no network.
      if (known && model.whole && hub.includes(known)) known.source = async () => keptSource(model);
    }
    return [...own, ...hub, ...others];
  }

  /** @param {Offer} offer */
  #row(offer) {
    const { name, bytes: size, memory, licence, kept, url } = offer;
    const row = element("li", "offer");
    row.dataset.name = name;
    const isCurrent = this.#app.model?.url !== undefined && this.#app.model.url === url;
    const facts = [size && bytes(size), licence, (memory || size) && words.memory(about(memory ?? needed(size ?? 0)))];
    if (isCurrent && this.#app.ready) facts.push(words.inUse);
    else if (kept) facts.push(kept.whole ? words.kept : words.partly(bytes(kept.bytes)));
    const text = element("div", "about");
    text.append(element("p", "name", name), element("p", "facts", facts.filter(Boolean).join(" · ")));
    const acts = element("div", "acts");
    if (kept) acts.append(labelled(words.removeNamed(name), button("quiet", words.remove, () => this.#remove(offer))));
    if (!isCurrent) {
      const verb = kept?.whole ? words.use : kept ? words.resume : words.download;
      acts.append(labelled(`${verb}: ${name}`, button("quiet", verb, () => this.#choose(offer))));
    }
    row.append(text, acts);
    if (this.#problem.name === name) row.append(this.#explain());
    return row;
  }

  /** An address, a place on the hub, or files. */
  #other() {
    const form = element("form", "other");
    const label = element("label", "", words.other);
    const input = this.#reference;
    Object.assign(input, { id: "model-reference", placeholder: words.hint, spellcheck: false, autocomplete: "off" });
    label.setAttribute("for", input.id);
    const line = element("div", "entry");
    const field = element("div", "field");
    field.append(input);
    const load = element("button", "quiet", words.load);
    line.append(field, load, button("quiet", words.file, () => this.#files.click()), this.#files);
    form.append(label, line, element("p", "hint", words.explained));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const reference = input.value.trim();
      if (reference) this.#choose({ name: "", source: () => this.#app.workingEngine.resolve(reference) });
    });
    if (this.#problem.text && !this.#problem.name) form.append(this.#explain());
    return form;
  }

  #explain() {
    const { text, act } = this.#problem;
    const line = element("p", "why", text);
    line.setAttribute("role", "alert");
    if (act) line.append(" ", button("link", words.anyway, act));
    return line;
  }

  /** @param {Ready} ready */
  #card(ready) {
    if (this.#shown?.ready === ready) return this.#shown.card;
    const card = /** @type {HTMLDetailsElement} */ (element("details", "card"));
    card.append(element("summary", "", words.card(this.#app.model?.name ?? "")));
    card.addEventListener("toggle", async () => {
      const { engine } = this.#app;
      if (card.open && engine && card.childElementCount === 1) card.append(cardOf(ready, await engine.card()));
    });
    card.open = this.#shown?.card.open ?? false; // as that of the model before
    this.#shown = { ready, card };
    return card;
  }

  /** What is used of the place that the browser gives, and whether it may take it back. */
  async #storage() {
    const line = element("p", "storage");
    const { usage, quota } = await room();
    if (quota) line.append(words.storage(bytes(usage), bytes(quota)), " ");
    if (await persistent()) line.append(words.persistent);
    else if (quota) line.append(words.temporary, " ", button("link", words.persist, () => this.#persist()));
    return line;
  }

  async #persist() {
    if (!(await persistent(true))) this.#app.toast(words.notPersistent);
    this.#redraw();
  }

  /** @param {Offer} offer */
  async #remove({ url = "", name }) {
    if (!(await forget(url))) this.#app.toast(words.busy(name));
    else if (this.#app.model?.url === url) forgetChoice();
    this.#draw();
  }

  /**
   * Load a model, after a look at whether this device can take it.
   *
   * @param {Offer} offer
   */
  async #choose(offer, anyway = false) {
    try {
      const source = await offer.source();
      const size = totalBytes(source) ?? offer.bytes ?? 0;
      const wanted = { ...offer, bytes: size, memory: offer.memory ?? needed(size) };
      const problem = anyway || !size ? "" : await this.#misfit(wanted);
      if (problem) return this.#refuse(offer, problem, () => this.#choose({ ...offer, source: async () => source }, true));
      if (!source.file) persistent(true); // where that takes a question, it is asked now
      this.#dialog.close();
      this.#reference.value = "";
      this.#app.load(source);
    } catch (error) {
      this.#refuse(offer, /** @type {EngineError} */ (error).message, null);
    }
  }

  /**
   * @param {Offer & {bytes: number, memory: number}} offer
   * @returns {Promise<string>} why it does not fit this device, or nothing
   */
  async #misfit({ memory, bytes: size, kept }) {
    const { workingEngine, ready } = this.#app;
    const needed = memory - (ready?.gpu_bytes ?? 0);
    if (needed > 0 && !(await workingEngine.hasRoom(needed))) return words.noMemory(about(memory));
    const { usage, quota } = await room();
    const left = size - (kept?.bytes ?? 0);
    return quota && left > quota - usage ? words.noStorage(bytes(left), bytes(quota - usage)) : "";
  }

  /**
   * @param {Offer} offer
   * @param {string} text
   * @param {(() => void) | null} act load it all the same
   */
  #refuse({ name }, text, act) {
    this.#problem = { name, text, act };
    if (!this.#dialog.isOpen) this.#dialog.open();
    else this.#draw();
  }
}

/** What a model of so many bytes takes on the GPU, where nothing better is known: a tenth more, and what is always there. */
const needed = (/** @type {number} */ size) => 1.1 * size + 1e8;

/** @param {ModelSource} source */
function totalBytes({ bytes, file, rest = [] }) {
  const sizes = [file?.size ?? bytes, ...rest.map((part) => part.file?.size ?? part.bytes)];
  return sizes.every(Boolean) ? sizes.reduce((sum, size) => /** @type {number} */ (sum) + (size ?? 0), 0) : undefined;
}

/**
 * @param {File[]} files all those of one model
 * @returns {Offer}
 */
function offerOfFiles(files) {
  const [first, ...rest] = files
    .toSorted((a, b) => a.name.localeCompare(b.name))
    .map((file) => ({ name: nameOf(file.name), file }));
  return { name: "", source: async () => (rest.length ? { ...first, rest } : first) };
}

/** @param {KeptModel} model @returns {ModelSource} */
function keptSource({ name, url }) {
  const rest = split(url).slice(1);
  return { name, url, ...(rest.length && { rest: rest.map((part) => ({ name, url: part, model: url })) }) };
}

/**
 * @param {string} label says what a button's word alone does not
 * @param {HTMLElement} made
 */
function labelled(label, made) {
  made.setAttribute("aria-label", label);
  return made;
}
