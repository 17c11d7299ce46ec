/**
 * Starts Python with the engine in it: from the memory that an earlier visit has kept, or else from its files.
 *
 * @import { PyodideAPI } from "pyodide"
 * @import { Site } from "../shared/site.js"
 *
 * @typedef {object} Started
 * @property {PyodideAPI} pyodide
 * @property {any} engine the module py_wgml.worker
 * @property {boolean} restored from memory
 * @property {{runtime: number, packages: number}} seconds that it took, from the worker's beginning
 * @property {() => Promise<void>} keep the memory that a later visit can start from, once
 *
 * @typedef {(stage: "runtime" | "packages", loaded: number, total: number) => void} Report
 * @typedef {typeof import("pyodide").loadPyodide} LoadPyodide
 */

import { capture, recall, restore } from "./memory.js";
import { forgetMemory } from "../shared/memory_file.js";
import { address } from "../shared/site.js";

const ENGINE = "py_wgml.worker";
/** The installer would load all machine code of the packages; so it is loaded where it is imported. */
const BEFORE_INSTALLING = `
from pyodide import _package_loader as loader
loader.get_dynlibs, all_libraries = lambda *_: [], loader.get_dynlibs
`;
/** It has done its work, and holds objects of this visit. It can be imported again. */
const AFTER_INSTALLING = `
import gc, sys
loader.get_dynlibs = all_libraries
for name in [name for name in sys.modules if name.partition(".")[0] == "micropip"]:
    del sys.modules[name]
gc.collect()
`;

/**
 * @param {Promise<Site>} site
 * @param {Report} report
 * @returns {Promise<Started>}
 */
export async function startPython(site, report) {
  report("runtime", 0, 1);
  const failed = instantiationFailed();
  const [memory, { loadPyodide }] = await Promise.all([recall(), import(address("pyodide/pyodide.mjs"))]);
  if (memory) {
    try {
      const pyodide = await Promise.race([failed, restore(memory, site, loadPyodide)]);
      const engine = pyodide.pyimport(ENGINE);
      pyodide.pyimport("random").seed(); // else it goes on where it was
      report("runtime", 1, 1);
      report("packages", 1, 1);
      const seconds = { runtime: performance.now() / 1000, packages: 0 };
      return { pyodide, engine, restored: true, seconds, keep: async () => {} };
    } catch (error) {
      console.warn("Python starts from its files, not from its memory:", error);
      await forgetMemory();
    }
  }
  const { wheels, version } = await site;
  return fromFiles(wheels, version, loadPyodide, failed, report);
}

/**
 * @param {string[]} paths of the packages
 * @param {string} version of the site
 * @param {LoadPyodide} loadPyodide
 * @param {Promise<never>} failed
 * @param {Report} report
 * @returns {Promise<Started>}
 */
async function fromFiles(paths, version, loadPyodide, failed, report) {
  const wheels = paths.map(async (path) => ({ path, bytes: await bytesOf(path) }));
  wheels.forEach((wheel) => wheel.catch(() => {})); // awaited below; a failure before that is not a second one
  const options = { indexURL: address("pyodide/"), packages: ["micropip"], _makeSnapshot: true };
  const pyodide = await Promise.race([failed, loadPyodide(options)]);
  const runtime = performance.now() / 1000;
  report("runtime", 1, 1);

  // The wheels are already on their way: micropip takes them from Python's own file system.
  const installed = [];
  for (const { path, bytes } of await Promise.all(wheels)) {
    const file = `/tmp/${nameOf(path)}`;
    pyodide.FS.writeFile(file, bytes);
    installed.push(`emfs:${file}`);
    report("packages", installed.length, paths.length + 1);
  }
  const [globals, micropip, list] = [pyodide.toPy({}), pyodide.pyimport("micropip"), pyodide.toPy(installed)];
  pyodide.runPython(BEFORE_INSTALLING, { globals });
  await micropip.install.callKwargs(list, { deps: false });
  await new Promise((resolve) => setTimeout(resolve)); // what tells of its end is Python's until its loop has returned
  for (const proxy of [micropip, list]) proxy.destroy();
  pyodide.runPython(AFTER_INSTALLING, { globals });
  globals.destroy();
  for (const wheel of installed) pyodide.FS.unlink(wheel.slice("emfs:".length));
  const engine = pyodide.pyimport(ENGINE);
  engine.prepare();
  const keep = keeperOf(pyodide, version);
  const packages = performance.now() / 1000 - runtime;
  report("packages", 1, 1);
  return { pyodide, engine, restored: false, seconds: { runtime, packages }, keep };
}

/**
 * @param {PyodideAPI} pyodide
 * @param {string} version of the site
 * @returns {Started["keep"]}
 */
function keeperOf(pyodide, version) {
  const told = (/** @type {unknown} */ error) => console.warn("Python's memory is not kept:", error);
  /** @type {ReturnType<typeof capture> | null} */
  let captured = null;
  try {
    captured = capture(pyodide);
  } catch (error) {
    told(error);
  }
  return async () => {
    const write = captured;
    captured = null; // it is large
    await write?.(version).catch(told);
  };
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

/**
 * @param {string} path
 * @returns {Promise<Uint8Array>}
 */
async function bytesOf(path) {
  const response = await fetch(address(path));
  if (!response.ok) throw new Error(`${path} could not be loaded: the server answered ${response.status}.`);
  return new Uint8Array(await response.arrayBuffer());
}
