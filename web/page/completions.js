/**
 * Chat completions in the shape of OpenAI's: what is asked for, and what is answered.
 * https://platform.openai.com/docs/api-reference/chat
 *
 * @import { Answer } from "./engine.js"
 * @import { AnswerOptions, CallPiece, ChatMessage, Done, TokenLogprob } from "../shared/protocol.js"
 *
 * @typedef {Omit<AnswerOptions, "chat_template_kwargs"> & {messages: ChatMessage[], stream?: boolean | null,
 *   chat_template_kwargs?: object | null, n?: number | null, max_completion_tokens?: number | null, model?: string,
 *   reasoning_effort?: string | null, response_format?: object | null,
 *   stream_options?: {include_usage?: boolean} | null}} Parameters
 *   as in OpenAI's reference, and those of AnswerOptions (protocol.d.ts). `model` is not looked at: there is one
 * @typedef {{messages: ChatMessage[], options: AnswerOptions[], isStream: boolean, withUsage: boolean}} Asked
 *   what is asked for: the options of each answer
 */

import { addCall } from "./engine.js";
import { formOf } from "./response_format.js";

/** What the engine takes under the same name. */
const SAMPLING = [
  ...["temperature", "top_k", "top_p", "min_p", "top_n_sigma", "typical_p", "xtc_probability", "xtc_threshold", "seed"],
  ...["dynatemp_range", "dynatemp_exponent", "mirostat", "mirostat_tau", "mirostat_eta", "logit_bias"],
  ...["repetition_penalty", "penalty_window", "presence_penalty", "frequency_penalty", "dry_multiplier", "dry_base"],
  ...["dry_allowed_length", "dry_penalty_last_n", "dry_sequence_breakers"],
  ...["max_tokens", "stop", "logprobs", "top_logprobs"],
];
const TEMPLATE = ["tools", "tool_choice", "parallel_tool_calls", "chat_template", "chat_template_kwargs"];
const FORM = ["schema", "regex", "choices", "grammar"];
const ENGINE = [...SAMPLING, ...TEMPLATE, ...FORM];
/** What becomes something else here, or nothing. */
const OTHERS = [
  ...[
    "messages",
    "stream",
    "stream_options",
    "n",
    "max_completion_tokens",
    "reasoning_effort",
    "response_format",
    "model",
  ],
];
/**
 * Options of OpenAI's that there are not here: taken with the values with which they ask for nothing.
 *
 * @type {Record<string, (value: any) => boolean>}
 */
const NEUTRAL = {
  store: (value) => value === false,
  modalities: (value) => Array.isArray(value) && value.every((one) => one === "text"),
  verbosity: (value) => value === "medium",
  user: () => true,
  metadata: () => true,
  service_tier: () => true,
  safety_identifier: () => true,
  prompt_cache_key: () => true,
  prompt_cache_retention: () => true,
};
/** How many answers OpenAI gives at most. */
const MOST_ANSWERS = 128;
const SEEDS = 2 ** 32;
/** @type {Record<Done["reason"], string>} */
const FINISHED = { stop: "stop", tool_calls: "tool_calls", stopped: "stop", length: "length", context: "length" };

/**
 * @param {any} given `Parameters`, whatever they are
 * @returns {Asked}
 * @throws {TypeError} for one that there is not here, or that asks for what is not done here
 */
export function asked(given) {
  const parameters = /** @type {Parameters} */ (given ?? {});
  const entries = Object.entries(parameters);
  const unknown = entries.filter(([key, value]) => !isTaken(key, value));
  if (unknown.length) throw new TypeError(`not supported: ${unknown.map(([key]) => key).join(", ")}`);
  const { messages, stream, stream_options, n, max_completion_tokens, reasoning_effort, response_format, seed } =
    parameters;
  if (![undefined, null, true, false].includes(stream)) throw new TypeError("stream is neither true nor false");
  const count = n ?? 1;
  if (!(Number.isInteger(count) && count >= 1 && count <= MOST_ANSWERS)) {
    throw new TypeError(`n is not a whole number from 1 to ${MOST_ANSWERS}`);
  }
  /** @type {AnswerOptions} */
  const options = {
    ...Object.fromEntries(entries.filter(([key]) => ENGINE.includes(key))),
    ...formOf(response_format),
  };
  if (max_completion_tokens !== undefined) options.max_tokens = max_completion_tokens;
  if (reasoning_effort) options.chat_template_kwargs = { reasoning_effort, ...options.chat_template_kwargs };
  return {
    messages,
    options: Array.from({ length: count }, (_, index) =>
      // The first is the one that would come alone.
      index && Number.isInteger(seed) ? { ...options, seed: (Number(seed) + index) % SEEDS } : options,
    ),
    isStream: stream ?? false,
    withUsage: stream_options?.include_usage ?? false,
  };
}

/**
 * @param {string} key
 * @param {unknown} value nothing at all asks for nothing
 */
