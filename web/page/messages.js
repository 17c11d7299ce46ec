/**
 * The list of messages in view, and what can be done with each.
 *
 * @import { Conversation, Message } from "./conversation.js"
 *
 * @typedef {object} MessageHandlers
 * @property {(message: Message, content: string) => void} edit
 * @property {(message: Message) => void} branch bring it into view, in the place of one beside it
 * @property {() => boolean} canRun whether what an answer calls can be run
 * @property {MessageAction[]} actions the buttons below a message, in this order
 *
 * @typedef {object} MessageAction
 * @property {string} icon
 * @property {string} label
 * @property {Message["role"]} [role] of the messages that have it; default: all
 * @property {boolean} [rare] it stands in the menu behind the buttons, by its label
 * @property {(view: MessageView, button: HTMLElement) => void} act
 */

import { Calls } from "./calls.js";
import { button, element, iconButton } from "./dom.js";
import { fileView } from "./file_view.js";
import { inSteps, perFrame } from "./frames.js";
import { icon } from "./icons.js";
import { inline } from "./inline.js";
import { loadMarkdown } from "./markdown.js";
import { openMenu } from "./menu.js";
import { PIECE, plain } from "./pieces.js";
import { TextRenderer } from "./render.js";
import { cite, citedBy, sourcesOf } from "./sources.js";
import { strings } from "./strings.js";
import { toast } from "./toasts.js";

/** A button shows for so long that it has done its work, in milliseconds. */
const DONE_FOR = 1500;

/** So many messages are shown at once. */
const AT_ONCE = 100;
/** And so many with each step towards the beginning: each step lays out the whole list, so that few are better. */
const MORE = 400;

/**
 * What stands below an answer that has ended, beside its figures.
 *
 * @param {Message} message
 */
export function noteOf({ content, reasoning, calls, figures }) {
  if (!content && !reasoning && !calls) return strings.unanswered;
  return figures ? strings.reasons[figures.reason] : "";
}

export class MessageList {
  #root;
  #on;
  /** @type {Conversation | null} */
  #conversation = null;
  /** The branch in view. @type {Message[]} */
  #path = [];
  /** Of its last messages. @type {MessageView[]} */
  #views = [];

  /**
   * @param {HTMLElement} root
   * @param {MessageHandlers} on
   */
  constructor(root, on) {
    this.#root = root;
    this.#on = on;
    root.addEventListener("click", (event) => copyCode(/** @type {Element} */ (event.target)));
  }

  get isEmpty() {
    return this.#views.length === 0;
  }

