/**
 * The functions that there are: Python, and those that the site's owner has given it (`build.py build --tools`). Those of
 * servers are in mcp.js.
 *
 * @import { Conversation } from "./conversation.js"
 * @import { Run } from "./runs.js"
 *
 * @typedef {object} Context of a call
 * @property {Conversation} conversation
 * @property {(output: string) => void} onOutput told what has been printed so far
 * @property {AbortSignal} signal
 *
 * @typedef {object} Callable
 * @property {string} name
 * @property {string} description
 * @property {Record<string, unknown>} [parameters] a JSON schema
 * @property {"python" | "servers"} [consent] the visitor decides whether it runs: the model has written what it runs, or
 *   what it is told leaves the device
 * @property {(values: any, context: Context) => Promise<Run>} run rejected with what went wrong
 */

import { RUNS_WITHIN, Sandbox } from "./sandbox.js";
import { strings } from "./strings.js";
import { address } from "../shared/site.js";

/** Python has variables of a conversation alone. @type {{sandbox: Sandbox, conversation: string} | null} */
let python = null;

/**
 * @param {string} path of the module in the site
 * @returns {Promise<Callable[]>} the site's own; rejected if they are none
 */
export async function functionsOf(path) {
  return (await import(address(path))).default.map(ownFunction);
}

export function closePython() {
  python?.sandbox.close();
  python = null;
}

/**
 * @param {string[]} wheels of the site
 * @returns {Callable}
 */
export function pythonOf(wheels) {
  return {
    name: "python",
    description:
      "Run Python code; returns what it prints and the value of its last expression. Variables stay from call to call. " +
      "NumPy is there. For plots: import plot; plot.line(x, y, title=...), plot.scatter(x, y), plot.bar(names, values). " +
      "display(rows) shows a list of dicts as a table. There is no network. Files that the user attached can be opened.",
    parameters: { type: "object", properties: { code: { type: "string" } }, required: ["code"] },
    consent: "python",
    async run({ code }, { conversation, onOutput, signal }) {
      if (typeof code !== "string") throw new TypeError(strings.tools.noCode);
      if (python?.conversation !== conversation.id) closePython();
      const isAnew = python?.sandbox.isClosed;
      if (!python || isAnew) python = { sandbox: new Sandbox(wheels), conversation: conversation.id };
      const files = conversation.path.flatMap(({ files }) => files ?? []);
      const run = await python.sandbox.run(code, files, onOutput, signal);
      return isAnew ? { ...run, output: `${strings.tools.anew}\n${run.output}` } : run;
    },
  };
}

/**
 * @param {any} given of the site's own
 * @returns {Callable}
 */
function ownFunction(given) {
  const { name, description, parameters, run } = Object(given);
  const isOne = typeof name === "string" && typeof description === "string" && typeof run === "function";
  if (!isOne) throw new TypeError(strings.tools.noFunction);
  return {
    ...{ name, description, parameters },
    async run(values, { signal }) {
      const began = performance.now();
      const ended = new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(new Error(strings.tools.stopped)));
        setTimeout(() => reject(new Error(strings.tools.late(RUNS_WITHIN))), 1000 * RUNS_WITHIN);
      });
      const value = await Promise.race([run(values), ended]);
      const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
      return { output: "", value: text, shown: [], seconds: (performance.now() - began) / 1000 };
    },
  };
}
