/**
 * The page's controller: brings together the conversation, the engine and the view.
 *
 * A feature that has its own place in index.html (a dialog, a button, a list) is a module of its own which exports
 * `mount(app)`, called once when the page starts: see features.js. It fills its own elements and knows of the rest
 * only what App is to all:
 *
 * - `site` (site.json, null until it has come), `model` (the ModelSource in use or loading), `ready` (what the engine
 *   said of the loaded model, else null), `engine`, `workingEngine`
 * - `load(model)` changes to another model (the conversation stays), `pause(paused)` lets its download rest; `newChat()`
 * - `conversation` in view; `isOccupied` by an answer; `answer(question)` and `begin(turn)` ask for one; `changed()`
 *   keeps and shows what was done to it
 * - `actions`, the buttons below messages, to add to; `settings`, the visitor's; `toast(text, action)`
 * - `tools` that the model may call; `preparations` before an answer; `occupy(turn, work)` does something in its place
 * - the events "site", "model" (another one begins to load), "progress" (detail: a Progress), "ready", "entered" (another conversation
 *   is in view), "answered" (as it should: the Turn) and "failed" (an EngineError, which is not shown after preventDefault)
 *
 * @import { Message, Turn } from "./conversation.js"
 * @import { Part } from "./engine.js"
 * @import { ModelSource, Ready, Tool } from "../shared/protocol.js"
 * @import { Site } from "../shared/site.js"
 *
 * @typedef {"loading" | "ready" | "error" | "unsupported"} Phase of the engine
 */

import { actionsOf } from "./actions.js";
import { ask } from "./asking.js";
import { firstModel } from "./choice.js";
import { Conversation, figuresOf } from "./conversation.js";
import { Engine, EngineError } from "./engine.js";
import { features } from "./features.js";
import { Keeping } from "./keeping.js";
import { localise } from "./localise.js";
import { noteOf } from "./messages.js";
import { keepOffline } from "./offline.js";
import { Pace } from "./pace.js";
import { Settings } from "./settings.js";
import { listenToKeys } from "./shortcuts.js";
import { Sidebar } from "./sidebar.js";
import { strings } from "./strings.js";
import { toast } from "./toasts.js";
import { View } from "./view.js";
import { writing } from "./written.js";
import { readSite } from "../shared/site.js";
import { support } from "../shared/support.js";

export class App extends EventTarget {
  /** @type {Site | null} */
  site = null;
  /** @type {ModelSource | null} */
  model = null;
  /** @type {Ready | null} */
  ready = null;
  toast = toast;
  /** @type {Tool[]} */
  tools = [];
  /** @type {((turn: Turn, signal: AbortSignal, tell: (state: string) => void) => Promise<void>)[]} */
  preparations = [];

