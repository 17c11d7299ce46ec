/**
 * From "send" to the first text of an answer: where each millisecond goes.
 *
 * @import { Engine } from "./engine.js"
 * @import { ChatMessage } from "../shared/protocol.js"
 *
 * @typedef {{median: number, low: number, high: number}} Spread
 *
 * @typedef {object} FirstText of a question, asked some times over; times in milliseconds
 * @property {number} prompt_tokens
 * @property {number} processed_tokens of the last time: the first ones of a prompt may be those of the one before
 * @property {Spread} total
 * @property {Record<string, Spread>} stages one behind the other
 */

import { EngineError } from "./engine.js";

/** What ends each stage, in this order. */
const STAGES = {
  worker: "page to worker",
  python: "worker to Python",
  template: "message read, template",
  tokenizer: "tokenizer",
  submitted: "prompt recorded and submitted",
  "submitted ahead": "first steps behind it submitted",
  read: "GPU, and reading back",
  text: "token to text",
  posted: "Python to worker",
  page: "worker to page",
};

/** Numbers change the beginning, so that little of the last prompt is reused. @param {number} number */
const QUESTIONS = [
  (/** @type {number} */ number) => `${number} and ${number + 7} are numbers. What is the capital of France, please?`,
  (/** @type {number} */ number) => `${number}: ${"one two three four five six seven eight ".repeat(59)}`,
];

/**
 * @param {Engine} engine
 * @param {number} repetitions
 * @returns {Promise<FirstText[]>} of a short question and of a long one, as far as the context has room for them
 */
export async function firstText(engine, repetitions) {
  const found = [];
  for (const question of QUESTIONS) {
    try {
      found.push(await measured(engine, question, repetitions));
    } catch (error) {
      if (!(error instanceof EngineError && error.stage === "context")) throw error;
    }
  }
  return found;
}

/**
 * @param {Engine} engine
 * @param {(number: number) => string} question
 * @param {number} repetitions
 * @returns {Promise<FirstText>}
 */
async function measured(engine, question, repetitions) {
  /** @type {Record<string, number[]>} */
  const times = {};
  const totals = [];
  let usage = { prompt_tokens: 0, cached_tokens: 0 };
  for (let number = 0; number <= repetitions; number++) {
    const { sent, marks, used } = await once(engine, [{ role: "user", content: question(number) }]);
    usage = used;
    // The first one of its length may still record its steps; an answer that ends at once has no text.
    if (!number || !marks.page) continue;
    let last = sent;
    for (const [name, stage] of Object.entries(STAGES)) {
      (times[stage] ??= []).push(marks[name] - last);
      last = marks[name];
    }
    totals.push(last - sent);
  }
  return {
    prompt_tokens: usage.prompt_tokens,
    processed_tokens: usage.prompt_tokens - usage.cached_tokens,
    total: spread(totals),
    stages: Object.fromEntries(Object.entries(times).map(([stage, values]) => [stage, spread(values)])),
  };
}

/**
 * @param {Engine} engine
 * @param {ChatMessage[]} messages
 */
async function once(engine, messages) {
  performance.mark("sent");
  const sent = now();
  const answer = engine.send(messages, { temperature: 0, max_tokens: 8 }, false, true);
  /** @type {Record<string, number>} */
  let marks = {};
  for await (const part of answer) {
    if (!part.marks) continue;
    marks = { ...part.marks, page: now() };
    performance.measure("first text", "sent");
  }
  return { sent, marks, used: /** @type {import("../shared/protocol.js").Done} */ (answer.done).usage };
}

/** @returns {number} milliseconds since 1970, by a clock that the worker has too */
function now() {
  return performance.timeOrigin + performance.now();
}

/** @param {number[]} values @returns {Spread} */
function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  const median = sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  return { median, low: sorted[0], high: sorted[sorted.length - 1] };
}
