/**
 * The worker: starts Python, installs the engine's packages, and carries messages between the page and
 * `py_wgml.worker`. The model's download begins beside all that, not after it.
 *
 * @import { Failure, ModelSource, Ready, Reply, Request } from "./protocol.js"
 * @import { PyProxy } from "pyodide/ffi"
 */

import * as files from "./files.js";
import * as gpu from "./gpu.js";
import { resolve } from "./reference.js";
import { hasRoom } from "./room.js";
import { readSite } from "./site.js";
import { support } from "./support.js";

/** How often the page hears of a download, in milliseconds. */
const REPORT_EVERY = 100;

const seconds = { runtime: 0, packages: 0 };

/** The load that is under way, or was the last one: its files are opened here, beside Python's start. */
let loading = { id: 0, files: /** @type {Promise<files.ModelFile>[]} */ ([]), cancelled: false, problem: "" };
/** Whether there is someone to answer yet. */
let isStarted = false;

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
        return eachFile((file) => file.pause(request.paused));
      case "cancel":
        loading.cancelled = true;
        return eachFile((file) => file.close());
      case "resolve":
        return post({ type: "resolved", id: request.id, model: await resolve(request.reference) });
      case "room":
        return post({ type: "room", id: request.id, enough: await hasRoom(request.bytes) });
      case "load":
        eachFile((file) => file.close()); // of a load that this one takes the place of
        prefetch(request.id, request.model);
    }
    await (await engine).handle(data);
  } catch (error) {
    // A request's own, unless the interpreter has died of it (which `on_fatal` tells) or never came to life.
    fail(String(request.type), error, id ?? 0);
  }
});

/** @param {(file: files.ModelFile) => void} act on each file of the load under way, once it is open */
function eachFile(act) {
  for (const file of loading.files) file.then(act, () => {});
}

/**
 * @returns {Promise<any>} the Session of py_wgml.worker
 */
async function startEngine() {
  if ((await support()) !== "ok") {
    post({ type: "error", stage: "unsupported", message: "This browser gives no WebGPU to workers." });
    return new Promise(() => {}); // the page ends the worker
  }
  const site = await readSite().catch((error) => fail("site", error));
  if (!site) return new Promise(() => {});
  const wheels = site.wheels.map(async (path) => ({ path, bytes: await bytesOf(path) }));
  wheels.forEach((wheel) => wheel.catch(() => {})); // awaited below; a failure before that is not a second one

  post({ type: "progress", stage: "runtime", loaded: 0, total: 1 });
  /** @type {typeof import("pyodide")} */
  const { loadPyodide } = await import(address("pyodide/pyodide.mjs"));
  const options = { indexURL: address("pyodide/"), packages: ["micropip"] };
  const pyodide = await Promise.race([instantiationFailed(), loadPyodide(options)]);
  seconds.runtime = performance.now() / 1000;
  post({ type: "progress", stage: "runtime", loaded: 1, total: 1 });

  // The wheels are already on their way: micropip takes them from Python's own file system.
  const installed = [];
  for (const { path, bytes } of await Promise.all(wheels)) {
    const file = `/tmp/${nameOf(path)}`;
    pyodide.FS.writeFile(file, bytes);
    installed.push(`emfs:${file}`);
    post({ type: "progress", stage: "packages", loaded: installed.length, total: wheels.length + 1 });
  }
  await pyodide.pyimport("micropip").install.callKwargs(pyodide.toPy(installed), { deps: false });
  for (const wheel of installed) pyodide.FS.unlink(wheel.slice("emfs:".length));

  pyodide.registerJsModule("wgml_gpu", gpu);
  // An interpreter that has died answers nothing any more.
  /** @type {any} */ (pyodide)._api.on_fatal = (/** @type {unknown} */ error) => fail("worker", error);
  const python = pyodide.pyimport("py_wgml.worker");
  const heapBytes = () => /** @type {any} */ (pyodide)._module.HEAPU8.byteLength; // a wasm heap never shrinks: its size is its peak
  const answer = (/** @type {PyProxy} */ dict) => {
    /** @type {Reply} */
    const reply = dict.toJs({ dict_converter: Object.fromEntries, create_pyproxies: false });
    if (reply.type === "ready") complete(reply, heapBytes()).then(post);
    else post(reply.type === "error" && reply.id === loading.id ? explained(reply) : reply);
  };
  const session = python.Session(files, answer, (/** @type {string} */ traceback) => console.error(traceback));
  isStarted = true;
  seconds.packages = performance.now() / 1000 - seconds.runtime;
  post({ type: "progress", stage: "packages", loaded: 1, total: 1 });
  return session;
}

