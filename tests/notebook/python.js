/**
 * Python from the built site's parts, in a worker or a page of anybody's, as a notebook runs it: cells of one session.
 */

const address = (path) => new URL(path, import.meta.url).href;

async function start() {
  const { loadPyodide } = await import(address("pyodide/pyodide.mjs"));
  const pyodide = await loadPyodide({ indexURL: address("pyodide/"), packages: ["micropip"] });
  const { wheels } = await (await fetch(address("site.json"))).json();
  const files = await Promise.all(
    wheels.map(async (path) => {
      const file = `/tmp/${path.split("/").at(-1)}`;
      pyodide.FS.writeFile(file, new Uint8Array(await (await fetch(address(path))).arrayBuffer()));
      return `emfs:${file}`;
    }),
  );
  await pyodide.pyimport("micropip").install.callKwargs(pyodide.toPy(files), { deps: false });
  return pyodide;
}

const started = start();

/** @returns {Promise<{value: unknown, output: string} | {error: string}>} the value of the last line, what was printed */
export async function run(code) {
  try {
    const pyodide = await started;
    const output = [];
    pyodide.setStdout({ batched: (line) => output.push(line) });
    return { value: await pyodide.runPythonAsync(code), output: output.join("\n") };
  } catch (error) {
    return { error: error.message };
  }
}

if (typeof document === "undefined") onmessage = ({ data }) => run(data).then(postMessage);
