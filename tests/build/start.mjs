// Starts the Pyodide of a built site under Node.js, has micropip install the site's wheels and runs a Python
// expression:  node start.mjs DIST EXPRESSION
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [dist, expression] = process.argv.slice(2);
const folder = resolve(dist, "pyodide");
const { loadPyodide } = await import(pathToFileURL(`${folder}/pyodide.mjs`).href);
const python = await loadPyodide({ indexURL: folder });
await python.loadPackage("micropip", { messageCallback: () => {} });
const micropip = python.pyimport("micropip");
const { wheels } = JSON.parse(readFileSync(resolve(dist, "site.json"), "utf8"));
const places = wheels.map((wheel) => {
  const place = `/tmp/${wheel.split("/").pop()}`;
  python.FS.writeFile(place, new Uint8Array(readFileSync(resolve(dist, wheel))));
  return `emfs:${place}`;
});
await micropip.install.callKwargs(python.toPy(places), { deps: false });
console.log(python.runPython(expression));
