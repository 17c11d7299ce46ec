/**
 * The worker: starts Python, installs the engine's packages, and carries messages between the page and
 * `py_wgml.worker`. The model's download begins beside all that, not after it.
 *
 * @import { Ready, Reply, Request, Site } from "./protocol.js"
 * @import { PyProxy } from "pyodide/ffi"
 */

import * as files from "./files.js";
import * as gpu from "./gpu.js";
import { support } from "./support.js";

/** How often the page hears of a download, in milliseconds. */
const REPORT_EVERY = 100;

const seconds = { runtime: 0, packages: 0 };

/** @type {files.ModelFile | undefined} */
let modelFile;

const engine = startEngine();
engine.catch((error) => fail("runtime", error));

addEventListener("message", async ({ data }) => {
  const request = /** @type {Request} */ (data);
  if (request.type === "load") prefetch(request.model);
  try {
    await (await engine).handle(request);
  } catch (error) {
    fail(request.type, error);
  }
});

/**
 * @returns {Promise<any>} the Python module py_wgml.worker
 */
async function startEngine() {
  if ((await support()) !== "ok") {
    post({ type: "error", stage: "unsupported", message: "This browser gives no WebGPU to workers." });
    return new Promise(() => {}); // the page ends the worker
  }
  const site = /** @type {Site} */ (await (await fetch(address("site.json"))).json());
  const wheels = site.wheels.map(async (path) => ({ path, bytes: await bytesOf(path) }));
  wheels.forEach((wheel) => wheel.catch(() => {})); // awaited below; a failure before that is not a second one

  post({ type: "progress", stage: "runtime", loaded: 0, total: 1 });
  /** @type {typeof import("pyodide")} */
  const { loadPyodide } = await import(address("pyodide/pyodide.mjs"));
  const pyodide = await loadPyodide({ indexURL: address("pyodide/"), packages: ["micropip"] });
  seconds.runtime = performance.now() / 1000;
  post({ type: "progress", stage: "runtime", loaded: 1, total: 1 });

  // The wheels are already on their way: micropip takes them from Python's own file system.
  const installed = [];
  for (const { path, bytes } of await Promise.all(wheels)) {
    const file = `/tmp/${path.split("/").at(-1)}`;
    pyodide.FS.writeFile(file, bytes);
    installed.push(`emfs:${file}`);
    post({ type: "progress", stage: "packages", loaded: installed.length, total: wheels.length + 1 });
  }
  await pyodide.pyimport("micropip").install.callKwargs(pyodide.toPy(installed), { deps: false });
  for (const wheel of installed) pyodide.FS.unlink(wheel.slice("emfs:".length));

  pyodide.registerJsModule("wgml_gpu", gpu);
  pyodide.registerJsModule("wgml_files", files);
  const python = pyodide.pyimport("py_wgml.worker");
  const heapBytes = () => /** @type {any} */ (pyodide)._module.HEAPU8.byteLength; // a wasm heap never shrinks: its size is its peak
  python.start((/** @type {PyProxy} */ dict) => {
    /** @type {Reply} */
    const reply = dict.toJs({ dict_converter: Object.fromEntries, create_pyproxies: false });
    post(reply.type === "ready" ? complete(reply, heapBytes()) : reply);
  });
  seconds.packages = performance.now() / 1000 - seconds.runtime;
  post({ type: "progress", stage: "packages", loaded: 1, total: 1 });
  return python;
}

/**
 * Open the model now; Python's own `open` of the same source takes it over. What goes wrong with its bytes is told to
 * the page from here, in the words of files.js.
 *
 * @param {import("./protocol.js").ModelSource} source
 */
async function prefetch(source) {
  let reported = -Infinity;
  const failed = (/** @type {Error} */ error) => fail("download", error);
  try {
    modelFile = await files.prefetch(source, {
      progress(loaded, total) {
        if (performance.now() - reported < REPORT_EVERY && loaded !== total) return;
        reported = performance.now();
        post({ type: "progress", stage: "download", loaded, total });
      },
      error: failed,
    });
  } catch (error) {
    failed(/** @type {Error} */ (error));
  }
}

/**
 * @param {Ready} ready as the engine knows it
 * @param {number} heapBytes
 * @returns {Ready}
 */
function complete(ready, heapBytes) {
  const total = performance.now() / 1000;
  return {
    ...ready,
    seconds: { ...ready.seconds, ...seconds, total },
    heap_peak_bytes: heapBytes,
    kept: modelFile?.kept ?? false,
  };
}

/** @param {Reply} message */
function post(message) {
  postMessage(message);
}

/**
 * @param {string} stage
 * @param {unknown} error
 */
function fail(stage, error) {
  console.error(error);
  // Of a Python traceback, the last line says what went wrong.
  const text = error instanceof Error ? error.message : String(error);
  post({ type: "error", stage, message: text.trim().split("\n").at(-1) ?? stage });
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
