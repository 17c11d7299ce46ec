/**
 * Python for a model's code: a worker within a frame that is cut off from the page, from the device and from the network
 * (see ../sandbox/frame.js). It starts with its first run, from the site's own files, and keeps its variables until it is
 * ended. What comes from it is looked at before it is believed.
 *
 * @import { Run } from "./runs.js"
 */

import { runOf } from "./runs.js";
import { strings } from "./strings.js";
import { address } from "../shared/site.js";

/** Python has so many seconds to start. */
const STARTS_WITHIN = 120;
/** And code so many to run. */
export const RUNS_WITHIN = 30;
/** Of what is printed, and of a reason to end, so much is taken. */
const MOST_TEXT = 25_000;

const FILES = [
  "pyodide/pyodide.mjs",
  "pyodide/pyodide.asm.mjs",
  "pyodide/pyodide.asm.wasm",
  "pyodide/python_stdlib.zip",
];
const OWN = ["pyodide/pyodide-lock.json", "sandbox/plot.py", "sandbox/run.py"];
const PACKAGE = /^wheels\/numpy-/;

export class Sandbox {
  #frame = document.createElement("iframe");
  #port;
  /** Called with what comes. @type {(message: any) => void} */
  #receive = () => {};
  #ready;

  #within;

  /**
   * @param {string[]} wheels of the site
   * @param {number} [within] seconds that a run may take
   */
  constructor(wheels, within = RUNS_WITHIN) {
    this.#within = within;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#port.onmessage = ({ data }) => this.#receive(data);
    this.#frame.hidden = true;
    this.#frame.src = address("sandbox.html");
    const loaded = new Promise((resolve) => this.#frame.addEventListener("load", resolve, { once: true }));
    document.body.append(this.#frame);
    this.#ready = this.#start(wheels, loaded, port2);
    this.#ready.catch(() => this.close()); // told by the first run
  }

  /**
   * @param {string[]} wheels
   * @param {Promise<unknown>} loaded the frame
   * @param {MessagePort} port
   */
  async #start(wheels, loaded, port) {
    const names = [...FILES, ...OWN, ...wheels.filter((name) => PACKAGE.test(name))];
    const [script, ...buffers] = await Promise.all([
      fetched("sandbox/python.js").then((response) => response.text()),
      ...names.map(async (name) => (await fetched(name)).arrayBuffer()),
    ]);
    await loaded;
    if (!this.#frame.contentDocument) throw new Error(strings.tools.notStarted(strings.tools.noFrames));
    const files = Object.fromEntries(names.map((name, index) => [name, buffers[index]]));
    const started = new Promise((resolve) => (this.#receive = resolve));
    this.#frame.contentWindow?.postMessage({ script, files }, location.origin, [port, ...buffers]);
    const told = await Promise.race([started, after(STARTS_WITHIN)]);
    if (told !== "ready") throw new Error(strings.tools.notStarted(told?.failed));
  }

  /**
   * Run code. An error of the code's is part of the result.
   *
   * @param {string} code
   * @param {{name: string, text: string}[]} files that it can open by their names
   * @param {(output: string) => void} onOutput told what has been printed so far
   * @param {AbortSignal} signal ends the run, and Python with it
   * @returns {Promise<Run>} rejected if Python does not start
   */
  async run(code, files, onOutput, signal) {
    /** @type {Run} */
    const run = { output: "", shown: [], seconds: 0 };
    const stopped = new Promise((resolve) => signal.addEventListener("abort", () => resolve(strings.tools.stopped)));
    const begin = signal.aborted ? strings.tools.stopped : await Promise.race([this.#ready, stopped]);
    if (begin) return this.#ended(run, begin);
    const began = performance.now();
    const done = new Promise((resolve) => {
      this.#receive = ({ output, done, failed }) => {
        if (typeof output === "string" && run.output.length < MOST_TEXT) {
          run.output = (run.output + output).slice(0, MOST_TEXT);
          onOutput(run.output);
        }
        if (typeof done === "string") resolve({ done });
        else if (failed) resolve(strings.tools.brokeDown(String(failed).slice(0, MOST_TEXT)));
      };
    });
    this.#port.postMessage({ code, files: files.map(({ name, text }) => ({ name: plainName(name), text })) });
    const late = after(this.#within, strings.tools.late(this.#within));
    const end = await Promise.race([done, late, stopped]);
    this.#receive = () => {};
    run.seconds = (performance.now() - began) / 1000;
    if (typeof end === "string") return this.#ended(run, end);
    return { ...run, ...checked(end.done, run) };
  }

  /**
   * @param {Run} run
   * @param {string} error
   */
  #ended(run, error) {
    this.close();
    return { ...run, error };
  }

  /** Whether it has ended: the next run needs another one. */
  get isClosed() {
    return !this.#frame.isConnected;
  }

  /** End it, whatever it is doing. */
  close() {
    this.#frame.remove();
    this.#port.close();
  }
}

/**
 * @param {string} json of unknown making
 * @param {Run} run what is known of it already
 * @returns {Run | undefined}
 */
function checked(json, { output, seconds }) {
  try {
    return runOf({ ...JSON.parse(json), output, seconds });
  } catch {
    return undefined;
  }
}

/** @param {string} name of a file in the site */
async function fetched(name) {
  const response = await fetch(address(name));
  if (!response.ok) throw new Error(strings.tools.notStarted(`the server answered ${response.status} for ${name}`));
  return response;
}

/** @param {string} name of a visitor's file @returns {string} without a folder */
function plainName(name) {
  return name.split(/[/\\]/).at(-1)?.replace(/^\.+/, "") || "file";
}

/**
 * @template T
 * @param {number} seconds
 * @param {T} [value]
 * @returns {Promise<T | undefined>}
 */
function after(seconds, value) {
  return new Promise((resolve) => setTimeout(() => resolve(value), 1000 * seconds));
}