  /** In view. */
  conversation = new Conversation();
  #sidebar = new Sidebar();
  settings = new Settings();
  #keeping = new Keeping({
    inView: () => this.conversation,
    inUse: () => [this.#running?.conversation, this.#queued?.conversation, this.conversation],
    written: (conversation) =>
      [this.#running, this.#queued].find((turn) => turn?.conversation === conversation)?.message,
    open: (id, message) => this.#open(id, message),
    opened: () => this.#openAddressed(),
    deleted: (id) => this.#deleted(id),
    merged: (conversation) => this.#mergedElsewhere(conversation),
  });
  #onMessages = actionsOf(this);
  actions = this.#onMessages.actions;
  #view = new View({
    ask: (text, files) => this.#ask(text, files),
    stop: () => this.#stop(),
    newChat: () => this.newChat(),
    retry: () => (this.model && this.engine && !this.engine.failure ? this.load(this.model) : this.start()),
    ...this.#onMessages,
  });
  /** @type {Engine | null} */
  engine = null;
  /** What the engine has, whatever it is loading. @type {{model: ModelSource, ready: Ready} | null} */
  #loaded = null;
  /** How many loads were begun: the page waits for the last one alone. */
  #loads = 0;
  /** @type {Phase} */
  #phase = "loading";
  /** Asked, and not yet sent: the engine is loading, or still ending an answer nobody waits for. @type {Turn | null} */
  #queued = null;
  /** @type {(Turn & {stop: () => void}) | null} */
  #running = null;
  #ended = Promise.resolve(); // when that has
  /** Counts what decides which conversation is in view: who waits for one to open looks whether it is still wanted. */
  #changes = 0;

  constructor() {
    super();
    listenToKeys({
      newChat: () => this.newChat(),
      search: () => this.#sidebar.show(true),
      sidebar: () => this.#sidebar.toggle(),
      settings: () => this.settings.open(),
      focus: () => this.#view.focusComposer(),
      stop: () => this.#stop(),
    });
    addEventListener("popstate", () => this.#openAddressed());
    this.#keeping.list();
    this.#openAddressed();
  }

  /** Load the model in use, at first the one that a visit begins with. Again, if that failed. */
  async start() {
    const engine = this.#newEngine(); // its runtime starts beside what follows
    this.#showLoading();
    try {
      this.site ??= await readSite();
      this.settings.systemDefault = this.site.system_prompt ?? "";
      this.dispatchEvent(new Event("site"));
      const loads = this.#loads;
      const model = this.model ?? (await firstModel(this.site, engine));
      if (loads === this.#loads) await this.#load(engine, model); // else the visitor has chosen another
    } catch (error) {
      this.#engineFailed(
        error instanceof EngineError ? error : new EngineError("site", /** @type {Error} */ (error).message),
      );
    }
    if (document.body.dataset.offline === "true") return; // by an earlier start
    document.body.dataset.offline = String(await keepOffline((reload) => this.#view.announceUpdate(reload)));
  }

  /**
   * Change to another model. The conversation stays; so does the model from before, if the other can't be read.
   *
   * @param {ModelSource} model
   */
  async load(model) {
    this.#running?.stop();
    this.model = model; // which a start takes that is under way
    if (this.site) await this.#load(this.workingEngine, model);
    else if (this.#phase === "error") await this.start();
  }

  /** The engine, or a new one where that has failed. */
  get workingEngine() {
    return this.engine && !this.engine.failure ? this.engine : this.#newEngine();
  }

  /** Let the download under way rest, or go on. @param {boolean} paused */
  pause(paused) {
    this.engine?.pause(paused);
    this.#view.loading.paused = paused;
  }

  #newEngine() {
    this.engine?.close();
    this.#loaded = this.ready = null;
    this.engine = new Engine((error) => this.#engineFailed(error));
    return this.engine;
  }

  #showLoading() {
    this.#setPhase("loading");
    this.#view.showError("", false);
    this.#view.loading.reset();
  }

  /**
   * @param {Engine} engine
   * @param {ModelSource} model
   */
  async #load(engine, model) {
    if (engine.failure) return; // it has said so
    const load = ++this.#loads;
    this.#use(model, null);
    this.#showLoading();
    this.dispatchEvent(new Event("model"));
    const supported = await support();
    if (supported !== "ok") return this.#unsupported(supported);
    try {
      const ready = await engine.load(model, { chat: true, ...this.settings.loading }, (progress) => {
        this.#view.loading.update(progress);
        this.dispatchEvent(new CustomEvent("progress", { detail: progress }));
      });
      this.#loaded = { model, ready };
      document.body.dataset.restored = String(ready.restored);
    } catch (error) {
      // An engine that fails as a whole says so by #engineFailed.
      if (!engine.failure && load === this.#loads) this.#loadFailed(/** @type {EngineError} */ (error));
      return;
    }
    if (load === this.#loads) this.#becomeReady();
  }

  /** @param {EngineError} error */
  #loadFailed(error) {
    const before = this.#loaded;
    if (error.loaded && before) {
      if (error.stage !== "cancelled") this.toast(strings.failed(error.stage, error.message));
      return this.#becomeReady();
    }
    this.#loaded = null; // it had to make room
    if (error.stage === "cancelled" && before) this.load(before.model);
    else this.#engineFailed(error);
  }

  #becomeReady() {
    if (!this.#loaded) return;
    this.#use(this.#loaded.model, this.#loaded.ready);
    this.settings.model = this.#loaded.ready;
    this.#setPhase("ready");
    this.#view.showError("", false); // of a load before
    this.dispatchEvent(new Event("ready"));
    this.#view.announcer.say(strings.ready);
    this.#sendQueued();
  }

  /**
   * @param {ModelSource} model
   * @param {Ready | null} ready null: it is yet to be loaded
   */
  #use(model, ready) {
    this.model = model;
    this.ready = ready;
    this.#view.showSite(/** @type {Site} */ (this.site), model.name);
  }

  /**
   * @param {string} content
   * @param {NonNullable<Message["files"]>} files
   */
  #ask(content, files) {
    if (this.isOccupied) return;
    const parent = this.conversation.record.leaf;
    this.answer(this.conversation.add({ parent, role: "user", content, ...(files.length && { files }) }));
  }

  /** @param {Message} question */
  answer(question, anew = false) {
    const conversation = this.conversation;
    const message = conversation.add({ parent: question.id, role: "assistant", content: "", model: this.model?.name });
    this.begin({ conversation, message, anew, ...(!anew && { question }) });
  }

  /** @param {Turn} turn */
  begin(turn) {
    if (this.isOccupied) return;
    const { conversation, message } = turn;
    this.#changes++;
    this.#view.show(conversation, true);
    this.#view.messages.mark(message, "waiting", this.#phase === "ready" ? "" : strings.waiting);
    this.#view.showFull(null);
    this.#forgetError();
    history.replaceState(null, "", `#${conversation.id}`);
    this.#running?.stop(); // of another conversation
    this.#queued = turn;
    this.#keeping.keep(conversation);
    this.#sendQueued();
  }

  #sendQueued() {
    const turn = this.#queued;
    if (turn && this.#phase === "ready" && !this.#running) {
      this.#queued = null;
      this.#ended = this.#run(turn);
    }
    this.#showState();
  }

  /** @param {Turn} turn */
  async #run(turn) {
    const { conversation, message, question } = turn;
    const end = writing(message.id);
    let hasEnded = false;
    delete message.figures;
    this.#view.announcer.say(strings.answering);
    const keepNowAndThen = this.#keeping.nowAndThen(conversation);
    const pace = new Pace();
    const stop = new AbortController();
    this.#running = { conversation, message, stop: () => stop.abort() };
    const tell = (/** @type {string} */ state) => this.#view.messages.mark(message, "waiting", state);
    try {
      const answer = await ask(this, turn, stop.signal, tell);
      this.#view.messages.mark(message, "streaming", "");
      for await (const part of answer) {
        this.#take(conversation, message, part, pace);
        keepNowAndThen();
      }
      message.figures = figuresOf(/** @type {import("../shared/protocol.js").Done} */ (answer.done));
      this.#view.messages.mark(message, "ended", noteOf(message));
      this.#view.showUsage(this.conversation);
      hasEnded = true;
    } catch (error) {
      this.#running?.stop(); // where it was the page that failed
      this.#view.messages.mark(message, "ended", noteOf(message));
      const { stage, message: text } = /** @type {EngineError} */ (error);
      // What could not be made into a prompt is not made into one here.
      const questions = () => conversation.prompt(message, "").filter(({ role }) => role === "user");
      const isAlone = stage !== "context" || conversation.record.dropOldest || questions().length === 1;
      const isFull = stage === "context" && !isAlone; // then there is something to leave out
      if (isFull && conversation === this.conversation) this.#view.showFull("full");
      const isBack = stage === "context" && question && this.#tooLong(conversation, question, isAlone);
      if (!isFull && !isBack && this.#phase === "ready") this.#view.showError(strings.failed(stage, text), false);
    }
    this.#running = null;
    this.#keeping.keep(conversation).then(end);
    if (conversation === this.conversation) {
      this.#view.announcer.flush();
      this.#view.showSpeed("");
    }
    if (hasEnded) this.dispatchEvent(new CustomEvent("answered", { detail: turn }));
    this.#sendQueued();
  }

  /**
   * Do something that is shown in a message of the conversation in view: it is stopped as an answer is.
   *
   * @param {Turn} turn
   * @param {(signal: AbortSignal, update: () => void) => Promise<void>} work update: show it as it is now
   */
  async occupy({ conversation, message }, work) {
    while (this.#running) await (this.#running.stop(), this.#ended); // of another conversation
    const end = writing(message.id);
    const stop = new AbortController();
    this.#running = { conversation, message, stop: () => stop.abort() };
    this.#view.messages.mark(message, "streaming", "");
    this.#showState();
    this.#ended = work(stop.signal, () => this.#view.messages.of(message)?.update()).finally(() => {
      this.#running = null;
      this.#keeping.keep(conversation).then(end);
      this.#view.messages.mark(message, "ended", noteOf(message));
      this.#sendQueued();
    });
    await this.#ended;
  }

  /**
   * A question that the model can't read goes back to the visitor, where nothing else is being written: left in its
   * place, it would be sent along with whatever is asked instead. Returns whether it did.
   *
   * @param {Conversation} conversation
   * @param {Message} question
   * @param {boolean} isAlone there is nothing else to leave out
   */
  #tooLong(conversation, question, isAlone) {
    if (conversation !== this.conversation || !this.#view.giveBack(question)) return false;
    conversation.remove(question);
    this.#view.show(conversation);
    if (isAlone) this.#view.showError(strings.tooLong, false);
    return true;
  }

  /**
   * @param {Conversation} conversation
   * @param {Message} message
   * @param {Part} part of the message that has come
   * @param {Pace} pace
   */
  #take(conversation, message, part, pace) {
    pace.take(part);
    conversation.take(message, part, pace.thought);
    if (conversation !== this.conversation) return;
    if (part.dropped) this.#view.show(conversation);
    this.#view.stream(message, part.text, pace, this.ready?.model.context_length);
  }

  /** @returns {boolean} whether there was something to stop */
  #stop() {
    if (!this.isOccupied) return false;
    if (this.#running?.conversation === this.conversation) this.#running.stop();
    const turn = this.#queued;
    if (!turn) return true;
    this.#queued = null;
    const { conversation, message, question } = turn;
    if (question && this.#view.giveBack(question)) conversation.remove(question);
    else if (!message.content && !question) conversation.remove(message);
    else this.#view.messages.mark(message, "ended", noteOf(message));
    this.#keeping.keep(conversation);
    this.#view.show(conversation);
    this.#showState();
    return true;
  }

  newChat() {
    if (this.conversation.isEmpty) return this.#view.focusComposer();
    history.pushState(null, "", location.pathname + location.search);
    this.#enter(new Conversation());
  }

  /** @param {string} id @param {string} [message] in it that is to be in view */
  async #open(id, message) {
    const opening = ++this.#changes;
    if (id !== this.conversation.id) {
      const conversation = await this.#keeping.find(id);
      if (opening !== this.#changes) return;
      if (!conversation) return toast(strings.notThere);
      history.pushState(null, "", `#${id}`);
      this.#enter(conversation);
    }
    if (this.conversation.bring(message)) this.#view.show(this.conversation);
    this.#sidebar.chosen();
  }

  /** Show the conversation that the page's address names, or an empty one. */
  async #openAddressed() {
    const id = location.hash.slice(1);
    const opening = ++this.#changes;
    if (id === this.conversation.id) return;
    const conversation = id ? await this.#keeping.find(id) : undefined;
    if (opening !== this.#changes) return;
    if (conversation || !this.conversation.isEmpty) this.#enter(conversation ?? new Conversation());
  }

  /** @param {Conversation} conversation */
  #enter(conversation) {
    this.#changes++;
    if (this.#queued?.conversation !== conversation) this.#queued = null; // it stays unanswered
    this.conversation = conversation;
    this.#keeping.entered();
    this.#forgetError();
    this.#view.entered();
    this.#view.show(conversation, true);
    if (this.#running?.conversation === conversation) this.#view.messages.mark(this.#running.message, "streaming", "");
    this.#view.showUsage(this.conversation);
    this.#showState();
    this.dispatchEvent(new Event("entered"));
  }

  /** @param {string} id of a conversation that is no more */
  #deleted(id) {
    if (this.#running?.conversation.id === id) this.#running.stop();
    if (this.conversation.id === id) this.newChat();
  }

  /** @param {Conversation} conversation that another tab has added to */
  #mergedElsewhere(conversation) {
    if (this.isOccupied || conversation !== this.conversation) return;
    conversation.select(conversation.record.leaf); // to what was added there
    this.#showChanged(conversation);
  }

  /** Keep a conversation as it is now, and show that if it is in view. */
  changed(conversation = this.conversation) {
    this.#keeping.keep(conversation);
    this.#showChanged(conversation);
  }

  /** @param {Conversation} conversation */
  #showChanged(conversation) {
    if (conversation === this.conversation) this.#view.show(conversation);
    this.#view.showUsage(this.conversation);
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

  /** @param {Exclude<import("../shared/support.js").Support, "ok">} reason */
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
    this.#view.showState(this.#running && this.#phase === "ready" ? "busy" : this.#phase, this.isOccupied);
  }

  /** Whether an answer comes in the conversation in view, or waits to come. */
  get isOccupied() {
    return this.#queued !== null || this.#running?.conversation === this.conversation;
  }
}

localise(document.body);
const app = new App();
for (const mount of features) mount(app);
app.start();
