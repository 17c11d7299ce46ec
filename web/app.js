/**
 * The page's controller: brings together the conversation, the engine and the view.
 *
 * A feature that has its own place in index.html (a dialog, a button, a list) is a module of its own which exports
 * `mount(app)`, called once when the page starts: see `features` below. It fills its own elements and knows of the rest
 * only what App is: `app.site` (site.json, null until it has come), `app.model` (the ModelSource in use or loading),
 * `app.ready` (what the engine said of the loaded model, else null), `app.load(model)` to change to another model (the
 * conversation stays), `app.engine`, `app.toast(text, action)`, and the events "site", "model" (another one begins to
 * load), "ready" and "failed" (its detail an EngineError; preventDefault keeps the page from showing it), which it
 * listens to as to any EventTarget.
 *
 * @import { Exchange } from "./conversation.js"
 * @import { ModelSource, Ready, Site } from "./protocol.js"
 * @import { MessageView } from "./messages.js"
 *
 * @typedef {"loading" | "ready" | "error" | "unsupported"} Phase of the engine
 *
 * @typedef {Exchange & {views: {question: MessageView, answer: MessageView}}} Shown
 */

import { firstModel } from "./choice.js";
import { Conversation } from "./conversation.js";
import { Engine, EngineError } from "./engine.js";
import { localise } from "./localise.js";
import { keepOffline } from "./offline.js";
import { Sidebar } from "./sidebar.js";
import { strings } from "./strings.js";
import { support } from "./support.js";
import { toast } from "./toasts.js";
import { View } from "./view.js";

/** @type {((app: App) => void)[]} */
const features = [];

