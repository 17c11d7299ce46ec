/**
 * Two answers to one question, side by side: the one that is there, and another by another model or with other settings.
 * One after the other, for there is one graphics processor. Either can be the answer of the conversation then; the other
 * stays beside it, as another version. Loaded when it is first opened.
 *
 * @import { App } from "./app.js"
 * @import { Message } from "./conversation.js"
 * @import { ModelSource, Progress } from "../shared/protocol.js"
 * @import { Preset } from "./presets.js"
 * @import { OwnValues } from "./settings_values.js"
 *
 * @typedef {{name: string, source: () => Promise<ModelSource>}} Choice of a model
 * @typedef {{name: string, settings?: OwnValues}} Manner of answering
 */

import { ask } from "./asking.js";
import { siteModels } from "./choice.js";
import { figuresOf } from "./conversation.js";
import { Dialog } from "./dialog.js";
import { button, element, styleSheet } from "./dom.js";
import { select } from "./fields.js";
import { keptModels } from "../shared/kept.js";
import { library } from "./library.js";
import { offersOf } from "./offers.js";
import { Pace } from "./pace.js";
import { PRESET_NAMES, PRESETS } from "./presets.js";
import { TextRenderer } from "./render.js";
import { strings } from "./strings.js";

const words = strings.compare;

const styled = styleSheet("compare.css");
const dialog = new Dialog("compare", words.title, { closed: () => shown?.closed() });
/** @type {Comparison | null} */
let shown = null;

/**
 * @param {App} app
 * @param {Message} message an answer
 */
export async function open(app, message) {
  if (app.isOccupied) return;
  if (!app.ready || !app.model) return app.toast(strings.inside.notReady);
  shown = new Comparison(app, app.model, message);
  dialog.body.replaceChildren(shown.root);
  await Promise.all([styled, shown.offer()]);
  dialog.open();
  shown.focus();
}

class Comparison {
  root = element("div", "comparison");
  #app;
  #conversation;
  /** In use when this was opened: it is loaded again when its answer is kept. */
  #before;
  #first;
  /** @type {Message | null} */
  #second = null;
  #model = select(words.model);
  #manner = select(words.settings);
  /** @type {Choice[]} */
  #choices = [];
  /** @type {Manner[]} */
  #manners = [];
  #run = button("main", words.run, () => this.#answer());
  #stop = button("quiet", words.stop, () => this.#end());
  #left;
  #right = new Column();
  /** Ends what goes on. */
  #end = () => {};
  #isBusy = false;
  /** The model of the second answer is to stay. */
  #stays = false;

