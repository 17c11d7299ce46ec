/**
 * Functions that the model may call, and what becomes of its calls: each is run, its result goes back to the model, and
 * the model goes on, a few times in a row. What the visitor has not asked for is not offered to the model.
 *
 * @import { App } from "./app.js"
 * @import { CallRecord, Conversation, Message, Turn } from "./conversation.js"
 * @import { Run } from "./runs.js"
 * @import { Asked } from "./calls.js"
 * @import { Callable } from "./tools.js"
 *
 * @typedef {"off" | "ask" | "always"} Consent
 */

import { byId, element } from "./dom.js";
import { choices, fieldRow } from "./fields.js";
import { recallJson, remember, whenChanged } from "./remembered.js";
import { forModel } from "./runs.js";
import { strings } from "./strings.js";
import { isWritten } from "./written.js";

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
  #chosen = chosen(recallJson(KEY));
  /** By their names. @type {Map<string, Callable>} */
  #functions = new Map();
  #offers = 0;
  #hadServers = false;
  /** Ends what goes on in the Python of before. */
  #close = () => {};

  /** @param {App} app */
  constructor(app) {
    this.#app = app;
    app.addEventListener("site", () => this.#offer());
    app.addEventListener("answered", (event) => this.#answered(/** @type {CustomEvent<Turn>} */ (event).detail));
    byId("messages").addEventListener("asked", (event) =>
      this.#asked(/** @type {CustomEvent<Asked>} */ (event).detail),
    );
    app.settings.sections.push({ show: () => this.#section(), reset: () => this.#reset() });
    whenChanged(KEY, () => {
      this.#chosen = chosen(recallJson(KEY));
      this.#offer();
    });
  }

  /** Tell the model of what there is, as the visitor has chosen. What nobody wants is not loaded. */
  async #offer() {
    const { site } = this.#app;
    const { python, site: own, servers } = this.#chosen;
    const offer = ++this.#offers;
    if (python === "off") this.#close();
    /** @type {Callable[]} */
    const functions = [];
    if (site && (python !== "off" || (own && site.tools))) {
      try {
        const { closePython, functionsOf, pythonOf } = await import("./tools.js");
        this.#close = closePython;
        if (python !== "off") functions.push(pythonOf(site.wheels));
        if (own && site.tools) functions.push(...(await functionsOf(site.tools)));
      } catch (error) {
        this.#app.toast(strings.tools.broken(/** @type {Error} */ (error).message));
      }
    }
    if (site && (servers.length || this.#hadServers)) functions.push(...(await this.#offered(servers)));
    if (offer !== this.#offers) return; // the visitor has chosen otherwise meanwhile
    this.#functions = new Map(functions.map((made) => [made.name, made]));
    this.#app.tools = [...this.#functions.values()].map(({ name, description, parameters }) => ({
      type: "function",
      function: { name, description, parameters },
    }));
    if (this.#app.conversation.path.at(-1)?.calls) this.#app.changed(); // they can be run now, or no longer
  }

  /** @param {string[]} servers that the visitor has named @returns {Promise<Callable[]>} what they offer */
  async #offered(servers) {
    this.#hadServers = true;
    const { functionsAt, keepOnly } = await import("./mcp.js");
    keepOnly(servers);
    const failed =
      (/** @type {string} */ server) =>
      (/** @type {Error} */ { message }) => {
        this.#app.toast(strings.tools.noServer(server, message));
        return [];
      };
    return (await Promise.all(servers.map((server) => functionsAt(server).catch(failed(server))))).flat();
  }

  /** @param {Partial<ReturnType<typeof chosen>>} change */
  #choose(change) {
    Object.assign(this.#chosen, change);
    remember(KEY, JSON.stringify(this.#chosen));
    this.#offer();
  }

  #reset() {
    const before = { ...this.#chosen };
    this.#choose(chosen({}));
    return () => this.#choose(before);
  }

  #section() {
    const { python, site, consent } = strings.tools;
    const { servers } = this.#chosen;
    const section = element("div", "sections");
    section.append(
      choices("python", python.label, python.choices, this.#chosen.python, python.explained, (consent) =>
        this.#choose({ python: /** @type {Consent} */ (consent) }),
      ),
      this.#servers(),
    );
    if (servers.length) {
      section.append(
        choices("consent", consent.label, consent.choices, this.#chosen.consent, consent.explained, (chosen) =>
          this.#choose({ consent: /** @type {Consent} */ (chosen) }),
        ),
      );
    }
    if (!this.#app.site?.tools) return section;
    const own = String(this.#chosen.site);
    const list = choices("site-tools", site.label, site.choices, own, site.explained, (on) =>
      this.#choose({ site: on === "true" }),
    );
    const offered = element("ul", "help");
    for (const { name, description, consent } of this.#functions.values()) {
      if (!consent) offered.append(element("li", "", `${name}: ${description}`));
    }
    list.append(offered);
    section.append(list);
    return section;
  }

  /** The field for the addresses of servers. */
  #servers() {
    const { label, explained, wrong } = strings.tools.servers;
    const input = /** @type {HTMLTextAreaElement} */ (element("textarea", ""));
    Object.assign(input, { rows: 2, value: this.#chosen.servers.join("\n"), placeholder: "https://" });
    const { root, problem } = fieldRow("servers", label, explained, input);
    input.addEventListener("change", async () => {
      const { serverAddress } = await import("./mcp.js");
      const lines = input.value.split("\n").filter((line) => line.trim());
      const servers = lines.map(serverAddress);
      problem.textContent = servers.includes(null) ? wrong(lines[servers.indexOf(null)]) : "";
      if (!servers.includes(null)) this.#choose({ servers: [...new Set(/** @type {string[]} */ (servers))] });
    });
    return root;
  }

  /** @param {Turn} turn */
  #answered({ conversation, message }) {
    if (message.figures?.reason === "tool_calls" && this.#functions.size) this.#goOn(conversation);
  }

  /** @param {Asked} asked */
  async #asked({ call, what }) {
    const { conversation } = this.#app;
    const message = conversation.path.at(-1);
    if (this.#app.isOccupied || !message?.calls?.includes(call)) return;
    if (await isWritten(message.id)) return this.#app.toast(strings.answeredElsewhere);
    if (this.#app.isOccupied || this.#app.conversation !== conversation) return;
    if (what === "decline") {
      Object.assign(call, { result: strings.tools.declined, run: { ...nothing(), error: strings.tools.notRun } });
      this.#app.changed();
      this.#goOn(conversation);
    } else if (await this.#run(conversation, message, call)) {
      this.#goOn(conversation);
    }
  }

  /**
   * Run what the conversation's last message calls, as far as the visitor need not be asked. When all has run, the model
   * goes on.
   *
   * @param {Conversation} conversation
   */
  async #goOn(conversation) {
    for (;;) {
      const message = conversation.path.at(-1);
      if (this.#app.isOccupied || this.#app.conversation !== conversation || !message?.calls) return;
      const call = message.calls.find(({ result }) => result === undefined);
      if (!call) return this.#answer(conversation, message);
      if (!this.#isAllowed(conversation, call) || !(await this.#run(conversation, message, call))) return;
    }
  }

  /**
   * @param {Conversation} conversation
   * @param {CallRecord} call
   */
  #isAllowed({ path }, { name }) {
    const since = path.slice(path.findLastIndex(({ role }) => role === "user"));
    if (since.filter(({ calls }) => calls).length > MOST_ROUNDS) return false;
    const consent = this.#functions.get(name)?.consent;
    return !consent || this.#chosen[consent === "python" ? "python" : "consent"] === "always";
  }

  /**
   * @param {Conversation} conversation
   * @param {Message} message that calls it
   * @param {CallRecord} call
   * @returns {Promise<boolean>} whether the model shall hear of it: the visitor has not stopped it
   */
  async #run(conversation, message, call) {
    let isStopped = false;
    await this.#app.occupy({ conversation, message }, async (signal, update) => {
      call.run = nothing();
      const onOutput = (/** @type {string} */ output) => {
        call.run = { ...nothing(), output };
        update();
      };
      call.run = await this.#result(call, { conversation, onOutput, signal });
      isStopped = signal.aborted;
      if (!isStopped) call.result = forModel(call.run); // else it waits again
    });
    return !isStopped;
  }

  /**
   * @param {CallRecord} call
   * @param {import("./tools.js").Context} context
   * @returns {Promise<Run>}
   */
  async #result({ name, arguments: given }, context) {
    const called = this.#functions.get(name);
    try {
      if (!called) throw new Error(strings.tools.unknown(name));
      const values = JSON.parse(given || "{}");
      if (values === null || typeof values !== "object") throw new TypeError(strings.tools.noArguments);
      return await called.run(values, context);
    } catch (error) {
      return { ...nothing(), error: String(Object(error).message ?? error) };
    }
  }

  /**
   * @param {Conversation} conversation
   * @param {Message} before whose calls have run
   */
  #answer(conversation, { id }) {
    const message = conversation.add({ parent: id, role: "assistant", content: "", model: this.#app.model?.name });
    this.#app.begin({ conversation, message });
  }
}

/**
 * @param {unknown} kept
 * @returns {{python: Consent, site: boolean, servers: string[], consent: Consent}} what of it is what it should be
 */
function chosen(kept) {
  const { python, site, servers, consent } = Object(kept);
  return {
    python: python === "ask" || python === "always" ? python : "off",
    site: site !== false,
    servers: Array.isArray(servers) ? servers.filter((server) => typeof server === "string") : [],
    consent: consent === "always" ? consent : "ask",
  };
}

/** @returns {Run} */
function nothing() {
  return { output: "", shown: [], seconds: 0 };
}
