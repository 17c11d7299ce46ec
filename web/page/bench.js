/**
 * The benchmark page: measures itself in whatever browser opens it. Of each model a first visit, then reloads for later
 * ones, then the engine's speed, what the first text of an answer waits for, and two questions as a person would ask them.
 *
 * Query parameters: `model` (indices in site.json, by commas), `prompt_tokens` (lengths of prompts, by commas),
 * `prompt_repetitions`, `generate_tokens`, `repetitions`, `contexts` (lengths of conversation at which generation is
 * measured, by commas), `texts` (that a model that embeds is given at once), and `post` to send the result to `./result`.
 * The result, `{models}`, is in `window.benchResult` and, as JSON, in #result; where something failed it is `{error}`.
 *
 * @import { BenchOptions, ChatMessage, Done, ModelSource, Ready } from "../shared/protocol.js"
 *
 * @typedef {object} Start how one visit began; seconds since the navigation
 * @property {number} ready the model can be asked
 * @property {number} adapter_checked
 * @property {Ready["seconds"]} engine as the worker measured it, since it began
 * @property {boolean} restored Python began with its memory from an earlier visit
 * @property {boolean} kept
 */

import { siteModels } from "./choice.js";
import { byId, element } from "./dom.js";
import { Engine } from "./engine.js";
import { firstText } from "./first_text.js";
import { bytes, decimal } from "../shared/format.js";
import { forget } from "../shared/kept.js";
import { forgetMemory, isMemoryKept } from "../shared/memory_file.js";
import { keepOffline } from "./offline.js";
import { report } from "./report.js";
import { readSite } from "../shared/site.js";
import { support } from "../shared/support.js";

const QUESTIONS = ["What is the capital of France?", "And of Italy?"];
/** What a reload has to remember, in sessionStorage. */
const STEP = "py_wgml bench";
/** For so long Python's memory may take to be kept, in milliseconds; a browser may not keep it at all. */
const PATIENCE = 10_000;

const parameters = new URLSearchParams(location.search);
const number = (/** @type {string} */ name, /** @type {number} */ otherwise) =>
  Number(parameters.get(name) ?? otherwise);
const numbers = (/** @type {string} */ name, /** @type {string} */ otherwise) =>
  (parameters.get(name) ?? otherwise).split(",").filter(Boolean).map(Number);

/** @type {BenchOptions} */
const options = {
  prompt_tokens: numbers("prompt_tokens", "64,512"),
  prompt_repetitions: number("prompt_repetitions", 10),
  generate_tokens: number("generate_tokens", 128),
  repetitions: number("repetitions", 3),
  contexts: numbers("contexts", "0,1024,4096"),
  texts: number("texts", 256),
};

/** @param {string} text */
function say(text) {
  byId("status").textContent = text;
}

/** @returns {Promise<object | null>} the result; null when the page is to be loaded again first */
async function measure() {
  const { models = [], ...step } = JSON.parse(sessionStorage.getItem(STEP) ?? "{}");
  const remember = (/** @type {object} */ next) => sessionStorage.setItem(STEP, JSON.stringify({ models, ...next }));
  const site = await readSite();
  const wanted = numbers("model", "0");
  const chosen = siteModels(site)[wanted[models.length]];
  if (!chosen) throw new Error(`site.json has no model ${wanted[models.length]}`);
  if (!step.emptied) {
    say("Removing what is kept");
    await empty(/** @type {string} */ (chosen.url));
    remember({ emptied: true });
    return null;
  }
  say(step.cold ? "Another visit: starting" : "First visit: downloading and starting");
  const { engine, ready, start } = await visit(chosen);
  if (!step.cold) {
    say("First visit: keeping the page for offline use");
    const offline = await keepOffline();
    // The engine keeps its memory once it is ready.
    for (const end = performance.now() + PATIENCE; performance.now() < end && !(await isMemoryKept());) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    engine.close();
    remember({ ...step, cold: start, offline, warm: [] });
    return null;
  }
  const warm = [...step.warm, start];
  if (warm.length < options.repetitions) {
    engine.close();
    remember({ ...step, warm });
    return null;
  }
  say("Measuring the engine");
  const figures = await engine.bench(options);
  /** @type {Record<string, unknown>} */
  const asked = {};
  if (ready.model.kind === "chat") {
    say("Asking questions");
    asked.first_text = await firstText(engine, options.prompt_repetitions);
    asked.chat = await ask(engine);
  }
  engine.close();
  models.push({
    site_version: site.version,
    user_agent: navigator.userAgent,
    model: ready.model,
    adapter: ready.adapter,
    heap_peak_bytes: ready.heap_peak_bytes,
    cold: step.cold,
    warm,
    offline: step.offline,
    options,
    bench: figures,
    ...asked,
  });
  if (models.length < wanted.length) {
    remember({});
    return null;
  }
  sessionStorage.removeItem(STEP);
  return { models };
}

