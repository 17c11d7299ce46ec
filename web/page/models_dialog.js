/**
 * The dialog of models: which there are, which are on this device and fit it, and where else to find one. Loading itself
 * is the App's; bytes are the worker's.
 *
 * @import { App } from "./app.js"
 * @import { EngineError } from "./engine.js"
 * @import { Offer } from "./offers.js"
 * @import { ModelSource, Ready } from "../shared/protocol.js"
 */

import { cardOf } from "./card.js";
import { forgetChoice } from "./choice.js";
import { Dialog } from "./dialog.js";
import { button, element, iconButton } from "./dom.js";
import { asked, lookAtDevice, memoryOf } from "./fits.js";
import { about, bytes } from "../shared/format.js";
import { isOpen } from "./house.js";
import { icon } from "./icons.js";
import { forget, keptModels } from "../shared/kept.js";
import { offerOfFiles, offersOf, sizeAndFit } from "./offers.js";
import { placeOf } from "../shared/reference.js";
import { persistent, room } from "./storage.js";
import { strings } from "./strings.js";

const words = strings.models;

export class Models {
  #app;
  #dialog = new Dialog("models", words.title, { opened: () => this.#draw() });
  #reference = /** @type {HTMLInputElement} */ (element("input", ""));
  /** The browser's own dialog may be open over it. */
  #files = /** @type {HTMLInputElement} */ (element("input", ""));
  #found = element("section", "found");
  /** Counts searches: the last one is the one that is seen. */
  #searches = 0;
  #list = element("div", "list");
  /** The card of the model in use, open or not. @type {{ready: Ready, card: HTMLElement} | null} */
  #shown = null;
  /** Counts drawings: the last one is the one that is seen. */
  #drawing = 0;
  /** Counts what is chosen: what comes late of an earlier one is not loaded. */
  #choosing = 0;
  /** Of the model that could not be chosen, and why; at "", of what was typed or found. */
  #problem = { name: "", text: "", act: /** @type {(() => void) | null} */ (null) };
  #notice = element("div", "notice");
  #finder = this.#makeFinder();

