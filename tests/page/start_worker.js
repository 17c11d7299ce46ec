/** Starts Python as the page's worker does, runs some, and says how it was started. */

import { startPython } from "./worker/python.js";
import { readSite } from "./shared/site.js";

async function run({ code, keep }) {
  const { pyodide, engine, restored, keep: keepMemory } = await startPython(readSite(), () => {});
  const output = [];
  pyodide.setStdout({ batched: (line) => output.push(line) });
  await pyodide.runPythonAsync(code);
  if (keep) await keepMemory();
  return { restored, output, engine: engine.__name__, micropip: String(pyodide.pyimport("micropip")) };
}

onmessage = ({ data }) => run(data).then(postMessage, (error) => postMessage({ error: error.message }));