export class App extends EventTarget {
  /** @type {Site | null} */
  site = null;
  /** @type {ModelSource | null} */
  model = null;
  /** @type {Ready | null} */
  ready = null;
  toast = toast;
  #conversation = new Conversation();
  #view = new View({
    ask: (text) => this.#ask(text),
    stop: () => this.#stop(),
    newChat: () => this.#newChat(),
    retry: () => (this.model && this.engine && !this.engine.failure ? this.load(this.model) : this.start()),
  });
  /** @type {Engine | null} */
  engine = null;
  /** What the engine has, whatever it is loading. @type {{model: ModelSource, ready: Ready} | null} */
  #loaded = null;
  /** @type {Phase} */
  #phase = "loading";
  /** Asked, and not yet sent: the engine is loading, or still ending an answer nobody waits for. @type {Shown | null} */
  #queued = null;
  /** @type {{exchange: Shown, answer: import("./engine.js").Answer} | null} */
  #running = null;

  /** Load the model in use, at first the site's own. Again, if that failed. */
  async start() {
    const engine = this.#newEngine(); // its runtime starts beside what follows
    this.#begin();
    try {
      this.site ??= await loadSite();
      this.dispatchEvent(new Event("site"));
      await this.#load(engine, this.model ?? (await firstModel(this.site, engine)));
    } catch (error) {
      this.#engineFailed(error instanceof EngineError ? error : new EngineError("site", String(error)));
    }
    document.body.dataset.offline = String(await keepOffline((reload) => this.#view.announceUpdate(reload)));
  }

  /**
   * Change to another model. The conversation stays; so does the model from before, if the other can't be read.
   *
   * @param {ModelSource} model
   */
  async load(model) {
    this.#running?.answer.stop();
    await this.#load(this.engine && !this.engine.failure ? this.engine : this.#newEngine(), model);
  }

  #newEngine() {
    this.engine?.close();
    this.#loaded = null;
    this.engine = new Engine((error) => this.#engineFailed(error));
    return this.engine;
  }

  #begin() {
    this.#setPhase("loading");
    this.#view.showError("", false);
    this.#view.loading.reset();
  }

  /**
   * @param {Engine} engine
   * @param {ModelSource} model
   */
  async #load(engine, model) {
    this.#show(model, null);
    this.#begin();
    this.dispatchEvent(new Event("model"));
    const supported = await support();
    if (supported !== "ok") return this.#unsupported(supported);
    try {
      const ready = await engine.load(model, {}, (progress) => this.#view.loading.update(progress));
      this.#loaded = { model, ready };
    } catch (error) {
      // An engine that fails as a whole says so by #engineFailed.
      if (!engine.failure && this.model === model) this.#loadFailed(/** @type {EngineError} */ (error));
      return;
    }
    if (this.model === model) this.#becomeReady();
  }

  /** @param {EngineError} error */
  #loadFailed(error) {
    if (!error.loaded || !this.#loaded) return this.#engineFailed(error);
    if (error.stage !== "cancelled") this.toast(strings.failed(error.stage, error.message));
    this.#becomeReady();
  }

  /** With the model that is loaded. */
  #becomeReady() {
    if (!this.#loaded) return;
    this.#show(this.#loaded.model, this.#loaded.ready);
    this.#setPhase("ready");
    this.dispatchEvent(new Event("ready"));
    this.#view.announcer.say(strings.ready);
    this.#sendQueued();
  }

  /**
   * @param {ModelSource} model
   * @param {Ready | null} ready
   */
  #show(model, ready) {
    this.model = model;
    this.ready = ready;
    this.#view.showSite(/** @type {Site} */ (this.site), model.name);
  }

  /** @param {string} text */
  #ask(text) {
    if (this.#queued || (this.#running && this.#isShown(this.#running.exchange))) return;
    const views = this.#view.addExchange(text);
    /** @type {Shown} */
    const exchange = Object.assign(this.#conversation.ask(text), { views });
    views.answer.state = "waiting";
    if (this.#phase !== "ready") views.answer.note = strings.waiting;
    this.#forgetError();
    this.#queued = exchange;
    this.#sendQueued();
  }

  #sendQueued() {
    const exchange = this.#queued;
    if (exchange && this.#phase === "ready" && !this.#running) {
      this.#queued = null;
      this.#run(exchange);
    }
    this.#showState();
  }

  /** @param {Shown} exchange */
  async #run(exchange) {
    const view = exchange.views.answer;
    const answer = /** @type {Engine} */ (this.engine).send(this.#conversation.upTo(exchange), {});
    this.#running = { exchange, answer };
    view.note = "";
    view.state = exchange.state = "streaming";
    this.#view.announcer.say(strings.answering);
    try {
      for await (const { text } of answer) {
        exchange.answer += text;
        if (!this.#isShown(exchange)) continue;
        view.append(text);
        this.#view.announcer.stream(text);
      }
      if (answer.done && this.#isShown(exchange)) {
        view.note = strings.stats(answer.done);
        this.#view.showContext(answer.done.usage);
      }
    } catch (error) {
      const { stage, message } = /** @type {EngineError} */ (error);
      view.note = exchange.answer ? "" : strings.unanswered;
      if (this.#phase === "ready") this.#view.showError(strings.failed(stage, message), false);
    }
    view.state = exchange.state = "ended";
    if (this.#isShown(exchange)) this.#view.announcer.flush();
    this.#running = null;
    this.#sendQueued();
  }

  #stop() {
    this.#running?.answer.stop();
    const queued = this.#queued;
    if (!queued) return;
    this.#queued = null;
    this.#conversation.withdraw(queued);
    queued.views.question.remove();
    queued.views.answer.remove();
    this.#showState();
    this.#view.giveBack(queued.question);
  }

  #newChat() {
    this.#running?.answer.stop();
    this.#queued = null;
    this.#conversation = new Conversation();
    this.#view.clear();
    this.#forgetError();
    this.#showState();
  }

  /** An answer's error is over with the next question; the engine's stays until it is tried again. */
  #forgetError() {
    if (this.#phase !== "error") this.#view.showError("", false);
  }

  /** @param {EngineError} error */
  #engineFailed(error) {
    const { stage, message } = error;
    if (!this.dispatchEvent(new CustomEvent("failed", { detail: error, cancelable: true }))) return;
    if (stage === "unsupported") return this.#unsupported("missing");
    this.#setPhase("error");
    this.#view.showError(strings.failed(stage, message), true);
  }

  /** @param {Exclude<import("./support.js").Support, "ok">} reason */
  #unsupported(reason) {
    this.engine?.close();
    this.#phase = "unsupported";
    this.#view.showUnsupported(reason);
  }

  /** @param {Phase} phase */
  #setPhase(phase) {
    this.#phase = phase;
    this.#showState();
  }

  #showState() {
    const working = this.#running !== null;
    const occupied = this.#queued !== null || (working && this.#isShown(this.#running?.exchange));
    this.#view.showState(working && this.#phase === "ready" ? "busy" : this.#phase, occupied);
  }

  /** Whether an exchange belongs to the conversation in view, not to one that was left. @param {Shown} [exchange] */
  #isShown(exchange) {
    return exchange !== undefined && this.#conversation.exchanges.includes(exchange);
  }
}

/** @returns {Promise<Site>} */
async function loadSite() {
  const response = await fetch("site.json");
  if (!response.ok) throw new Error(`the server answered ${response.status} for site.json`);
  return response.json();
}

localise(document.body);
new Sidebar();
const app = new App();
for (const mount of features) mount(app);
app.start();