/** Make the next visit a first one (but for the browser's own HTTP cache). @param {string} url */
async function empty(url) {
  await forget(url);
  await forgetMemory();
  const registration = await navigator.serviceWorker?.getRegistration();
  await registration?.unregister(); // with it in force, the caches would be filled again
  const folder = new URL("./", location.href).pathname;
  for (const name of await caches.keys()) {
    if (name.startsWith(`py_wgml ${folder} `)) await caches.delete(name);
  }
}

/**
 * @param {ModelSource} model
 * @returns {Promise<{engine: Engine, ready: Ready, start: Start}>}
 */
async function visit(model) {
  const engine = new Engine();
  const supported = await support();
  if (supported !== "ok") throw new Error(`WebGPU can't be used: ${supported}`);
  const adapter_checked = performance.now() / 1000;
  const ready = await engine.load(model, {}, ({ stage, loaded, total }) => {
    say(total > 1 ? `${stage}: ${Math.floor((100 * loaded) / total)} %` : stage);
  });
  const { seconds, restored, kept } = ready;
  const start = { ready: performance.now() / 1000, adapter_checked, engine: seconds, restored, kept };
  return { engine, ready, start };
}

/**
 * A conversation, greedily answered, timed as the visitor sees it: its second turn processes only what is new.
 *
 * @param {Engine} engine
 */
async function ask(engine) {
  /** @type {ChatMessage[]} */
  const messages = [];
  const turns = [];
  for (const question of QUESTIONS) {
    messages.push({ role: "user", content: question });
    const sent = performance.now();
    const answer = engine.send(messages, { temperature: 0, max_tokens: 64 });
    let text = "";
    let first = NaN;
    for await (const part of answer) {
      if (!text && part.tokens) first = (performance.now() - sent) / 1000;
      text += part.reasoning + part.text;
    }
    const { usage, tokens_per_second, reason } = /** @type {Done} */ (answer.done);
    const seconds = (performance.now() - sent) / 1000;
    const processed_tokens = usage.prompt_tokens - usage.cached_tokens;
    const figures = { send_to_first_text: first, seconds, processed_tokens, reason, usage, tokens_per_second };
    turns.push({ question, answer: text, ...figures });
    messages.push({ role: "assistant", content: text });
  }
  return turns;
}

/**
 * A nested object as rows "a, b: value".
 *
 * @param {Record<string, any>} figures
 * @param {string} [path]
 * @returns {[string, string][]}
 */
function rows(figures, path = "") {
  return Object.entries(figures).flatMap(([key, value]) => {
    const name = path ? `${path}, ${key}` : key;
    const isList = Array.isArray(value) && typeof value[0] !== "object";
    if (value !== null && typeof value === "object" && !isList) return rows(value, name);
    return [[name.replaceAll("_", " "), shown(key, value)]];
  });
}

/**
 * @param {string} key
 * @param {any} value
 * @returns {string}
 */
function shown(key, value) {
  if (typeof value !== "number") return Array.isArray(value) ? value.join(", ") : String(value);
  if (key.endsWith("bytes")) return bytes(value);
  return Number.isInteger(value) ? String(value) : decimal(value);
}

/**
 * @param {string} name
 * @param {string[]} values
 * @param {string} [kind] of the values' cells
 */
function tableRow(name, values, kind = "td") {
  const row = element("tr", "");
  const heading = element("th", "", name);
  heading.setAttribute("scope", "row");
  row.append(heading, ...values.map((value) => element(/** @type {"td"} */ (kind), "", value)));
  return row;
}

/** The most telling figures, a model a column. @param {Record<string, any>[]} models */
function showSummary(models) {
  const names = new Set(models.flatMap(({ bench }) => Object.keys(bench.summary)));
  const rows = [...names].map((name) =>
    tableRow(
      name,
      models.map(({ bench }) => (name in bench.summary ? decimal(bench.summary[name]) : "–")),
    ),
  );
  byId("summary").replaceChildren(
    tableRow(
      "",
      models.map(({ model }) => model.name),
      "th",
    ),
    ...rows,
  );
}

/** What a visitor may copy, and see before. @param {Record<string, any>[]} models */
function showReport(models) {
  const text = models.map(report).join("\n\n");
  byId("report").textContent = text;
  const copy = byId("copy", HTMLButtonElement);
  copy.disabled = !text;
  copy.onclick = async () => {
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = "Copied";
    } catch {
      byId("report").closest("details")?.setAttribute("open", "");
      say("This browser does not let the page copy: the report stands below");
    }
  };
}

/** @param {Record<string, any>} result */
async function publish(result) {
  const text = JSON.stringify(result, null, 2);
  byId("result").textContent = text;
  Object.assign(window, { benchResult: result });
  showSummary(result.models ?? []);
  showReport(result.models ?? []);
  byId("figures").replaceChildren(...rows(result).map(([name, value]) => tableRow(name, [value])));
  say(result.error ?? "Done");
  if (!parameters.has("post")) return;
  const headers = { "content-type": "application/json" };
  await fetch("./result", { method: "POST", headers, body: text });
}

try {
  const result = await measure();
  if (result) await publish(result);
  else location.reload();
} catch (error) {
  sessionStorage.removeItem(STEP);
  await publish({ error: error instanceof Error ? error.message : String(error) });
}
