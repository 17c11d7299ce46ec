/**
 * The page as the controller (app.js) sees it: what can be shown, and what the visitor can ask for. No state of the
 * conversation's or the engine's own.
 *
 * @import { Site, Usage } from "./protocol.js"
 * @import { Support } from "./support.js"
 *
 * @typedef {"loading" | "ready" | "busy" | "error" | "unsupported"} PageState
 *
 * @typedef {object} Handlers
 * @property {(text: string) => void} ask
 * @property {() => void} stop
 * @property {() => void} newChat
 * @property {() => void} retry
 */

import { Announcer } from "./announcer.js";
import { Composer } from "./composer.js";
import { byId, element } from "./dom.js";
import { Follower } from "./follow.js";
import { LoadingPanel } from "./loading.js";
import { MessageList } from "./messages.js";
import { strings } from "./strings.js";

export class View {
  announcer = new Announcer(byId("announcer"));
  loading = new LoadingPanel((text) => this.announcer.say(text));
  #messages = new MessageList(byId("messages"));
  #follower = new Follower(byId("scroller"), byId("content"), byId("to-end", HTMLButtonElement));
  #composer;
  #newChat = byId("new-chat", HTMLButtonElement);

  /** @param {Handlers} on */
  constructor(on) {
    for (const text of strings.unsupportedPage.browsers) byId("browsers").append(element("li", "", text));
    this.#composer = new Composer(on);
    this.#newChat.addEventListener("click", on.newChat);
    for (const button of document.querySelectorAll(".retry")) button.addEventListener("click", on.retry);
    for (const text of strings.examples) {
      const button = element("button", "example", text);
      button.addEventListener("click", () => on.ask(text));
      const item = element("li", "");
      item.append(button);
      byId("examples").append(item);
    }
  }

  /**
   * @param {Site} site
   * @param {string} modelName
   */
  showSite(site, modelName) {
    document.title = site.title;
    byId("title").textContent = site.title;
    byId("model-name").textContent = modelName;
    byId("welcome-model").textContent = modelName;
  }

  /**
   * @param {PageState} state
   * @param {boolean} occupied the composer's button stops: an answer comes, or waits to come
   */
  showState(state, occupied) {
    document.body.dataset.state = state;
    byId("loading").hidden = state !== "loading";
    byId("unsupported").hidden = state !== "unsupported";
    this.#composer.busy = occupied;
    this.#composer.disabled = state === "unsupported";
    this.#showEmptiness();
  }

  /** @param {Exclude<Support, "ok">} reason */
  showUnsupported(reason) {
    byId("unsupported-reason").textContent = strings.unsupported[reason];
    this.showState("unsupported", false);
  }

  /**
   * @param {string} message empty: there is none any more
   * @param {boolean} canRetry
   */
  showError(message, canRetry) {
    byId("problem").hidden = !message;
    byId("error").textContent = message;
    const retry = /** @type {HTMLElement} */ (byId("problem").querySelector(".retry"));
    retry.hidden = !canRetry;
  }

  /**
   * Show a question and the place for its answer, and go there.
   *
   * @param {string} question
   */
  addExchange(question) {
    const views = {
      question: this.#messages.add("user", strings.you, question),
      answer: this.#messages.add("assistant", byId("model-name").textContent ?? ""),
    };
    this.#showEmptiness();
    this.#follower.toEnd();
    return views;
  }

  clear() {
    this.#messages.clear();
    this.announcer.clear();
    byId("context").hidden = true;
    this.#showEmptiness();
    this.#composer.focus();
  }

  /** Give a withdrawn question back to be edited, unless the visitor has begun another. @param {string} text */
  giveBack(text) {
    if (!this.#composer.text) this.#composer.text = text;
    this.#showEmptiness();
    this.#composer.focus();
  }

  /** @param {Usage} usage */
  showContext({ context_used, context_length }) {
    const root = byId("context");
    const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (root.querySelector(name));
    root.hidden = false;
    part(".fill").style.width = `${Math.min(100, (100 * context_used) / context_length)}%`;
    part(".numbers").textContent = strings.context(context_used, context_length);
    part(".track").setAttribute("aria-valuemax", String(context_length));
    part(".track").setAttribute("aria-valuenow", String(context_used));
  }

  /** @param {() => void} reload */
  announceUpdate(reload) {
    const root = byId("update");
    root.hidden = false;
    root.querySelector("button")?.addEventListener("click", reload, { once: true });
  }

  #showEmptiness() {
    const empty = byId("messages").childElementCount === 0;
    byId("welcome").hidden = !empty || document.body.dataset.state === "unsupported";
    this.#newChat.disabled = empty;
  }
}
