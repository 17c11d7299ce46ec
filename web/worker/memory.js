/**
 * Python's memory, kept on this device: with it a later visit begins where the first one had installed and imported the
 * engine.
 *
 * The memory alone is not all of an interpreter. Kept with it are the files that were installed, from which more may be
 * imported, and where machine code was loaded: that has to lie at the same places again before the memory, which is full
 * of its addresses, is put over it. What does not fit, or is not what was written, is dropped, and Python starts from its
 * files.
 *
 * @import { PyodideAPI } from "pyodide"
 * @import { Site } from "../shared/site.js"
 *
 * @typedef {object} Library machine code that was loaded
 * @property {string} path
 * @property {number} handle where Python keeps what it knows of it
 * @property {number} base of its data, in memory
 * @property {number} table where its functions begin, in the table of all
 *
 * @typedef {object} About what lies in a row: what Pyodide says of the memory, the memory, the files
 * @property {string} version of the site
 * @property {string} browser which may do some things in another way after an update
 * @property {string[]} sums digests of all pieces
 * @property {number} head bytes that Pyodide says
 * @property {number} size of the memory
 * @property {[start: number, end: number][]} spans of it that are not zero
 * @property {[path: string, bytes: number][]} files
 * @property {Library[]} libraries in the order in which they were loaded
 * @property {[index: number, path: string, name: string][]} added to the table between theirs: what one of them exports
 * @property {number} functions in the table, with all of them
 *
 * @typedef {object} Memory
 * @property {About} about
 * @property {Uint8Array<ArrayBuffer>} head
 * @property {Uint8Array<ArrayBuffer>[]} spans
 * @property {Map<string, Uint8Array<ArrayBuffer>>} files
 * @property {Map<string, Promise<WebAssembly.Module>>} code of the libraries
 * @property {Promise<boolean>} isSound whether all is as it was written
 *
 * @typedef {any} Emscripten Pyodide's inner module, which has no types
 */

import { locked } from "./keeper.js";
import { CHUNK, digest } from "../shared/kept.js";
import { forgetMemory, memoryFiles } from "../shared/memory_file.js";
import { address } from "../shared/site.js";

/** Memory is looked at in pieces of so many bytes: many are zero. */
const PAGE = 2 ** 16;
/** Emscripten gives memory that begins at a multiple of so many bytes, before anything runs. */
const ALIGNMENT = 16;

/**
 * Take the memory of an interpreter as it is now.
 *
 * @param {PyodideAPI} pyodide started with `_makeSnapshot`; it must hold no JavaScript object but those that it began with
 * @returns {(version: string) => Promise<void>} keeps it, with the version of the site
 * @throws {Error} it holds one, or can't be put together again
 */
export function capture(pyodide) {
  /** @type {Emscripten} */
  const { _module: module, loadedPackages, makeMemorySnapshot } = /** @type {any} */ (pyodide);
  const loaded = { ...loadedPackages };
  for (const name in loaded) delete loadedPackages[name]; // Pyodide expects this object as it began, empty
  /** @type {Uint8Array<ArrayBuffer>} */
  const snapshot = makeMemorySnapshot();
  Object.assign(loadedPackages, loaded);
  const size = module.HEAP8.length;
  const head = snapshot.length - size;
  const memory = snapshot.subarray(head);
  const spans = spansOf(memory);
  const facts = { browser: navigator.userAgent, head, size, spans };
  const libraries = librariesOf(module);
  const code = { libraries, added: addedTo(module, libraries), functions: module.wasmTable.length };
  const lost = libraries.find(({ base }) => base % ALIGNMENT);
  if (lost) throw new Error(`${lost.path} can't be loaded at the same place again`);
  return async (version) => {
    /** @type {About["files"]} */
    const files = [];
    const contents = [];
    for (const [path, bytes] of filesIn(pyodide.FS, module.API.sitePackages)) {
      files.push([path, bytes.length]);
      contents.push(bytes);
    }
    const joined = new Uint8Array(await new Blob(contents).arrayBuffer());
    const parts = [snapshot.subarray(0, head), ...spans.map((span) => memory.subarray(...span)), joined];
    await write(parts, (sums) => ({ version, sums, ...facts, files, ...code }));
  };
}

/** @returns {Promise<Memory | null>} null: none that this browser can use */
export async function recall() {
  try {
    const { folder, name } = await memoryFiles();
    const text = await (await (await folder.getFileHandle(`${name}.json`)).getFile()).text();
    /** @type {{about: About, sum: string}} */
    const { about, sum } = JSON.parse(text);
    if (sum !== (await sumOf(about))) return null;
    if (about.browser !== navigator.userAgent) return null;
    const row = await withHandle(folder, name, async (handle) => bytesOf(handle));
    let offset = 0;
    const next = (/** @type {number} */ bytes) => row.subarray(offset, (offset += bytes));
    const head = next(about.head);
    const spans = about.spans.map(([start, end]) => next(end - start));
    const isSound = areSums([head, ...spans, row.subarray(offset)], about.sums);
    const files = new Map(about.files.map(([path, bytes]) => [path, next(bytes)]));
    const code = new Map(about.libraries.map(({ path }) => [path, WebAssembly.compile(files.get(path) ?? head)]));
    return { about, head, spans, files, code, isSound };
  } catch {
    return null; // the browser keeps nothing for this page, or nothing is there, or not what was written
  }
}

