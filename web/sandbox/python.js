/**
 * The worker that runs a model's code: Python, of files that it is handed, in bounds that the code can't widen. How it
 * is cut off from everything else, frame.js tells; how long a run may take, the page knows, which ends the worker.
 *
 * It is no module: the page sends its text. From the page comes {code, files} for each run; to the page goes "ready",
 * then {output} in pieces while a run goes on, and {done}: what run.py made of it, as JSON; or {failed}: Python is dead.
 *
 * @typedef {Record<string, ArrayBuffer>} Files by their names in the site
 * @typedef {{code: string, files: {name: string, text: string}[]}} Job
 */

/** Of so many bytes are the pages of WebAssembly's memory, */
const PAGE = 1 << 16;
/** and Python may have so many: 1 GiB. */
const MOST_PAGES = 1 << 14;
/** What a run may write into files, in bytes, all in all: they lie in memory too, beside Python's own. */
const MOST_WRITTEN = 1 << 26;
/** Where Pyodide believes that its files are. There is no such place. */
const PLACE = "https://pyodide.invalid/";

const { grow } = WebAssembly.Memory.prototype;
/** @param {number} pages @returns {number} how many there were */
WebAssembly.Memory.prototype.grow = function (pages) {
  if (this.buffer.byteLength / PAGE + pages > MOST_PAGES) throw new RangeError("there is no more memory");
  return grow.call(this, pages);
};

addEventListener("message", ({ data, ports: [page] }) => start(data, page).catch(failed(page)), { once: true });

/**
 * @param {Files} files
 * @param {MessagePort} page
 */
async function start(files, page) {
  const text = (/** @type {string} */ name) => new TextDecoder().decode(files[name]);
  const script = (/** @type {string} */ name) => {
    return URL.createObjectURL(new Blob([files[name]], { type: "text/javascript" }));
  };
  self.fetch = async (asked) => {
    const name = String(asked instanceof Request ? asked.url : asked).replace(PLACE, "pyodide/");
    if (!files[name]) throw new TypeError(`${name} is not here`);
    const type = name.endsWith(".wasm") ? "application/wasm" : "application/octet-stream";
    return new Response(files[name], { headers: { "content-type": type } });
  };
  Object.assign(self, { importScripts: undefined }); // by which Pyodide knows workers that it takes for too old
  const { default: createPyodideModule } = await import(script("pyodide/pyodide.asm.mjs"));
  const { loadPyodide } = await import(script("pyodide/pyodide.mjs"));
  /** @type {import("pyodide").PyodideAPI} */
  const pyodide = await loadPyodide({ indexURL: PLACE, createPyodideModule, stdin: () => null });
  for (const name of Object.keys(files)) if (name.startsWith("wheels/")) pyodide.unpackArchive(files[name], "wheel");
  for (const name of ["plot", "run"]) pyodide.FS.writeFile(`/lib/${name}.py`, text(`sandbox/${name}.py`));
  const say = (/** @type {string} */ output) => page.postMessage({ output });
  pyodide.setStdout({ batched: say });
  pyodide.setStderr({ batched: say });
  const run = pyodide.runPython("import sys; sys.path.insert(0, '/lib'); import run; run.closed()");
  const beginWriting = boundFiles(pyodide);
  const work = async (/** @type {Job} */ { code, files }) => {
    beginWriting();
    for (const { name, text } of files) pyodide.FS.writeFile(name, text);
    page.postMessage({ done: await run(code, say) });
  };
  page.onmessage = ({ data }) => work(data).catch(failed(page));
  page.postMessage("ready");
}

/** @param {MessagePort} page */
function failed(page) {
  return (/** @type {unknown} */ error) =>
    page.postMessage({ failed: error instanceof Error ? error.message : "its memory is damaged" });
}

/**
 * @param {import("pyodide").PyodideAPI} pyodide
 * @returns {() => void} a run begins
 */
function boundFiles({ FS }) {
  const { MEMFS } = FS.filesystems;
  const { stream } = MEMFS.ops_table.file;
  const { write } = stream;
  const { resizeFileStorage } = MEMFS;
  let written = 0;
  const count = (/** @type {number} */ bytes) => {
    written += bytes;
    if (written > MOST_WRITTEN) throw new FS.ErrnoError(51); // "No space left on device"
  };
  stream.write = (/** @type {any[]} */ ...call) => (count(call[3]), write(...call));
  MEMFS.resizeFileStorage = (/** @type {any} */ node, /** @type {number} */ size) => {
    count(Math.max(0, size - node.usedBytes));
    resizeFileStorage(node, size);
  };
  return () => void (written = 0);
}
