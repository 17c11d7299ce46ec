/**
 * The page's side of the worker: the message protocol as promises and async iterators.
 *
 * Knows nothing of the page and nothing of Python; an Engine that has failed stays failed, a new one is a new start.
 *
 * @import { AnswerOptions, Asked, BenchFigures, BenchOptions, Card, ChatMessage, Embedded, FileFacts } from "../shared/protocol.js"
 * @import { LoadOptions, ModelSource, Progress, Ranked, Ready, Reply, Request, Resolved, Room } from "../shared/protocol.js"
 * @import { Attended, Browsed, Consult, Consulted, Found, GenerationConfigured, HubRepository, Inspect, Inspected, Passages, Profiled, Rewritten, Spelled } from "../shared/protocol.js"
 *
 * @template T
 * @typedef {T extends {id: number} ? Omit<T, "id"> : T} Unnumbered of a message
 */

/** @typedef {import("./answer.js").Part} Part */
/** @typedef {Pick<Inspect, "messages" | "options" | "drop_oldest">} AskedAnswer an answer, and what it was asked for with */

/**
 * @template T
 * @typedef {{promise: Promise<T>, resolve: (value: T) => void, reject: (error: Error) => void}} Deferred
 */

import { Answer, EngineError } from "./answer.js";
import { recallJson, remember } from "./remembered.js";
import { workerAddress } from "./trusted.js";

export { addCall, Answer, EngineError } from "./answer.js";

/** What was found out about this device's GPU is remembered for later visits, under this name. */
const TRIAL = "gpu trial";

/** How often an engine that owes something is looked after, in milliseconds. */
const TICK = 1000;
/**
 * After so many ticks without a sign of life it is taken for hung: while it loads, at work, and once it was told to stop.
 * They are counted, not timed: while the device sleeps, or the tab rests in the background, few or none come.
 */
const PATIENCE = { loading: 180, working: 60, stopping: 15 };

/** One worker, and in it one model at a time. */
export class Engine {
  /** @type {Worker | undefined} */
  #worker;
  #nextId = 1;
  /** @type {Map<number, Answer>} */
  #answers = new Map();
  /** What was asked and has not been replied to. @type {Map<number, Deferred<any>>} */
  #asked = new Map();
  /** @type {(progress: Progress) => void} */
  #onProgress = () => {};
  /** @type {(error: EngineError) => void} */
  #onFailure;
  /** Why the engine as a whole is of no more use. @type {EngineError | null} */
  failure = null;
  /** Ticks since its last sign of life. */
  #silent = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #watch;
  /** What yields to whatever else is asked for. @type {Answer | null} */
  #aside = null;
  /** What was told to stop, and has not ended. @type {Set<number>} */
  #stopping = new Set();
  #isLoaded = false;

  /**
   * The worker starts its runtime at once, before it is told of a model.
   *
   * @param {(error: EngineError) => void} [onFailure] called once if the engine as a whole fails, at whatever time
   */
  constructor(onFailure = () => {}) {
    this.#onFailure = onFailure;
    const notStarted = new EngineError("site", "worker.js does not start: its server does not send it as it is");
    try {
      this.#worker = new Worker(workerAddress("worker/worker.js"), { type: "module" });
    } catch {
      queueMicrotask(() => this.#fail(notStarted)); // when whoever made it has it
      return;
    }
    this.#worker.onmessage = ({ data }) => this.#receive(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      // Of a script that does not come, or one of its modules, a browser says nothing more.
      const text = event.message?.replace(/^Uncaught (?:Error: )?/, "");
      this.#fail(text ? new EngineError("worker", text) : notStarted);
    };
    this.#worker.onmessageerror = () => this.#fail(new EngineError("worker", "a message could not be read"));
  }

  /**
   * Load a model. The one from before is freed as soon as it is known that this one can be read.
   *
   * @param {ModelSource} model
   * @param {LoadOptions} options
   * @param {(progress: Progress) => void} onProgress
   * @returns {Promise<Ready>} rejected with an EngineError, whose stage is "cancelled" after `cancel`
   */
  async load(model, options, onProgress) {
    this.#onProgress = onProgress;
    const trial = /** @type {LoadOptions["trial"]} */ (recallJson(TRIAL));
    /** @type {Ready} */
    const ready = await this.#ask({ type: "load", model, options: { ...options, trial } });
    remember(TRIAL, JSON.stringify(ready.adapter.trial));
    return ready;
  }

  /** Let the download under way rest, or go on. @param {boolean} paused */
  pause(paused) {
    this.#post({ type: "pause", paused });
  }