/**
 * @param {Memory} memory
 * @param {Promise<Site>} site that it must be of
 * @param {typeof import("pyodide").loadPyodide} loadPyodide
 * @returns {Promise<PyodideAPI>} rejected where the memory is not what it should be, or does not fit
 */
export async function restore(memory, site, loadPyodide) {
  const { default: create } = await import(address("pyodide/pyodide.asm.mjs"));
  return new Promise((resolve, reject) => {
    const createPyodideModule = (/** @type {Emscripten} */ module) => {
      module.preRun.push(() => prepare(module, memory, site).catch(reject));
      module.onRuntimeInitialized = () => fill(module.HEAPU8, memory);
      return create(module);
    };
    const options = { indexURL: address("pyodide/"), createPyodideModule, _loadSnapshot: memory.head };
    loadPyodide(options).then(resolve, reject);
  });
}

/**
 * Put files and libraries where they were. The module runs when that is done.
 *
 * @param {Emscripten} module
 * @param {Memory} memory
 * @param {Promise<Site>} site
 */
async function prepare(module, { about, files, code, isSound }, site) {
  module.addRunDependency("memory");
  if (!module.growMemory(about.size)) throw new Error("there is no room for it");
  let folder = "";
  for (const [path, bytes] of files) {
    const end = path.lastIndexOf("/");
    if (folder !== path.slice(0, end)) module.FS.mkdirTree((folder = path.slice(0, end)));
    module.FS.createDataFile(folder, path.slice(end + 1), bytes, true, true, true);
  }
  // What getMemory gives begins where that of before ended: by so many bytes more, or fewer, the next place is moved.
  const moveTo = (/** @type {number} */ place) => module.getMemory(place - module.getMemory(0));
  const free = module.getMemory(0);
  // What was in the table for a while has left its place, which the next function takes.
  const growTo = (/** @type {number} */ length) => {
    while (module.wasmTable.length < length) module.freeTableIndexes.push(module.wasmTable.grow(1));
  };
  for (const { path, handle, base, table } of about.libraries) {
    moveTo(base);
    growTo(table);
    const library = module.newDSO(path, handle, {});
    library.exports = await module.loadWebAssemblyModule(await code.get(path), { loadAsync: true }, path, {}, handle);
    const place = placeOf(module, handle);
    if (place.base !== base || place.table !== table) throw new Error(`${path} has come to another place`);
  }
  moveTo(free);
  for (const [index, path, name] of about.added) {
    const { exports } = module.LDSO.loadedLibsByName[path];
    if (module.wasmTable.get(index) !== exports[name]) throw new Error(`${name} has come to another place`);
  }
  if (module.wasmTable.length !== about.functions) throw new Error("there are other functions");
  if ((await site).version !== about.version) throw new Error("it is another version's");
  if (!(await isSound)) throw new Error("it is damaged");
  module.removeRunDependency("memory");
}

/**
 * @param {Uint8Array} heap
 * @param {Memory} memory
 */
function fill(heap, { about, spans }) {
  let end = 0;
  about.spans.forEach(([start, next], index) => {
    heap.fill(0, end, start);
    heap.set(spans[index], start);
    end = next;
  });
  heap.fill(0, end);
}

/** @param {Uint8Array} memory @returns {[start: number, end: number][]} what of it is not zero, page by page */
function spansOf(memory) {
  const words = new Uint32Array(memory.buffer, memory.byteOffset, memory.length / 4);
  /** @type {[number, number][]} */
  const spans = [];
  for (let start = 0; start < memory.length; start += PAGE) {
    if (words.subarray(start / 4, (start + PAGE) / 4).every((word) => !word)) continue;
    const last = spans.at(-1);
    if (last?.[1] === start) last[1] += PAGE;
    else spans.push([start, start + PAGE]);
  }
  return spans;
}

/** @param {Emscripten} module @returns {Library[]} */
function librariesOf(module) {
  const { loadedLibsByName, loadedLibsByHandle } = module.LDSO;
  const handles = new Map(Object.entries(loadedLibsByHandle).map(([handle, library]) => [library, Number(handle)]));
  const libraries = Object.entries(loadedLibsByName).filter(([name]) => name !== "__main__");
  return libraries.map(([path, library]) => {
    const handle = handles.get(library) ?? 0;
    const { base, table } = placeOf(module, handle);
    return { path, handle, base, table };
  });
}

