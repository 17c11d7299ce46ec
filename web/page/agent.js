/**
 * Functions that the model may call, and what becomes of its calls: each is run, its result goes back to the model, and
 * the model goes on, a few times in a row. What the visitor has not asked for is not offered to the model.
 *
 * @import { App } from "./app.js"
 * @import { Conversation, Message, Turn } from "./conversation.js"
 * @import { Asked } from "./calls.js"
 * @import { Callable } from "./tools.js"
 *
 * @typedef {"off" | "ask" | "always"} Consent
 */

import { byId, element } from "./dom.js";
import { recallJson, remember } from "./remembered.js";
import { forModel } from "./runs.js";
import { choices } from "./settings.js";
import { strings } from "./strings.js";

/** What the visitor has chosen, of the origin's storage. */
const KEY = "tools";
/** An answer calls so many times before the visitor is asked whether it shall go on. */
const MOST_ROUNDS = 8;

/** @param {App} app */
export function mount(app) {
  new Agent(app);
}

class Agent {
  #app;
  #chosen = chosen();
  /** By their names. @type {Map<string, Callable>} */
  #functions = new Map();
  /** Ends what goes on in the Python of before. */
  #close = () => {};

  /** @param {App} app */
  constructor(app) {
    this.#app = app;
    app.addEventListener("site", () => this.#offer());
    app.addEventListener("answered", (event) => this.#answered(/** @type {CustomEvent<Turn>} */ (event).detail));
    byId("messages").addEventListener("asked", (event) => this.#asked(/** @type {CustomEvent<Asked>} */ (event).detail));
    app.sections.push({ show: () => this.#section(), reset: () => this.#choose({ python: "off", site: true }) });
  }

  /** Tell the model of what there is, as the visitor has chosen. */
  async #offer() {
    const { site } = this.#app;
    const { python, site: own } = this.#chosen;
    const isWanted = python !== "off" || (own && site?.tools);
    if (python === "off") this.#close();
    this.#functions.clear();
    if (isWanted && site) {
      try {
        const { functionsOf, closePython } = await import("./tools.js");
        this.#close = closePython;
        for (const made of await functionsOf(site, python !== "off", own)) this.#functions.set(made.name, made);
      } catch (error) {
        this.#app.toast(strings.tools.broken(/** @type {Error} */ (error).message));
      }
    }
    this.#app.tools = [...this.#functions.values()].map(({ name, description, parameters }) => ({
      type: "function",
      function: { name, description, parameters },
    }));
  }

  /** @param {Partial<ReturnType<typeof chosen>>} change */
  #choose(change) {
    Object.assign(this.#chosen, change);
    remember(KEY, JSON.stringify(this.#chosen));
    this.#offer();
  }

  #section() {
    const { python, site } = strings.tools;
    const section = element("div", "sections");
    section.append(
      choices("python", python.label, python.choices, this.#chosen.python, python.explained, (consent) =>
        this.#choose({ python: /** @type {Consent} */ (consent) }),
      ),
    );
    if (!this.#app.site?.tools) return section;
    const own = String(this.#chosen.site);
    const list = choices("site-tools", site.label, site.choices, own, site.explained, (on) => this.#choose({ site: on === "true" }));
    const offered = element("ul", "help");
    for (const { name, description, isPython } of this.#functions.values()) {
      if (!isPython) offered.append(element("li", "", `${name}: ${description}`));
    }
    list.append(offered);
    section.append(list);
    return section;
  }

  /** @param {Turn} turn */
  #answered({ conversation, message }) {
    if (!message.tool_calls || message.figures?.reason !== "tool_calls") return;
    let parent = message.id;
    for (const { id } of message.tool_calls) {
      parent = conversation.add({ parent, role: "tool", content: "", tool_call_id: id }).id;
    }
    this.#app.changed(conversation);
    this.#goOn(conversation);
  }

  /** @param {Asked} asked */
  async #asked({ message, what }) {
    const { conversation } = this.#app;
    if (this.#app.isOccupied) return;
    if (what === "decline") {
      Object.assign(message, { content: strings.tools.declined, run: { ...nothing(), error: strings.tools.notRun } });
      this.#app.changed(conversation);
    }
    if (what !== "run" || (await this.#run(conversation, message))) this.#goOn(conversation);
  }

  /** Run what waits, as far as it need not be asked for; and when nothing waits, let the model go on. @param {Conversation} conversation */
  async #goOn(conversation) {
    for (;;) {
      if (this.#app.isOccupied || this.#app.conversation !== conversation) return;
      const { path } = conversation;
      const results = path.slice(path.findLastIndex(({ role }) => role !== "tool") + 1);
      const waiting = results.find(({ content }) => !content);
      if (!waiting && results.length) return this.#answer(conversation);
      if (!waiting || !this.#isAllowed(conversation, waiting)) return;
      if (!(await this.#run(conversation, waiting))) return;
    }
  }

  /**
   * @param {Conversation} conversation
   * @param {Message} message that waits
   */
  #isAllowed(conversation, message) {
    const { path } = conversation;
    const since = path.slice(path.findLastIndex(({ role }) => role === "user"));
    if (since.filter(({ tool_calls }) => tool_calls).length > MOST_ROUNDS) return false;
    const called = this.#functions.get(conversation.callOf(message)?.function.name ?? "");
    return !called?.isPython || this.#chosen.python === "always";
  }

  /**
   * @param {Conversation} conversation
   * @param {Message} message
   * @returns {Promise<boolean>} whether the model shall hear of it: the visitor has not stopped it
   */
  async #run(conversation, message) {
    let isStopped = false;
    await this.#app.occupy({ conversation, message }, async (signal, update) => {
      message.content = "";
      message.run = nothing();
      const onOutput = (/** @type {string} */ output) => {
        message.run = { ...nothing(), output };
        update();
      };
      message.run = await this.#result(conversation, message, onOutput, signal);
      message.content = forModel(message.run);
      isStopped = signal.aborted;
    });
    return !isStopped;
  }

  /**
   * @param {Conversation} conversation
   * @param {Message} message
   * @param {(output: string) => void} onOutput
   * @param {AbortSignal} signal
   * @returns {Promise<import("./runs.js").Run>}
   */
  async #result(conversation, message, onOutput, signal) {
    const { name = "", arguments: given = "" } = conversation.callOf(message)?.function ?? {};
    const called = this.#functions.get(name);
    try {
      if (!called) throw new Error(strings.tools.unknown(name));
      const values = JSON.parse(given || "{}");
      if (values === null || typeof values !== "object") throw new TypeError(strings.tools.noArguments);
      return await called.run(values, { conversation, onOutput, signal });
    } catch (error) {
      return { ...nothing(), error: String(Object(error).message ?? error) };
    }
  }

  /** @param {Conversation} conversation whose last message is a result */
  #answer(conversation) {
    const message = conversation.add({ parent: conversation.record.leaf, role: "assistant", content: "", model: this.#app.model?.name });
    this.#app.begin({ conversation, message });
  }
}

/** @returns {{python: Consent, site: boolean}} what is kept, as far as it is what it should be */
function chosen() {
  const { python, site } = Object(recallJson(KEY));
  return { python: python === "ask" || python === "always" ? python : "off", site: site !== false };
}

/** @returns {import("./runs.js").Run} */
function nothing() {
  return { output: "", shown: [], seconds: 0 };
}
