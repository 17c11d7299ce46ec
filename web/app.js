/**
 * The page's controller: brings together the conversation, the engine and the view.
 *
 * @import { Exchange } from "./conversation.js"
 * @import { ModelSource, Site } from "./protocol.js"
 * @import { MessageView } from "./messages.js"
 *
 * @typedef {"loading" | "ready" | "error" | "unsupported"} Phase of the engine
 *
 * @typedef {Exchange & {views: {question: MessageView, answer: MessageView}}} Shown
 */

import { Conversation } from "./conversation.js";
import { Engine, EngineError } from "./engine.js";
import { keepOffline } from "./offline.js";
import { strings } from "./strings.js";
import { support } from "./support.js";
import { View } from "./view.js";

class App {
  #conversation = new Conversation();
  #view = new View({
    ask: (text) => this.#ask(text),
    stop: () => this.#stop(),
    newChat: () => this.#newChat(),
    retry: () => this.start(),
  });
  /** @type {Engine | null} */
  #engine = null;
  /** @type {Phase} */
  #phase = "loading";
  /** Asked, and not yet sent: the engine is loading, or still ending an answer nobody waits for. @type {Shown | null} */
  #queued = null;
  /** @type {{exchange: Shown, answer: import("./engine.js").Answer} | null} */
  #running = null;

  /** Load the site's model. Again, if that failed. */
  async start() {
    this.#engine?.close();
    this.#setPhase("loading");
    this.#view.showError("", false);
    this.#view.loading.reset();
    const engine = new Engine((error) => this.#engineFailed(error));
    this.#engine = engine;
    try {
      const site = await loadSite();
      const model = modelOf(site);
      this.#view.showSite(site, model.name);
      const supported = await support();
      if (supported !== "ok") return this.#unsupported(supported);
      await engine.load(model, {}, (progress) => this.#view.loading.update(progress));
      this.#setPhase("ready");
      this.#view.announcer.say(strings.ready);
      this.#sendQueued();
    } catch (error) {
      // What the engine says of itself comes by #engineFailed.
      if (!(error instanceof EngineError)) this.#engineFailed(new EngineError("site", String(error)));
    }
    document.body.dataset.offline = String(await keepOffline((reload) => this.#view.announceUpdate(reload)));
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
    const answer = /** @type {Engine} */ (this.#engine).send(this.#conversation.upTo(exchange), {});
    this.#running = { exchange, answer };
    view.note = "";
    view.state = exchange.state = "streaming";
    this.#view.announcer.say(strings.answering);
    try {
      for await (const text of answer) {
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
  #engineFailed({ stage, message }) {
    if (stage === "unsupported") return this.#unsupported("missing");
    this.#setPhase("error");
    this.#view.showError(strings.failed(stage, message), true);
  }

  /** @param {Exclude<import("./support.js").Support, "ok">} reason */
  #unsupported(reason) {
    this.#engine?.close();
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

/**
 * @param {Site} site
 * @returns {ModelSource}
 */
function modelOf({ models }) {
  const [{ name, url, bytes, sha256 }] = models;
  return { name, url: new URL(url, document.baseURI).href, bytes, sha256 };
}

new App().start();