/**
 * @param {Emscripten} module
 * @param {Library[]} libraries of it
 * @returns {About["added"]}
 * @throws {Error} there is a function of somebody else's
 */
function addedTo(module, libraries) {
  const names = new Map();
  for (const [path, { exports }] of Object.entries(module.LDSO.loadedLibsByName)) {
    for (const name in exports) names.set(exports[name], [path, name]);
  }
  /** @type {About["added"]} */
  const added = [];
  libraries.forEach(({ handle, table }, at) => {
    const end = libraries[at + 1]?.table ?? module.wasmTable.length;
    for (let index = table + placeOf(module, handle).functions; index < end; index++) {
      const entry = module.wasmTable.get(index);
      const [path, name] = names.get(entry) ?? [];
      if (entry && !path) throw new Error(`the function ${index} can't be found again`);
      if (entry) added.push([index, path, name]);
    }
  });
  return added;
}

/**
 * @param {Emscripten} module
 * @param {number} handle of a library, Emscripten's struct dso
 * @returns {{base: number, table: number, functions: number}}
 */
function placeOf({ HEAPU32 }, handle) {
  const [base, , table, functions] = HEAPU32.subarray(handle / 4 + 3);
  return { base, table, functions };
}

/**
 * @param {PyodideAPI["FS"]} FS
 * @param {string} folder
 * @returns {Generator<[path: string, bytes: Uint8Array<ArrayBuffer>]>} all files in it, and in the folders in it
 */
function* filesIn(FS, folder) {
  for (const name of FS.readdir(folder)) {
    const path = `${folder}/${name}`;
    if (name === "." || name === "..") continue;
    if (FS.isDir(FS.stat(path).mode)) yield* filesIn(FS, path);
    else yield [path, FS.readFile(path)];
  }
}

/**
 * Nothing is kept where the browser, or another tab that does the same, won't have it.
 *
 * @param {Uint8Array<ArrayBuffer>[]} parts
 * @param {(sums: string[]) => About} told comes last: without it the parts count for nothing
 */
async function write(parts, told) {
  await forgetMemory();
  const { folder, name } = await memoryFiles();
  /** @type {string[]} */
  const sums = [];
  await withHandle(folder, name, async (handle) => {
    let at = 0;
    for (const piece of piecesOf(parts)) {
      at += append(handle, piece, at);
      sums.push(await digest(piece));
      await new Promise((resolve) => setTimeout(resolve)); // somebody may be waiting for an answer
    }
  });
  const about = told(sums);
  const text = new TextEncoder().encode(JSON.stringify({ about, sum: await sumOf(about) }));
  await withHandle(folder, `${name}.json`, async (handle) => append(handle, text, 0));
}

/** @param {About} about */
function sumOf(about) {
  return digest(new TextEncoder().encode(JSON.stringify(about)));
}

/**
 * @param {Uint8Array<ArrayBuffer>[]} parts
 * @param {string[]} sums
 * @returns {Promise<boolean>} whether these are their digests
 */
async function areSums(parts, sums) {
  const found = await Promise.all(Array.from(piecesOf(parts), digest));
  return found.length === sums.length && found.every((sum, index) => sum === sums[index]);
}

/** @param {Uint8Array<ArrayBuffer>[]} parts @returns {Generator<Uint8Array<ArrayBuffer>>} none longer than CHUNK */
function* piecesOf(parts) {
  for (const part of parts) {
    for (let offset = 0; offset < part.length; offset += CHUNK) yield part.subarray(offset, offset + CHUNK);
  }
}

/**
 * @template T
 * @param {FileSystemDirectoryHandle} folder
 * @param {string} name
 * @param {(handle: FileSystemSyncAccessHandle) => Promise<T>} use
 * @returns {Promise<T>}
 */
async function withHandle(folder, name, use) {
  const file = await folder.getFileHandle(name, { create: true });
  const handle = /** @type {FileSystemSyncAccessHandle} */ (await locked(file)); // as it is in a worker
  try {
    return await use(handle);
  } finally {
    handle.close();
  }
}

/**
 * @param {FileSystemSyncAccessHandle} handle
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {number} at
 * @returns {number} how many they are
 * @throws {Error} there is no room for them
 */
function append(handle, bytes, at) {
  // With its storage full, Chromium returns another number, and does not throw.
  if (handle.write(bytes, { at }) !== bytes.length) throw new Error("there is no room for Python's memory");
  return bytes.length;
}

/** @param {FileSystemSyncAccessHandle} handle @returns {Uint8Array<ArrayBuffer>} all of the file */
function bytesOf(handle) {
  const bytes = new Uint8Array(handle.getSize());
  handle.read(bytes, { at: 0 });
  return bytes;
}