  /** @param {App} app */
  constructor(app) {
    this.#app = app;
    Object.assign(this.#files, { type: "file", accept: ".gguf", multiple: true, hidden: true });
    this.#files.addEventListener("change", () => {
      const files = [...(this.#files.files ?? [])];
      this.#files.value = ""; // the same file can be chosen again
      if (files.length) this.chooseFiles(files);
    });
    this.#found.hidden = true;
    this.#dialog.body.append(this.#finder, this.#notice, this.#found, this.#list);
    for (const event of ["site", "ready", "model", "failed"]) app.addEventListener(event, () => this.#redraw());
  }

  open() {
    this.#problem = { name: "", text: "", act: null };
    this.#dialog.open();
  }

  /** @param {File[]} files of one model of the visitor's */
  chooseFiles(files) {
    this.choose(offerOfFiles(files));
  }

  #redraw() {
    if (this.#dialog.isOpen) this.#draw();
  }

  async #draw() {
    const drawing = ++this.#drawing;
    const [kept] = await Promise.all([keptModels(), lookAtDevice()]);
    const storage = await this.#storage();
    if (drawing !== this.#drawing) return; // a later one is under way
    const offers = offersOf(this.#app, kept);
    const isHere = (/** @type {Offer} */ offer) => Boolean(offer.kept) || this.#isCurrent(offer);
    const here = offers.filter(isHere).sort((a, b) => Number(this.#isCurrent(b)) - Number(this.#isCurrent(a)));
    const focus = this.#focused();
    this.#finder.hidden = !isOpen(this.#app.site);
    this.#list.replaceChildren(
      ...this.#group(words.onDevice, here),
      ...this.#group(
        words.toDownload,
        offers.filter((offer) => !isHere(offer)),
      ),
      storage,
    );
    this.#notice.replaceChildren(...(this.#problem.text && !this.#problem.name ? [this.#explain()] : []));
    focus();
  }

  /**
   * @param {string} title
   * @param {Offer[]} offers
   */
  #group(title, offers) {
    if (!offers.length) return [];
    const list = element("ul", "offers");
    list.append(...offers.map((offer) => this.#row(offer)));
    return [element("h3", "", title), list];
  }

  /** @returns {() => void} gives the focus back to what has it now, or to what has taken its place */
  #focused() {
    const active = document.activeElement;
    if (!this.#list.contains(active)) return () => {};
    const row = active?.closest("li");
    const index = [...(row?.querySelectorAll("button") ?? [])].findIndex((other) => other === active);
    return () => {
      if (active?.isConnected) return /** @type {HTMLElement} */ (active).focus();
      const now = row && this.#list.querySelector(`li[data-name="${CSS.escape(row.dataset.name ?? "")}"]`);
      const buttons = now ? [...now.querySelectorAll("button")] : [];
      (buttons[index] ?? buttons.at(-1) ?? this.#reference).focus();
    };
  }

  /** @param {Offer} offer */
  #isCurrent({ url }) {
    return url !== undefined && this.#app.model?.url === url;
  }

  /** @param {Offer} offer */
  #row(offer) {
    const { name, purpose, licence, kept, bytes: size = 0 } = offer;
    const row = element("li", "offer");
    row.dataset.name = name;
    const ready = this.#isCurrent(offer) ? this.#app.ready : null;
    const memory = memoryOf(offer);
    const [bytesCell, fit] = sizeAndFit(offer);
    const need = () => (fit.dataset.level === "fits" ? words.memory(about(memory)) : fit.title);
    const facts = [licence, ready ? words.uses(bytes(ready.gpu_bytes)) : memory && need()];
    if (kept && !kept.whole) facts.push(words.partly(kept.bytes, size));
    const text = element("div", "about");
    text.append(element("p", "name", name));
    if (purpose) text.append(element("p", "purpose", purpose));
    text.append(element("p", "facts", facts.filter(Boolean).join(" · ")));
    const acts = element("div", "acts");
    if (kept) acts.append(iconButton("delete", words.removeNamed(name), () => this.#remove(offer)));
    if (this.#isCurrent(offer)) {
      row.classList.add("current");
      fit.replaceChildren(icon("done"), words.inUse);
      fit.dataset.level = "current";
      fit.title = "";
    } else if (!offer.helps) {
      const verb = kept?.whole ? words.use : kept ? words.resume : words.download;
      acts.append(
        labelled(
          `${verb}: ${name}`,
          button("quiet", verb, () => this.choose(offer)),
        ),
      );
    }
    row.append(text, bytesCell, fit, acts);
    if (ready) acts.append(this.#details(row, ready));
    if (this.#problem.name === name) row.append(this.#explain());
    return row;
  }

  /** A field for a name, an address or words to search for; and files. */
  #makeFinder() {
    const form = element("form", "finder");
    const label = element("label", "", words.find);
    const input = this.#reference;
    Object.assign(input, {
      id: "model-reference",
      placeholder: words.findHint,
      spellcheck: false,
      autocomplete: "off",
    });
    label.setAttribute("for", input.id);
    const line = element("div", "entry");
    const field = element("div", "field");
    field.append(icon("search"), input);
    const act = element("button", "quiet", words.search);
    input.addEventListener("input", () => (act.textContent = isReference(input.value) ? words.load : words.search));
    line.append(
      field,
      act,
      button("quiet", words.file, () => this.#files.click()),
      this.#files,
    );
    form.append(label, line, element("p", "hint", words.explained));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = input.value.trim();
      if (isReference(text)) this.choose({ name: "", source: () => this.#app.workingEngine.resolve(text) });
      else if (text) this.#search(text);
    });
    return form;
  }

  /** @param {string} query */
  async #search(query) {
    const search = ++this.#searches;
    const { searchHub } = await import("./hub_search.js");
    const close = () => {
      this.#searches++;
      this.#found.hidden = true;
      this.#reference.focus();
    };
    this.#notice.replaceChildren();
    this.#found.hidden = false;
    await searchHub(this.#app, query, {
      ...{ close, choose: (offer) => this.choose(offer) },
      show: (...parts) => search === this.#searches && this.#found.replaceChildren(...parts),
    });
  }

  #explain() {
    const { text, act } = this.#problem;
    const line = element("p", "why", text);
    line.setAttribute("role", "alert");
    if (act) line.append(" ", button("link", words.anyway, act));
    return line;
  }

  /**
   * The button that unfolds the card of the model in use in its row.
   *
   * @param {HTMLElement} row
   * @param {Ready} ready
   */
  #details(row, ready) {
    const before = this.#shown;
    if (before?.ready !== ready) this.#shown = { ready, card: element("div", "card") };
    const { card } = /** @type {{card: HTMLElement}} */ (this.#shown);
    const made = button("quiet details", words.details, () => show(card.hidden));
    made.setAttribute("aria-label", words.card(this.#app.model?.name ?? ""));
    made.append(icon("down"));
    const show = (/** @type {boolean} */ open) => {
      card.hidden = !open;
      made.setAttribute("aria-expanded", String(open));
      const { engine } = this.#app;
      if (open && engine && !card.childElementCount)
        engine.card().then(
          (facts) => card.replaceChildren(cardOf(ready, facts)),
          () => {},
        );
    };
    show(before !== null && !before.card.hidden); // as that of the model before
    row.append(card);
    return made;
  }

  /** What is used of the place that the browser gives, and the way to what takes it. */
  async #storage() {
    const line = element("p", "storage");
    const { usage, quota } = await room();
    if (quota) line.append(words.storage(bytes(usage), bytes(quota)), " ");
    line.append(button("link", words.storageButton, () => this.#app.dispatchEvent(new Event("storage"))));
    return line;
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
  async choose(offer, anyway = false) {
    const choice = ++this.#choosing;
    try {
      const source = await offer.source();
      const size = totalBytes(source) ?? offer.bytes ?? 0;
      const wanted = { ...offer, bytes: size, memory: memoryOf({ ...offer, bytes: size }) };
      const problem = anyway || !size ? "" : await this.#misfit(wanted);
      if (choice !== this.#choosing) return; // another was chosen meanwhile, or none
      if (problem)
        return this.#refuse(offer, problem, () => this.choose({ ...offer, source: async () => source }, true));
      if (!source.file) persistent(true); // where that takes a question, it is asked now
      this.#dialog.close();
      this.#reference.value = "";
      this.#app.load(source);
    } catch (error) {
      if (choice === this.#choosing) this.#refuse(offer, /** @type {EngineError} */ (error).message, null);
    }
  }

  /**
   * @param {Offer & {bytes: number, memory: number}} offer
   * @returns {Promise<string>} why it does not fit this device, or nothing
   */
  async #misfit({ memory, bytes: size, kept }) {
    const { workingEngine, ready } = this.#app;
    const needed = memory - (ready?.gpu_bytes ?? 0);
    if (needed > 0) {
      const enough = await workingEngine.hasRoom(needed);
      asked(memory, enough);
      if (!enough) return words.noMemory(about(memory));
    }
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
    const isListed = [...this.#list.querySelectorAll("li")].some(({ dataset }) => dataset.name === name);
    this.#problem = { name: isListed ? name : "", text, act };
    if (!this.#dialog.isOpen) this.#dialog.open();
    else this.#draw();
    if (!isListed) this.#notice.scrollIntoView({ block: "nearest" });
  }
}

/** Whether it names a model; else it is words to search for. @param {string} text */
const isReference = (text) => placeOf(text.trim()) !== null || /^\s*(https?:\/|\.{0,2}\/)/i.test(text);

/** @param {ModelSource} source */
function totalBytes({ bytes, file, rest = [] }) {
  const sizes = [file?.size ?? bytes, ...rest.map((part) => part.file?.size ?? part.bytes)];
  return sizes.every(Boolean) ? sizes.reduce((sum, size) => /** @type {number} */ (sum) + (size ?? 0), 0) : undefined;
}

/**
 * @param {string} label says what a button's word alone does not
 * @param {HTMLElement} made
 */
function labelled(label, made) {
  made.setAttribute("aria-label", label);
  return made;
}
