/**
 * The worker: starts Python with the engine in it (python.js), and carries messages between the page and
 * `py_wgml.worker`. The model's download begins beside that, not after it.
 *
 * @import { SessionReady, SessionReply, ErrorReply, ModelSource, Ready, Reply, Request, Stage } from "../shared/protocol.js"
 * @import { Started } from "./python.js"
 * @import { PyProxy } from "pyodide/ffi"
 */

import * as files from "./files.js";
import * as gpu from "./gpu.js";
import { browse, generationConfig, search } from "./hub.js";
import { startPython } from "./python.js";
import { resolve } from "./resolve.js";
import { hasRoom } from "./room.js";
import { forgetMemory } from "../shared/memory_file.js";
import { readSite } from "../shared/site.js";
import { support } from "../shared/support.js";

/** How often the page hears of a download, in milliseconds. */
const REPORT_EVERY = 100;

/** When questions arrived whose marks were asked for, by their ids: milliseconds since 1970. @type {Map<number, number>} */
const arrived = new Map();

/** Whether there is someone to answer yet. */
let isStarted = false;
/** Those that Python has not answered, by their ids. @type {Map<number, Load>} */
const loads = new Map();
/** The last one: any other was given up for it. @type {Load | undefined} */
let current;

const engine = startEngine();
engine.catch((error) => fail("runtime", error));

addEventListener("message", async ({ data }) => {
  const request = /** @type {Request} */ (Object(data));
  const id = "id" in request ? request.id : undefined;
  try {
    switch (request.type) {
      case "ping":
        return post({ type: "alive" });
      case "pause":
        return current?.pause(request.paused);
      case "cancel":
        return current?.cancel();
      case "resolve":
        return post({ type: "resolved", id: request.id, model: await resolve(request.reference) });
      case "room":
        return post({ type: "room", id: request.id, enough: await hasRoom(request.bytes) });
      case "search":
        return post({ type: "found", id: request.id, repositories: await search(request.query) });
      case "browse":
        return post({ type: "browsed", id: request.id, ...(await browse(request.repository)) });
      case "generation_config":
        return post({
          type: "generation_configured",
          id: request.id,
          config: await generationConfig(request.repository),
        });
      case "send":
        if (request.marks) arrived.set(request.id, now());
        break;
      case "load":
        current?.cancel();
        loads.set(request.id, (current = new Load(request.id, request.model)));
    }
    const session = await engine;
    if (request.type === "load" && loads.get(request.id)?.isAnswered) return loads.delete(request.id);
    await session.handle(data);
  } catch (error) {
    // A request's own, unless the interpreter has died of it (which `on_fatal` tells) or never came to life.
    fail(String(request.type), error, id ?? 0);
  }
});

/**
 * @returns {Promise<any>} the Session of py_wgml.worker
 */
async function startEngine() {
  const site = readSite();
  const report = (/** @type {Stage} */ stage, /** @type {number} */ loaded, /** @type {number} */ total) =>
    post({ type: "progress", stage, loaded, total });
  const python = startPython(site, report); // it begins beside what follows
  python.catch(() => {}); // awaited below, unless something else is told before
  if ((await support()) !== "ok") {
    post({ type: "error", stage: "unsupported", message: "This browser gives no WebGPU to workers." });
    return new Promise(() => {}); // the page ends the worker
  }
  if (!(await site.catch((error) => fail("site", error)))) return new Promise(() => {});
  const started = await python;
  const { pyodide, engine } = started;
  pyodide.registerJsModule("wgml_gpu", gpu);
  // An interpreter that has died answers nothing any more; it is not to begin like this again.
  /** @type {any} */ (pyodide)._api.on_fatal = (/** @type {unknown} */ error) => {
    fail("worker", error);
    forgetMemory();
  };
  const answer = (/** @type {PyProxy} */ dict) => {
    /** @type {SessionReply} */
    const reply = dict.toJs({ dict_converter: Object.fromEntries, create_pyproxies: false });
    if (reply.type === "piece" && reply.marks) reply.marks = marksOf(reply.id, reply.marks);
    const load = reply.type === "ready" || reply.type === "error" ? loads.get(reply.id ?? 0) : undefined;
    if (load) loads.delete(load.id);
    if (reply.type === "ready") complete(reply, started, load).then(post).then(started.keep);
    else post(reply.type === "error" && load ? load.explained(reply) : reply);
  };
  const { version } = await site;
  const session = engine.Session(files, answer, (/** @type {string} */ text) => console.error(text), version);
  isStarted = true;
  return session;
}

/**
 * The load of a model. Its files are opened now; Python's own `open` of the same sources takes them over. What goes
 * wrong with their bytes is told to the page from here, in the words of files.js.
 */