function isTaken(key, value) {
  if (value === undefined || value === null || [...ENGINE, ...OTHERS].includes(key)) return true;
  return Object.hasOwn(NEUTRAL, key) && NEUTRAL[key](value);
}

/** What each answer to one request has in common. */
function aboutNow() {
  return { id: `chatcmpl-${crypto.randomUUID()}`, created: Math.floor(Date.now() / 1000), model: "py_wgml" };
}

/**
 * A chat completion. Its answers come one after the other: each finds the prompt processed by the one before.
 *
 * @param {Asked} request
 * @param {(options: AnswerOptions) => Answer} send
 */
export async function whole({ options }, send) {
  const [about, choices, answers] = [aboutNow(), /** @type {object[]} */ ([]), /** @type {Answer[]} */ ([])];
  for (const [index, each] of options.entries()) {
    const answer = send(each);
    let [content, reasoning_content] = ["", ""];
    const [calls, tokens] = [/** @type {CallPiece[]} */ ([]), /** @type {TokenLogprob[]} */ ([])];
    for await (const { text, reasoning, recast, calls: pieces, logprobs } of answer) {
      if (recast) [reasoning_content, content] = [reasoning_content + content, ""];
      content += text;
      reasoning_content += reasoning;
      for (const piece of pieces) addCall(calls, piece);
      tokens.push(...logprobs);
    }
    const message = {
      ...{ role: "assistant", content: content || !calls.length ? content : null, refusal: null, reasoning_content },
      ...(calls.length && { tool_calls: calls.map(toolCall) }),
      ...((each.schema ?? null) !== null && { parsed: parsed(content) }),
    };
    choices.push({ index, message, finish_reason: reasonOf(answer), logprobs: each.logprobs ? told(tokens) : null });
    answers.push(answer);
  }
  return { ...about, object: "chat.completion", choices, usage: usageOf(answers) };
}

/**
 * The chunks of a chat completion. Whoever leaves the loop early stops the answer.
 *
 * @param {Asked} request
 * @param {(options: AnswerOptions) => Answer} send
 */
export async function* chunks({ options, withUsage }, send) {
  const [head, answers] = [{ ...aboutNow(), object: "chat.completion.chunk" }, /** @type {Answer[]} */ ([])];
  for (const [index, each] of options.entries()) {
    const answer = send(each);
    const chunk = (/** @type {object} */ delta, /** @type {TokenLogprob[]} */ tokens = [], finish_reason = "") => ({
      ...head,
      choices: [{ index, delta, finish_reason: finish_reason || null, logprobs: tokens.length ? told(tokens) : null }],
    });
    const called = new Set();
    try {
      yield chunk({ role: "assistant", content: "", refusal: null });
      for await (const { text, reasoning, calls, logprobs } of answer) {
        const deltas = /** @type {object[]} */ ([]);
        if (reasoning) deltas.push({ reasoning_content: reasoning });
        if (text) deltas.push({ content: text });
        for (const { index, arguments: more, ...piece } of calls) {
          if (!called.has(index))
            deltas.push({ tool_calls: [{ index, ...toolCall({ index, ...piece, arguments: "" }) }] });
          if (more) deltas.push({ tool_calls: [{ index, function: { arguments: more } }] });
          called.add(index);
        }
        if (logprobs.length && !deltas.length) deltas.push({});
        for (const [place, delta] of deltas.entries()) yield chunk(delta, place ? [] : logprobs);
      }
      yield chunk({}, [], reasonOf(answer));
    } finally {
      if (!answer.done) answer.stop();
    }
    answers.push(answer);
  }
  if (withUsage) yield { ...head, choices: [], usage: usageOf(answers) };
}

/** @param {CallPiece} call */
function toolCall({ id, name, arguments: written }) {
  return { id, type: "function", function: { name, arguments: written } };
}

/** @param {string} text @returns {unknown} the value that JSON says; null where it was cut off */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** @param {TokenLogprob[]} tokens */
function told(tokens) {
  return { content: tokens, refusal: null };
}

/** @param {Answer} answer that has ended */
function reasonOf(answer) {
  return FINISHED[/** @type {Done} */ (answer.done).reason];
}

/** @param {Answer[]} answers to one prompt, which have ended */
function usageOf(answers) {
  const usages = answers.map(({ done }) => /** @type {Done} */ (done).usage);
  const { prompt_tokens, cached_tokens } = usages[0];
  const sum = (/** @type {"completion_tokens" | "drafted_tokens" | "accepted_tokens"} */ name) =>
    usages.reduce((total, usage) => total + usage[name], 0);
  const [completion_tokens, accepted] = [sum("completion_tokens"), sum("accepted_tokens")];
  return {
    prompt_tokens,
    completion_tokens,
    total_tokens: prompt_tokens + completion_tokens,
    prompt_tokens_details: { cached_tokens },
    completion_tokens_details: {
      accepted_prediction_tokens: accepted,
      rejected_prediction_tokens: sum("drafted_tokens") - accepted,
    },
  };
}
