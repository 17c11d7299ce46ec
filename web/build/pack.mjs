// Packs zip archives of Python (the standard library, wheels) as compiled Python, with the very interpreter that is to
// run them:  node pack.mjs FOLDER_OF_PYODIDE < jobs.json
// where jobs.json is [{input: path, output: path, prefix: string, pure: boolean}, ...]; see pack.py.
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const folder = resolve(process.argv[2]);
const { loadPyodide } = await import(pathToFileURL(`${folder}/pyodide.mjs`).href);
// A fixed hash seed, as everything else that could make two builds differ.
const python = await loadPyodide({ indexURL: folder, env: { HOME: "/home/pyodide", PYTHONHASHSEED: "0" } });
python.runPython(readFileSync(new URL("pack.py", import.meta.url), "utf8"));
const pack = python.globals.get("pack");
try {
  for (const { input, output, ...options } of JSON.parse(readFileSync(0, "utf8"))) {
    const packed = pack.callKwargs(new Uint8Array(readFileSync(input)), options);
    writeFileSync(output, packed.toJs());
    packed.destroy();
  }
} catch (error) {
  console.error(error.message); // alone: Node.js would print the line of code too, here a megabyte
  process.exitCode = 1;
}