  /** Give up the download under way. What has come of it stays on the device. */
  cancel() {
    this.#post({ type: "cancel" });
  }

  /**
   * Find out what a person means who names a model (see worker/resolve.js), and how large it is.
   *
   * @param {string} reference
   * @returns {Promise<ModelSource>} rejected with an EngineError
   */
  async resolve(reference) {
    return /** @type {Resolved} */ (await this.#ask({ type: "resolve", reference })).model;
  }

  /**
   * @param {string} query
   * @returns {Promise<HubRepository[]>} on Hugging Face, with GGUF files; rejected with an EngineError
   */
  async search(query) {
    return /** @type {Found} */ (await this.#ask({ type: "search", query })).repositories;
  }

  /** @param {string} repository @returns {Promise<Browsed>} its models; rejected with an EngineError */
  browse(repository) {
    return this.#ask({ type: "browse", repository });
  }

  /**
   * @param {string} repository
   * @returns {Promise<Record<string, unknown>>} its generation_config.json; rejected with an EngineError
   */
  async generationConfig(repository) {
    const reply = await this.#ask({ type: "generation_config", repository });
    return /** @type {GenerationConfigured} */ (reply).config;
  }

  /**
   * Whether the GPU has so many bytes to give, once the loaded model is freed.
   *
   * @param {number} bytes
   * @returns {Promise<boolean>}
   */
  async hasRoom(bytes) {
    return /** @type {Room} */ (await this.#ask({ type: "room", bytes })).enough;
  }

  /**
   * The vectors of texts.
   *
   * @param {string[]} texts
   * @param {number | null} [dimensions] of the vectors, the first so many
   * @param {boolean} [beside] by the model that was loaded beside the other one
   * @returns {Promise<Embedded>} rejected with an EngineError
   */
  embed(texts, dimensions, beside = false) {
    return this.#ask({ type: "embed", texts, dimensions, ...(beside && { beside }) });
  }

  /**
   * What of some documents answers a question, if the model can't read all of them.
   *
   * @param {Omit<Consult, "type" | "id">} asked
   * @returns {Promise<Consulted>} rejected with an EngineError
   */
  consult(asked) {
    return this.#ask({ type: "consult", ...asked });
  }

  /**
   * @param {Consult["documents"][number]} document
   * @returns {Promise<string[]>} the passages that it is cut into; rejected with an EngineError
   */
  async passages(document) {
    return /** @type {Passages} */ (await this.#ask({ type: "cut", document })).texts;
  }

  /**
   * How well documents suit a query.
   *
   * @param {string} query
   * @param {string[]} documents
   * @returns {Promise<Ranked>} rejected with an EngineError
   */
  rerank(query, documents) {
    return this.#ask({ type: "rerank", query, documents });
  }

  /**
   * What the model held likely at each token of an answer.
   *
   * @param {AskedAnswer} answer
   * @returns {Promise<Inspected>} rejected with an EngineError
   */
  inspect(answer) {
    return this.#ask({ type: "inspect", ...answer });
  }

  /**
   * Where it looked when it chose a token of it.
   *
   * @param {AskedAnswer} answer
   * @param {{token: number, layer: number, head: number | null}} where head: null: all
   * @returns {Promise<number[]>} what each token before that one weighed; rejected with an EngineError
   */
  async attend(answer, where) {
    return /** @type {Attended} */ (await this.#ask({ type: "attend", ...answer, ...where })).weights;
  }

  /**
   * The tokens of it, and of the prompt before it.
   *
   * @param {AskedAnswer} answer
   * @returns {Promise<Spelled>} rejected with an EngineError
   */
  spell(answer) {
    return this.#ask({ type: "spell", ...answer });
  }

  /** @returns {Promise<Profiled>} what the time of a token goes to */
  profile() {
    return this.#ask({ type: "profile" });
  }

  /**
   * The Python of the model, or another one in its place.
   *
   * @param {string | null} [text] what the visitor has written; null: the family's own again
   * @returns {Promise<Rewritten>} rejected with an EngineError
   */
  rewrite(text) {
    return this.#ask({ type: "rewrite", ...(text !== undefined && { text }) });
  }

  /** @returns {Promise<FileFacts>} what the file of the loaded model says of itself */
  async card() {
    return /** @type {Card} */ (await this.#ask({ type: "card" })).card;
  }

  /**
   * Ask for the answer to a conversation whose last message is the user's, or for more of the assistant's last message.
   *
   * @param {ChatMessage[]} messages
   * @param {AnswerOptions} sampling
   * @param {boolean} [dropOldest] leave the oldest messages out where there are too many
   * @param {boolean} [marks] tell what its first text waited for
   * @returns {Answer}
   */
  send(messages, sampling, dropOldest = false, marks = false) {
    const id = this.#nextId++;
    const answer = new Answer(() => {
      if (!this.#answers.has(id) || this.#stopping.has(id)) return;
      this.#stopping.add(id);
      this.#silent = 0;
      this.#post({ type: "stop", id });
      this.#post({ type: "ping" });
    });
    if (this.failure) {
      answer.fail(this.failure);
    } else {
      this.#answers.set(id, answer);
      this.#request({ type: "send", id, messages, sampling, drop_oldest: dropOldest, ...(marks && { marks }) });
    }
    return answer;
  }

  /**
   * As `send`, for what nobody waits for: it ends at once when anything else is asked for.
   *
   * @param {ChatMessage[]} messages
   * @param {AnswerOptions} sampling
   * @returns {Answer}
   */
  aside(messages, sampling) {
    const answer = this.send(messages, sampling);
    this.#aside = answer;
    return answer;
  }

  /**
   * Measure the model's speed.
   *
   * @param {BenchOptions} options
   * @returns {Promise<BenchFigures["figures"]>} rejected with an EngineError
   */
  async bench(options) {
    return /** @type {BenchFigures} */ (await this.#ask({ type: "bench", ...options })).figures;
  }

  /** End the worker; whatever it was doing is given up silently. */
  close() {
    this.#onFailure = () => {};
    this.#fail(new EngineError("closed", "the engine was closed"));
  }

  /**
   * @param {Unnumbered<Asked>} message
   * @returns {Promise<any>} its reply
   */
  #ask(message) {
    /** @type {Deferred<any>} */
    const reply = deferred();
    if (this.failure) {
      reply.reject(this.failure);
    } else {
      const id = this.#nextId++;
      this.#asked.set(id, reply);
      this.#request(/** @type {Asked} */ ({ ...message, id }));
    }
    return reply.promise;
  }

  /**
   * What can't be sent (functions, elements of a page) fails as what the worker refuses does.
   *
   * @param {Request & {id: number}} message
   */
  #request(message) {
    this.#aside?.stop();
    this.#aside = null;
    this.#watch ??= setInterval(() => this.#tick(), TICK);
    try {
      this.#post(message);
    } catch (error) {
      this.#receive({
        type: "error",
        id: message.id,
        stage: message.type,
        message: /** @type {Error} */ (error).message,
      });
    }
  }

  #tick() {
    if (!this.#answers.size && !this.#asked.size) {
      clearInterval(this.#watch);
      this.#watch = undefined;
      this.#silent = 0;
      return;
    }
    const patience = this.#stopping.size ? PATIENCE.stopping : this.#isLoaded ? PATIENCE.working : PATIENCE.loading;
    if (++this.#silent > patience) this.#fail(new EngineError("hung", "the engine does not answer any more"));
    else this.#post({ type: "ping" });
  }

  /** @param {Request} message */
  #post(message) {
    this.#worker?.postMessage(message);
  }

  /** @param {Reply} message */
  #receive(message) {
    this.#silent = 0;
    switch (message.type) {
      case "alive":
        break;
      case "progress":
        this.#onProgress(message);
        break;
      case "dropped":
      case "reading":
      case "piece":
        this.#answers.get(message.id)?.push(message);
        break;
      case "done":
        this.#answers.get(message.id)?.finish(message);
        this.#answers.delete(message.id);
        this.#stopping.delete(message.id);
        break;
      case "error": {
        const { id, stage, message: text, loaded } = message;
        const error = new EngineError(stage, text, loaded);
        if (id === undefined || id === null) return this.#fail(error);
        this.#answers.get(id)?.fail(error);
        this.#answers.delete(id);
        this.#stopping.delete(id);
        this.#asked.get(id)?.reject(error);
        this.#asked.delete(id);
        break;
      }
      default:
        this.#isLoaded ||= message.type === "ready";
        this.#asked.get(message.id)?.resolve(message);
        this.#asked.delete(message.id);
    }
  }

  /** @param {EngineError} error */
  #fail(error) {
    if (this.failure) return;
    this.failure = error;
    clearInterval(this.#watch);
    this.#worker?.terminate();
    for (const reply of this.#asked.values()) reply.reject(error);
    for (const answer of this.#answers.values()) answer.fail(error);
    this.#asked.clear();
    this.#answers.clear();
    this.#onFailure(error);
  }
}

/**
 * Promise.withResolvers, which the oldest browsers with WebGPU lack.
 *
 * @template T
 * @returns {Deferred<T>}
 */
function deferred() {
  /** @type {any} */
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}
