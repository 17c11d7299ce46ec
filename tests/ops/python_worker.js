/** Runs Python from the built site's own parts, as a notebook in the browser would; answers with its value and output. */

const address = (path) => new URL(path, import.meta.url).href;

async function run(code) {
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
  const output = [];
  pyodide.setStdout({ batched: (line) => output.push(line) });
  return { value: await pyodide.runPythonAsync(code), output: output.join("\n") };
}

onmessage = ({ data }) => run(data).then(postMessage, (error) => postMessage({ error: error.message }));