class Load {
  #abort = new AbortController();
  /** Why it ended here, whatever Python makes of that. @type {Pick<ErrorReply, "stage" | "message"> | null} */
  #end = null;
  /** @type {Promise<files.ModelFile>[]} */
  #files;
  /** Whether the page has been told of its end before there was a Python to do so. */
  isAnswered = false;

  /**
   * @param {number} id
   * @param {ModelSource | undefined} model undefined: Python says so
   */
  constructor(id, model) {
    this.id = id;
    const sources = model ? [model, ...(model.rest ?? [])] : [];
    const arrived = sources.map(() => 0);
    const sizes = sources.map(({ bytes }) => bytes ?? 0);
    const sum = (/** @type {number[]} */ numbers) => numbers.reduce((a, b) => a + b);
    const { signal } = this.#abort;
    const error = (/** @type {unknown} */ problem) => {
      if (signal.aborted) return;
      console.error(problem);
      this.#giveUp("download", lineOf(problem));
    };
    let reported = -Infinity;
    this.#files = sources.map((source, index) => {
      const progress = (/** @type {number} */ offset, /** @type {number} */ size) => {
        [arrived[index], sizes[index]] = [offset, size];
        const [loaded, total] = [sum(arrived), sizes.every(Boolean) ? sum(sizes) : 0];
        if (signal.aborted || (performance.now() - reported < REPORT_EVERY && loaded !== total)) return;
        reported = performance.now();
        post({ type: "progress", stage: "download", loaded, total });
      };
      return files.prefetch(source, { progress, error, signal, ahead: files.AHEAD / sources.length });
    });
    for (const file of this.#files) file.catch(error);
  }

  /** @param {boolean} paused */
  pause(paused) {
    for (const file of this.#files)
      file.then(
        (file) => file.pause(paused),
        () => {},
      );
  }

  /** Nobody waits for it any more, or for another one instead. */
  cancel() {
    this.#giveUp("cancelled", "The load was given up.");
  }

  /**
   * @param {string} stage
   * @param {string} message
   */
  #giveUp(stage, message) {
    if (this.#end) return;
    this.#end = { stage, message };
    this.#abort.abort();
    // Else Python answers soon: it alone knows whether the model from before is still there.
    this.isAnswered = !isStarted;
    if (this.isAnswered) post({ type: "error", id: this.id, ...this.#end });
  }

  /** @param {ErrorReply} reply Python's @returns {ErrorReply} with the reason, if that lies here */
  explained(reply) {
    return { ...reply, ...this.#end };
  }

  /** Whether all of it is on this device, once all of it has been read. */
  async isKept() {
    const files = await Promise.allSettled(this.#files);
    return files.every((file) => file.status === "fulfilled" && file.value.kept);
  }
}

/**
 * @param {SessionReady} ready as the engine knows it
 * @param {Started} started
 * @param {Load | undefined} load
 * @returns {Promise<Ready>}
 */
async function complete(ready, { pyodide, seconds, restored }, load) {
  const total = performance.now() / 1000;
  return {
    ...ready,
    seconds: { ...ready.seconds, ...seconds, total },
    heap_peak_bytes: /** @type {any} */ (pyodide)._module.HEAPU8.byteLength, // it never shrinks: its size is its peak
    restored,
    kept: (await load?.isKept()) ?? false,
  };
}

/** @returns {number} milliseconds since 1970, by a clock that the page has too */
function now() {
  return performance.timeOrigin + performance.now();
}

/**
 * @param {number} id of a question
 * @param {Record<string, number>} marks Python's, whose clock is `performance.now()` in seconds
 * @returns {Record<string, number>} with those of the way to it and from it
 */
function marksOf(id, marks) {
  const python = Object.entries(marks).map(([name, seconds]) => [name, performance.timeOrigin + 1000 * seconds]);
  const made = { worker: arrived.get(id) ?? NaN, ...Object.fromEntries(python), posted: now() };
  arrived.delete(id);
  return made;
}

/** @param {Reply} message */
function post(message) {
  postMessage(message);
}

/**
 * @param {string} stage
 * @param {unknown} error
 * @param {number} [id] of the request that failed (0: one that has none), if it is not the engine as a whole
 */
function fail(stage, error, id) {
  console.error(error);
  post({ type: "error", stage, id, message: lineOf(error) });
}

/** @param {unknown} error @returns {string} of a Python traceback, the last line, which says what went wrong */
function lineOf(error) {
  const text = String(Object(error).message ?? error); // what ends Pyodide is no Error
  return text.trim().split("\n").at(-1) ?? "";
}
