/**
 * The page as the controller (app.js) sees it: what can be shown, and what the visitor can ask for. No state of the
 * conversation's or the engine's own.
 *
 * @import { AttachedFile } from "./attached.js"
 * @import { Conversation, Message } from "./conversation.js"
 * @import { MessageHandlers } from "./messages.js"
 * @import { Site } from "../shared/site.js"
 * @import { Support } from "../shared/support.js"
 *
 * @typedef {"loading" | "ready" | "busy" | "error" | "unsupported"} PageState
 *
 * @typedef {object} OwnHandlers
 * @property {(text: string, files: AttachedFile[]) => void} ask
 * @property {() => void} stop
 * @property {() => void} newChat
 * @property {() => void} retry
 * @property {() => void} dropOldest
 *
 * @typedef {OwnHandlers & MessageHandlers} Handlers
 */

import { Announcer } from "./announcer.js";
import { Composer } from "./composer.js";
import { button, byId, element } from "./dom.js";
import { Follower } from "./follow.js";
import { icon } from "./icons.js";
import { LoadingPanel } from "./loading.js";
import { MessageList } from "./messages.js";
import { strings } from "./strings.js";

/** From this share of the context on, the visitor is told that it fills. */
const NEARLY_FULL = 0.85;

export class View {
  announcer = new Announcer(byId("announcer"));
  loading = new LoadingPanel((text) => this.announcer.say(text));
  messages;
  #follower = new Follower(byId("scroller"), byId("messages"), byId("to-end", HTMLButtonElement));
  #composer;

  /** @param {Handlers} on */
  constructor(on) {
    for (const text of strings.unsupportedPage.browsers) byId("browsers").append(element("li", "", text));
    this.messages = new MessageList(byId("messages"), on);
    this.#composer = new Composer({ ...on, editLast: () => this.messages.last("user")?.edit() });
    for (const id of ["new-chat", "new-chat-bar"]) byId(id).addEventListener("click", on.newChat);
    for (const retry of document.querySelectorAll(".retry")) retry.addEventListener("click", on.retry);
    for (const [kind, text] of strings.welcome.examples) {
      const item = element("li", "");
      const example = button("example", text, () => on.ask(text, []));
      example.prepend(icon(kind));
      item.append(example);
      byId("examples").append(item);
    }
    const choices = element("div", "choices");
    choices.append(
      button("quiet", strings.full.dropOldest, on.dropOldest),
      button("quiet", strings.full.newChat, on.newChat),
    );
    byId("full").append(element("p", ""), choices);
  }

  /**
   * @param {Site} site
   * @param {string} modelName
   */
  showSite(site, modelName) {
    document.title = site.title;
    for (const title of document.querySelectorAll("#title, .brand span")) title.textContent = site.title;
    byId("model-name").textContent = modelName;
  }

  /**
   * @param {PageState} state
   * @param {boolean} occupied the composer's button stops: an answer comes, or waits to come
   */
  showState(state, occupied) {
    document.body.dataset.state = state;
    byId("loading").hidden = state !== "loading";
    byId("unsupported").hidden = state !== "unsupported";
    byId("messages").dataset.occupied = String(occupied);
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
   * @param {boolean} canRetry or do otherwise: the ways out are shown
   */
  showError(message, canRetry) {
    byId("problem").hidden = !message;
    byId("error").textContent = message;
    for (const way of byId("problem").querySelectorAll("button")) way.hidden = !canRetry;
  }

  /**
   * Show what is in view of a conversation.
   *
   * @param {Conversation} conversation
   * @param {boolean} [goToEnd]
   */
  show(conversation, goToEnd = false) {
    this.messages.show(conversation);
    this.#showEmptiness();
    if (goToEnd) this.#follower.toEnd();
  }

  /** Another conversation is in view. */
  entered() {
    this.announcer.clear();
    this.showContext(null);
    this.showFull(null);
    this.#composer.focus();
  }

  /**
   * Give a withdrawn question back to be edited, unless the visitor has begun another.
   *
   * @param {Message} question
   * @returns {boolean} whether it was given back
   */
  giveBack({ content, files }) {
    const isFree = this.#composer.isEmpty;
    if (isFree) this.#composer.set(content, files ?? []);
    this.#composer.focus();
    return isFree;
  }

  focusComposer() {
    this.#composer.focus();
  }

  /** How full the context is, as the last answer left it; and what can be done about it. @param {Conversation} conversation */
  showUsage({ path, record }) {
    const usage = path.findLast(({ figures }) => figures)?.figures?.usage;
    const level = this.showContext(usage ?? null);
    this.showFull(level === "free" || record.dropOldest ? null : level);
  }

  /**
   * @param {{context_used: number, context_length: number} | null} usage
   * @returns {"free" | "near" | "full"}
   */
  showContext(usage) {
    const root = byId("context");
    root.hidden = !usage;
    if (!usage) return "free";
    const { context_used, context_length } = usage;
    const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (root.querySelector(name));
    part(".fill").style.width = `${Math.min(100, (100 * context_used) / context_length)}%`;
    part(".numbers").textContent = strings.context(context_used, context_length);
    part(".track").setAttribute("aria-valuemax", String(context_length));
    part(".track").setAttribute("aria-valuenow", String(context_used));
    const level =
      context_used >= context_length ? "full" : context_used >= NEARLY_FULL * context_length ? "near" : "free";
    root.dataset.level = level;
    return level;
  }

  /** @param {"near" | "full" | null} level offers a choice; null: there is nothing to choose */
  showFull(level) {
    byId("full").hidden = !level;
    if (level) /** @type {HTMLElement} */ (byId("full").querySelector("p")).textContent = strings.full[level];
  }

  /**
   * Show what has come of an answer.
   *
   * @param {Message} message
   * @param {string} text of it, the last
   * @param {import("./pace.js").Pace} pace
   * @param {number} [length] of the context
   */
  stream(message, text, pace, length) {
    this.messages.of(message)?.update();
    this.announcer.stream(text);
    const { shown, text: speed } = pace.toShow();
    if (!shown) return;
    this.showSpeed(speed);
    if (length) this.showContext({ context_used: pace.used, context_length: length });
  }

  /** @param {string} text how fast it goes, while it does */
  showSpeed(text) {
    byId("speed").textContent = text;
  }

  /** @param {() => void} reload */
  announceUpdate(reload) {
    const root = byId("update");
    root.hidden = false;
    /** @type {HTMLButtonElement} */ (root.querySelector("button")).onclick = reload; // of the last that lies ready
  }

  #showEmptiness() {
    const empty = this.messages.isEmpty;
    byId("welcome").hidden = !empty || document.body.dataset.state === "unsupported";
    this.loading.place(empty);
  }
}
