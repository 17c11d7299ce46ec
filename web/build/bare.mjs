// Makes modules short, each by itself:  node bare.mjs NODE_MODULES < jobs.json
// where jobs.json is [{input: path, output: path}, ...]. Names that a module has for itself become short; what it
// exports, and what members are called, stays.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const { minify } = await import(pathToFileURL(resolve(process.argv[2], "terser/main.js")).href);
try {
  for (const { input, output } of JSON.parse(readFileSync(0, "utf8"))) {
    const { code } = await minify(readFileSync(input, "utf8"), { module: true, compress: false });
    writeFileSync(`${output}.new`, `${code}\n`);
    renameSync(`${output}.new`, output); // whole, or not there
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