  /**
   * @param {App} app
   * @param {ModelSource} model in use
   * @param {Message} message
   */
  constructor(app, model, message) {
    this.#app = app;
    this.#before = model;
    this.#conversation = app.conversation;
    this.#first = message;
    const asked = element("p", "asked", this.#question());
    asked.dir = "auto";
    const form = element("div", "with");
    form.append(this.#model.root, this.#manner.root, this.#run, this.#stop);
    this.#left = new Column(() => this.#keep(message));
    this.#left.show(message.model ?? strings.assistant, message);
    const columns = element("div", "columns");
    columns.append(this.#left.root, this.#right.root);
    this.root.append(asked, form, columns);
    this.#showState();
  }

  /** @returns {string} what both answer */
  #question() {
    for (let at = this.#conversation.find(this.#first.parent); at; at = this.#conversation.find(at.parent))
      if (at.role === "user") return at.content.trim();
    return "";
  }

  /** Fill in what can be chosen: what is on this device, and needs no download. */
  async offer() {
    const own = new Set(this.#app.site ? siteModels(this.#app.site).map(({ url }) => url) : []);
    const there = offersOf(this.#app, await keptModels()).filter(({ kept, url }) => kept?.whole || own.has(url));
    const others = there.filter(({ url, name }) => (url ? url !== this.#before.url : name !== this.#before.name));
    this.#choices = [{ name: this.#before.name, source: async () => this.#before }, ...others];
    this.#model.field.replaceChildren(...this.#choices.map(({ name }, index) => new Option(name, String(index))));
    this.#model.field.value = this.#choices.length > 1 ? "1" : "0";
    this.#offerManners();
  }

  /** As the conversation is set, in one of the styles, as one of the assistants. */
  #offerManners() {
    const { settings } = this.#app;
    const { label, labels } = strings.settings.presets;
    const own = this.#conversation.record.settings;
    const styles = /** @type {Preset[]} */ (Object.keys(PRESETS)).map((preset) => {
      // What a style leaves out is the model's default, whatever is set.
      const numbers = PRESET_NAMES.map((name) => [name, PRESETS[preset][name] ?? null]);
      return { name: labels[preset], settings: { ...own, ...Object.fromEntries(numbers) } };
    });
    const assistants = settings.isFixed("system") ? [] : library.assistants;
    this.#manners = [{ name: "", settings: own }, ...styles, ...assistants];
    const options = this.#manners.map(({ name }, index) => new Option(name || words.asSet, String(index)));
    const [asSet, ...others] = options;
    const groups = [
      grouped(label, others.slice(0, styles.length)),
      grouped(strings.library.assistantsTitle, others.slice(styles.length)),
    ];
    this.#manner.field.replaceChildren(asSet, ...groups.filter(({ children }) => children.length));
  }

  focus() {
    this.#model.field.focus();
  }

  #showState() {
    this.#run.disabled = this.#model.field.disabled = this.#manner.field.disabled = this.#isBusy;
    this.#stop.hidden = !this.#isBusy;
    for (const column of [this.#left, this.#right]) column.busy = this.#isBusy;
  }

  /** Let the second one answer. */
  async #answer() {
    const app = this.#app;
    if (app.isOccupied) return;
    const choice = this.#choices[Number(this.#model.field.value)];
    const manner = this.#manners[Number(this.#manner.field.value)];
    const name = [choice.name, manner.name].filter(Boolean).join(" · ");
    this.#isBusy = true;
    this.#right.begin(name);
    this.#showState();
    this.#stop.focus();
    try {
      await this.#use(await choice.source());
      await this.#generate(name, manner);
    } catch (error) {
      this.#right.fail(/** @type {Error} */ (error).message);
    }
    this.#isBusy = false;
    this.#end = () => {};
    this.#showState();
    if (dialog.isOpen) this.#run.focus();
  }

  /** @param {ModelSource} model @throws {Error} it could not be loaded */
  async #use(model) {
    const app = this.#app;
    if (app.ready && isSame(app.model, model)) return;
    this.#end = () => app.engine?.cancel();
    const over = new AbortController();
    const { signal } = over;
    const loaded = new Promise((resolve, reject) => {
      const refuse = () => reject(new Error(words.notLoaded(model.name)));
      app.addEventListener("ready", () => (isSame(app.model, model) ? resolve(null) : refuse()), { signal });
      app.addEventListener("failed", refuse, { signal });
      app.addEventListener(
        "progress",
        (event) => {
          this.#right.loading(/** @type {CustomEvent<Progress>} */ (event).detail);
        },
        { signal },
      );
    });
    try {
      await Promise.all([loaded, app.load(model)]);
    } finally {
      over.abort();
    }
  }

  /**
   * @param {string} name
   * @param {Manner} manner
   */
  async #generate(name, manner) {
    const app = this.#app;
    const { record } = this.#conversation;
    const { leaf } = record;
    const message = this.#conversation.add({
      parent: this.#first.parent,
      role: "assistant",
      content: "",
      model: app.model?.name,
    });
    record.leaf = leaf; // which is in view until another is chosen
    let problem = "";
    await app.occupy({ conversation: this.#conversation, message }, async (signal) => {
      try {
        await this.#stream(message, manner, signal);
      } catch (error) {
        problem = /** @type {Error} */ (error).message;
      }
    });
    if (!message.content && !message.reasoning && !message.calls) {
      this.#conversation.remove(message);
      record.leaf = leaf;
    } else {
      this.#second = message;
      this.#right.show(name, message, () => this.#keep(message));
    }
    app.changed(this.#conversation);
    if (problem) this.#right.fail(problem);
  }

  /**
   * @param {Message} message
   * @param {Manner} manner
   * @param {AbortSignal} signal
   */
  async #stream(message, { settings }, signal) {
    const conversation = this.#conversation;
    const over = new AbortController();
    this.#end = () => over.abort();
    signal.addEventListener("abort", this.#end);
    const tell = (/** @type {string} */ state) => this.#right.tell(state);
    const turn = { conversation, message, anew: true };
    const answer = await ask(this.#app, turn, over.signal, tell, { record: { settings } });
    const pace = new Pace();
    for await (const part of answer) {
      pace.take(part);
      conversation.take(message, part, pace.thought);
      this.#right.stream(message, part.recast);
    }
    message.figures = figuresOf(/** @type {import("../shared/protocol.js").Done} */ (answer.done));
  }

  /** Make it the conversation's answer. @param {Message} message */
  #keep(message) {
    this.#stays = message === this.#second;
    this.#conversation.bring(message.id);
    this.#app.changed(this.#conversation);
    dialog.close();
  }

  /** The dialog is. What goes on ends; and the model from before comes back, unless the other's answer was kept. */
  closed() {
    const app = this.#app;
    if (this.#isBusy) this.#end();
    if (!this.#stays && app.model && !isSame(app.model, this.#before)) app.load(this.#before);
  }
}

/** One answer. */
class Column {
  root = element("section", "column");
  #heading = element("h3", "", words.second);
  #text = element("div", "text");
  #status = element("p", "status");
  #figures = element("p", "figures");
  #bar = /** @type {HTMLProgressElement} */ (element("progress", ""));
  #renderer = new TextRenderer(this.#text);
  #shown = 0;
  #act = () => {};
  #use = button("quiet", words.use, () => this.#act());

  /** @param {() => void} [keep] */
  constructor(keep) {
    if (keep) this.#act = keep;
    this.#text.dir = "auto";
    this.#status.setAttribute("role", "status");
    this.#bar.hidden = this.#use.hidden = true;
    if (!keep) this.#status.textContent = words.lead;
    this.root.append(this.#heading, this.#bar, this.#status, this.#text, this.#figures, this.#use);
  }

  /** @param {boolean} busy */
  set busy(busy) {
    this.#use.disabled = busy;
  }

  /** Another one begins. @param {string} name */
  begin(name) {
    this.#heading.textContent = name;
    this.#clear();
    this.#figures.textContent = "";
    this.#use.hidden = true;
    this.root.classList.remove("failed");
    this.#status.textContent = words.waiting;
  }

  #clear() {
    this.#text.replaceChildren();
    this.#renderer = new TextRenderer(this.#text);
    this.#shown = 0;
  }

  /** @param {string} state of what goes on before there is text */
  tell(state) {
    this.#bar.hidden = true;
    this.#status.textContent = state;
  }

  /** @param {Progress} progress */
  loading({ stage, loaded, total }) {
    this.#bar.hidden = false;
    this.#bar.setAttribute("aria-label", strings.stages[stage]);
    this.#status.textContent = strings.stages[stage];
    if (total) this.#bar.value = loaded / total;
    else this.#bar.removeAttribute("value");
  }

  /**
   * @param {Message} message as far as it has come
   * @param {boolean} isAnew what was text is none
   */
  stream({ content, reasoning }, isAnew) {
    this.#bar.hidden = true;
    if (isAnew) this.#clear();
    this.#status.textContent = content || !reasoning ? "" : strings.message.thinking(0);
    this.#renderer.append(content.slice(this.#shown));
    this.#shown = content.length;
  }

  /**
   * @param {string} name
   * @param {Message} message
   * @param {() => void} [keep]
   */
  show(name, message, keep) {
    if (keep) this.#act = keep;
    this.#heading.textContent = name;
    this.stream(message, false);
    this.#status.textContent = message.content ? "" : strings.unanswered;
    const { figures } = message;
    this.#figures.textContent = figures
      ? [strings.stats(figures), strings.reasons[figures.reason]].filter(Boolean).join(" · ")
      : "";
    this.#use.hidden = false;
  }

  /** @param {string} text one line */
  fail(text) {
    this.#bar.hidden = true;
    this.root.classList.add("failed");
    this.#status.textContent = text;
  }
}

/**
 * @param {ModelSource | null} one
 * @param {ModelSource} other
 */
function isSame(one, other) {
  return one === other || (one?.url !== undefined && one.url === other.url);
}

/**
 * @param {string} label
 * @param {HTMLOptionElement[]} options
 */
function grouped(label, options) {
  const root = document.createElement("optgroup");
  root.label = label;
  root.append(...options);
  return root;
}