  /**
   * Show the branch of a conversation that is in view: its end at once, what stands before that in steps. Messages that
   * are there already stay as they are.
   *
   * @param {Conversation} conversation
   */
  show(conversation) {
    const { path } = conversation;
    const differs = path.findIndex((message, index) => this.#path[index] !== message);
    const same = differs < 0 ? path.length : differs;
    let start = this.#missing;
    let kept = Math.max(0, same - start);
    if (same < start || path.length - start - kept > AT_ONCE) [start, kept] = [Math.max(0, path.length - AT_ONCE), 0];
    for (const view of this.#views.splice(kept)) view.root.remove();
    for (const view of this.#views) view.update();
    this.#conversation = conversation;
    this.#path = path;
    const fresh = path.slice(start + kept).map((message) => new MessageView(message, this.#on));
    this.#views.push(...fresh);
    this.#root.append(...fresh.map((view) => view.root));
    for (const [index, view] of this.#views.entries()) this.#place(view, start + index);
    drawn(fresh).then(() => start && this.#showEarlier());
  }

  /** So many messages of the branch have no view yet, the first ones. */
  get #missing() {
    return this.#path.length - this.#views.length;
  }

  /** When those below, which are in view, have been drawn. */
  #showEarlier = inSteps(() => {
    const end = this.#missing;
    const start = Math.max(0, end - MORE);
    const earlier = this.#path.slice(start, end).map((message) => new MessageView(message, this.#on));
    this.#views.unshift(...earlier);
    this.#root.prepend(...earlier.map((view) => view.root));
    for (const [index, view] of earlier.entries()) this.#place(view, start + index);
    drawn(earlier);
    return start > 0 && "next frame";
  }, true);

  /**
   * Show what a message is among the others.
   *
   * @param {MessageView} view
   * @param {number} index in the branch
   */
  #place(view, index) {
    const { message } = view;
    if (this.#conversation) view.showBranches(this.#conversation.beside(message));
    view.isLast = index === this.#path.length - 1;
    if (message.role === "user") view.note = this.#path[index + 1]?.role === "assistant" ? "" : strings.unanswered;
    view.root.dataset.first = String(index > 0 && message.id === this.#conversation?.record.first);
    view.root.dataset.note = strings.noLongerSent;
  }

  /** @param {Message} message @returns {MessageView | undefined} its view, if it is in view */
  of(message) {
    return this.#views.findLast((view) => view.message === message);
  }

  /**
   * Show what becomes of a message, if it is in view.
   *
   * @param {Message} message
   * @param {"waiting" | "streaming" | "ended"} state
   * @param {string} note
   */
  mark(message, state, note) {
    const view = this.of(message);
    if (view) Object.assign(view, { state, note });
  }

  /** @param {"user" | "assistant"} role @returns {MessageView | undefined} */
  last(role) {
    return this.#views.findLast(({ message }) => message.role === role);
  }
}

/** Draw them when Markdown has come, or has not. @param {MessageView[]} views */
function drawn(views) {
  const draw = () => views.forEach((view) => view.root.isConnected && view.draw());
  return loadMarkdown().then(draw, draw);
}

/** One message. `data-state` on it is `waiting`, `streaming` or `ended`. */
class MessageView {
  #on;
  #text = element("div", "text");
  #body = element("div", "content");
  #note = element("span", "note");
  #numbers = element("span", "figures");
  #actions = element("div", "actions");
  #branches = element("div", "branches");
  /** @type {TextRenderer | null} */
  #renderer = null;
  /** @type {Reasoning | null} */
  #reasoning = null;
  /** @type {Calls | null} */
  #calls = null;
  /** @type {HTMLElement | null} */
  #sources = null;
  /** Characters of the message that the renderers have. */
  #shown = 0;
  #thoughtsShown = 0;
  /** That the note tells. @type {import("./conversation.js").Figures | undefined} */
  #figures;
  /** The message and its alternatives. @type {Message[]} */
  #beside = [];

  /**
   * @param {Message} message
   * @param {MessageHandlers} on
   */
  constructor(message, on) {
    const { role, content, model } = message;
    this.message = message;
    this.#on = on;
    this.root = element("article", `message ${role}`);
    this.root.setAttribute("aria-label", role === "user" ? strings.you : (model ?? strings.assistant));
    this.root.dataset.state = "ended";
    this.root.dataset.id = message.id;
    // What was written, for what drives the page.
    Object.defineProperty(this.root, "source", { get: () => message.content });
    this.root.append(this.#body);
    this.#text.dir = "auto";
    for (const file of message.files ?? []) this.#body.append(fileView(file));
    this.#body.append(this.#text);
    if (role === "user") this.#text.append(...(content.length > PIECE ? plain(content) : inline(content)));
    const under = element("div", "under");
    const stats = element("div", "stats");
    stats.append(this.#numbers, this.#note);
    under.append(this.#actions, this.#branches, stats);
    this.root.append(under);
    this.#figures = message.figures;
    if (role === "assistant") this.note = noteOf(message);
    this.#body.addEventListener("click", ({ target }) => {
      const source = citedBy(target, message.sources ?? []);
      if (source) this.root.dispatchEvent(new CustomEvent("source", { bubbles: true, detail: { message, source } }));
    });
    this.#showSources();
    this.#showActions();
  }

  /** Show what there is of an answer. */
  draw() {
    if (this.message.role === "user" || this.#renderer) return;
    this.#renderer = this.#drawing(this.#text);
    this.update();
  }

  /** @param {HTMLElement} text */
  #drawing(text) {
    return new TextRenderer(text, (nodes) => cite(nodes, this.message.sources ?? []));
  }

  /** Show what has come of it since: the first text of an answer at once, which is waited for, else with the next frame. */
  update() {
    const isFirst = this.root.dataset.state === "streaming" && !this.#shown && this.message.content;
    if (isFirst) this.#update(true);
    else this.#updateSoon();
  }

  #updateSoon = perFrame(() => this.#update());

  #update(now = false) {
    if (!this.#renderer) return;
    const { content, reasoning = "", thought, figures } = this.message;
    // It was no answer yet, but thought: that alone makes thoughts grow behind what was shown.
    if (content.length < this.#shown || (this.#shown && reasoning.length > this.#thoughtsShown)) this.#clear();
    const [thoughts, text] = [reasoning.slice(this.#thoughtsShown), content.slice(this.#shown)];
    this.#thoughtsShown = reasoning.length;
    this.#shown = content.length;
    const ended = this.root.dataset.state === "ended";
    if (thoughts) this.#think(thoughts);
    if (text || ended) this.#reasoning?.end(thought);
    if (text) this.#renderer.append(text, now);
    this.#showCalls();
    if (!ended || (figures ? figures === this.#figures : !text && !thoughts)) return;
    this.#figures = figures;
    this.note = noteOf(this.message);
  }

  /** @param {"waiting" | "streaming" | "ended"} state */
  set state(state) {
    this.draw();
    this.root.dataset.state = state;
    if (state === "ended") this.#reasoning?.end(this.message.thought);
    this.#showSources();
    if (this.#renderer) this.#showCalls();
  }

  /** @param {string} note what became of it, below the text and behind its figures */
  set note(note) {
    const { figures } = this.message;
    const numbers = figures?.usage.completion_tokens ? strings.stats(figures) + (note && " · ") : "";
    if (this.#numbers.textContent !== numbers) this.#numbers.textContent = numbers; // else it would be laid out for nothing
    if (this.#note.textContent !== note) this.#note.textContent = note;
  }

  /** @param {boolean} isLast of the conversation: what can be done with it is always shown */
  set isLast(isLast) {
    this.root.dataset.last = String(isLast);
  }

  /** @param {Message[]} beside the message and its alternatives */
  showBranches(beside) {
    if (beside.length === this.#beside.length && beside.every((message, index) => message === this.#beside[index]))
      return;
    this.#beside = beside;
    const index = beside.indexOf(this.message);
    this.#branches.hidden = beside.length < 2;
    if (beside.length < 2) return this.#branches.replaceChildren();
    const step = (/** @type {string} */ label, /** @type {string} */ picture, /** @type {Message} */ to) => {
      const made = iconButton(picture, label, () => this.#on.branch(to));
      made.disabled = !to;
      return made;
    };
    this.#branches.replaceChildren(
      step(strings.message.previous, "previous", beside[index - 1]),
      element("span", "", strings.message.branch(index + 1, beside.length)),
      step(strings.message.next, "next", beside[index + 1]),
    );
  }

  /** Write it anew, in its place. */
  edit() {
    if (this.#body.querySelector(".editor")) return;
    const form = element("form", "editor");
    const area = /** @type {HTMLTextAreaElement} */ (element("textarea", ""));
    const isQuestion = this.message.role === "user";
    area.value = this.message.content;
    area.dir = "auto";
    area.setAttribute("aria-label", strings.message.edit);
    const buttons = element("div", "choices");
    const save = element("button", "main", isQuestion ? strings.message.sendAgain : strings.message.save);
    form.append(area, buttons);
    const end = () => {
      form.remove();
      this.#text.hidden = false;
      this.#actions.querySelector("button")?.focus();
    };
    const submit = () => {
      const text = area.value.trim();
      end();
      if (text && text !== this.message.content) this.#on.edit(this.message, text);
    };
    buttons.append(button("quiet", strings.cancel, end), save);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      submit();
    });
    area.addEventListener("keydown", (event) => {
      const sends = event.key === "Enter" && (event.ctrlKey || event.metaKey || (isQuestion && !event.shiftKey));
      if (event.key === "Escape") end();
      else if (sends && !event.isComposing && event.keyCode !== 229) submit();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    this.#text.hidden = true;
    this.#body.append(form);
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  }

  #clear() {
    const text = /** @type {HTMLElement} */ (this.#text.cloneNode());
    this.#text.replaceWith(text);
    this.#text = text;
    this.#renderer = this.#drawing(text);
    this.#shown = 0;
  }

  /** @param {string} text */
  #think(text) {
    if (!this.#reasoning) {
      this.#reasoning = new Reasoning();
      this.#text.before(this.#reasoning.root);
    }
    this.#reasoning.append(text);
  }

  #showCalls() {
    const { calls, figures } = this.message;
    if (!calls) return;
    if (!this.#calls) this.#body.append((this.#calls = new Calls()).root);
    this.#calls.update(calls, figures !== undefined && this.#on.canRun(), this.root.dataset.state === "streaming");
  }

  /** What the answer was made of, when it has ended. */
  #showSources() {
    this.#sources?.remove();
    const isShown = this.message.sources?.length && this.root.dataset.state === "ended";
    this.#sources = isShown ? sourcesOf(this.message) : null;
    if (this.#sources) this.#body.append(this.#sources);
  }

  #showActions() {
    // Asked for when the menu opens: features that add to them may come later than messages do.
    const mine = () => this.#on.actions.filter(({ role }) => !role || role === this.message.role);
    const often = mine().filter(({ rare }) => !rare);
    const buttons = often.map(({ icon, label, act }) => {
      const made = iconButton(icon, label, () => act(this, made));
      return made;
    });
    const more = iconButton("more", strings.message.more, () => {
      const rare = mine().filter(({ rare }) => rare);
      openMenu(
        more,
        rare.map(({ icon, label, act }) => ({ icon, label, act: () => act(this, more) })),
      );
    });
    more.setAttribute("aria-haspopup", "menu");
    more.setAttribute("aria-expanded", "false");
    this.#actions.replaceChildren(...buttons, more);
  }
}

/** What a model thinks before it answers: folded, with the time it takes. */
class Reasoning {
  root = /** @type {HTMLDetailsElement} */ (element("details", "reasoning"));
  #label = element("span", "", strings.message.thinking(0));
  #renderer;
  #began = performance.now();
  #ended = false;

  constructor() {
    const summary = element("summary", "");
    summary.append(icon("thought"), this.#label);
    const text = element("div", "thought");
    this.root.append(summary, text);
    this.#renderer = new TextRenderer(text);
  }

  /** @param {string} text */
  append(text) {
    this.#renderer.append(text);
    if (!this.#ended) this.#label.textContent = strings.message.thinking((performance.now() - this.#began) / 1000);
  }

  /** @param {number | undefined} seconds that it took, where that is known */
  end(seconds) {
    this.#ended = true;
    this.#label.textContent = strings.message.thought(seconds);
  }
}

/** @param {Element} target of a click anywhere in the messages */
function copyCode(target) {
  const found = target.closest(".copy-code");
  if (!found) return;
  let text = "";
  for (let figure = found.closest("figure"); figure; figure = nextPiece(figure))
    text += figure.querySelector("pre")?.textContent;
  copyText(text, /** @type {HTMLElement} */ (found));
}

/**
 * @param {HTMLElement} figure a piece of a code block
 * @returns {HTMLElement | null} the piece behind it, perhaps in the next page of the text
 */
function nextPiece(figure) {
  const next = figure.nextElementSibling;
  const beside = next?.matches(".page")
    ? next.firstElementChild
    : (next ?? figure.parentElement?.nextElementSibling?.firstElementChild);
  return beside?.matches("figure.more") ? /** @type {HTMLElement} */ (beside) : null;
}

/**
 * @param {string} text
 * @param {HTMLElement} pressed shows that it is done
 */
export async function copyText(text, pressed) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    return toast(strings.notCopied);
  }
  pressed.querySelector("svg")?.replaceWith(icon("done"));
  setTimeout(() => pressed.querySelector("svg")?.replaceWith(icon("copy")), DONE_FOR);
}