/** @param {Failure} reply to the load under way @returns {Failure} why its bytes did not come, if that is the reason */
function explained(reply) {
  if (loading.cancelled) return { ...reply, stage: "cancelled" };
  return loading.problem ? { ...reply, stage: "download", message: loading.problem } : reply;
}

/**
 * Open a model now; Python's own `open` of the same source takes it over. What goes wrong with its bytes is told to
 * the page from here, in the words of files.js.
 *
 * @param {number} id
 * @param {ModelSource} model
 */
function prefetch(id, model) {
  if (!model) return; // Python says so
  const sources = [model, ...(model.rest ?? [])];
  const arrived = sources.map(() => 0);
  const sizes = sources.map(({ bytes }) => bytes ?? 0);
  const sum = (/** @type {number[]} */ numbers) => numbers.reduce((a, b) => a + b);
  let reported = -Infinity;
  const error = (/** @type {unknown} */ problem) => {
    if (loading.id !== id || loading.cancelled || loading.problem) return;
    if (!isStarted) return fail("download", problem, id);
    console.error(problem);
    // Python answers soon: it alone knows whether the model from before is still there.
    loading.problem = lineOf(problem);
    eachFile((file) => file.close());
  };
  const opened = sources.map((source, index) => {
    const progress = (/** @type {number} */ at, /** @type {number} */ size) => {
      [arrived[index], sizes[index]] = [at, size];
      const [loaded, total] = [sum(arrived), sizes.every(Boolean) ? sum(sizes) : 0];
      if (performance.now() - reported < REPORT_EVERY && loaded !== total) return;
      reported = performance.now();
      post({ type: "progress", stage: "download", loaded, total });
    };
    return files.prefetch(source, { progress, error, ahead: files.AHEAD / sources.length });
  });
  for (const file of opened) file.catch(error);
  loading = { id, files: opened, cancelled: false, problem: "" };
}

/**
 * @param {Ready} ready as the engine knows it
 * @param {number} heapBytes
 * @returns {Promise<Ready>}
 */
async function complete(ready, heapBytes) {
  const total = performance.now() / 1000;
  return {
    ...ready,
    seconds: { ...ready.seconds, ...seconds, total },
    heap_peak_bytes: heapBytes,
    kept: (await Promise.all(loading.files)).every((file) => file.kept),
  };
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

/**
 * Pyodide waits for ever where its WebAssembly does not come, or comes under another type than it has.
 *
 * @returns {Promise<never>} rejected then; the type does not matter any more
 */
function instantiationFailed() {
  const { instantiate, instantiateStreaming } = WebAssembly;
  return new Promise((_, reject) => {
    WebAssembly.instantiateStreaming = async (source, imports) => {
      try {
        const response = await source;
        if (!response.ok) throw new Error(`the server answered ${response.status} for ${nameOf(response.url)}`);
        const isTyped = response.headers.get("content-type") === "application/wasm";
        if (isTyped) return await instantiateStreaming(response, imports);
        return await instantiate(await response.arrayBuffer(), imports);
      } catch (error) {
        reject(error);
        throw error;
      }
    };
  });
}

/** @param {string} path @returns {string} the last part of it */
function nameOf(path) {
  return path.split("/").at(-1) ?? "";
}

/** @param {string} path of this site, relative to the page */
function address(path) {
  return new URL(path, import.meta.url).href;
}

/**
 * @param {string} path
 * @returns {Promise<Uint8Array>}
 */
async function bytesOf(path) {
  const response = await fetch(address(path));
  if (!response.ok) throw new Error(`${path} could not be loaded: the server answered ${response.status}.`);
  return new Uint8Array(await response.arrayBuffer());
}
