/**
 * The engine for other pages of this site's origin, without this page's looks, in the words of OpenAI's client library:
 * https://platform.openai.com/docs/api-reference/chat . (Browsers start workers only from a page's own origin.)
 *
 *     const client = await load();
 *     const answer = await client.chat.completions.create({ messages: [{ role: "user", content: "Hello" }] });
 *     console.log(answer.choices[0].message.content);
 *
 * With `tools`, what the model calls are the message's `tool_calls`; the results are sent next, as messages of the role
 * "tool" with their `tool_call_id`.
 *
 * With a model for that: `client.embeddings.create({ input: ["Hello"] })`, and `client.rerank({ query, documents })` in
 * the words of Jina and Cohere (page/vectors.js).
 *
 * @import { Answer } from "./page/engine.js"
 * @import { AnswerOptions, CallPiece, ChatMessage, Done, LoadOptions, ModelSource, Progress } from "./shared/protocol.js"
 *
 * @typedef {AnswerOptions & {messages: ChatMessage[], stream?: boolean,
 *   max_completion_tokens?: number | null, model?: string,
 *   stream_options?: {include_usage?: boolean}}} Parameters
 *   as in OpenAI's reference, and those of AnswerOptions (protocol.d.ts). `model` is not looked at:
 *   there is one
 */

import { embeddings, rerank } from "./page/vectors.js";
import { siteModels } from "./page/choice.js";
import { addCall, Engine } from "./page/engine.js";
import { readSite } from "./shared/site.js";

const SAMPLING = [
  ...["temperature", "top_k", "top_p", "min_p", "repetition_penalty", "penalty_window", "seed", "max_tokens", "stop"],
];
const TEMPLATE = ["tools", "tool_choice", "parallel_tool_calls", "chat_template", "chat_template_kwargs"];
const OTHERS = ["messages", "stream", "max_completion_tokens", "model", "stream_options"];
/**
 * Options of OpenAI's that there are not here: taken with the values with which they ask for nothing.
 *
 * @type {Record<string, (value: any) => boolean>}
 */
const NEUTRAL = {
  n: (value) => value === 1,
  frequency_penalty: (value) => value === 0,
  presence_penalty: (value) => value === 0,
  logprobs: (value) => value === false,
  top_logprobs: (value) => value === 0,
  logit_bias: (value) => Object.keys(value).length === 0,
  response_format: (value) => value.type === "text",
  store: (value) => value === false,
  user: () => true,
  metadata: () => true,
  service_tier: () => true,
  safety_identifier: () => true,
  prompt_cache_key: () => true,
};
/** @type {Record<Done["reason"], string>} */
const FINISHED = { stop: "stop", tool_calls: "tool_calls", stopped: "stop", length: "length", context: "length" };

/**
 * Start the engine and load a model.
 *
 * @param {string | File} [model] the name of one of the site's (default: its first), an address,
 *   `owner/repository/file.gguf` on Hugging Face, or a file
 * @param {{context?: number, pooling?: LoadOptions["pooling"], onProgress?: (progress: Progress) => void}} [options]
 *   context: its length in tokens. pooling: how a model embeds that does not say so
 * @returns {Promise<Client>} rejected with an EngineError
 */
export async function load(model, { context, pooling, onProgress = () => {} } = {}) {
  const engine = new Engine();
  try {
    await engine.load(await sourceOf(engine, model), { context, pooling }, onProgress);
  } catch (error) {
    engine.close();
    throw error;
  }
  return new Client(engine);
}

/**
 * @param {Engine} engine
 * @param {string | File} [model]
 * @returns {Promise<ModelSource>}
 */
async function sourceOf(engine, model) {
  if (model instanceof File) return { name: model.name, file: model };
  const own = siteModels(await readSite());
  if (model === undefined) return own[0];
  return own.find(({ name }) => name === model) ?? engine.resolve(model);
}

export class Client {
  #engine;
  /** As OpenAI's client has it: `chat.completions.create`. */
  chat = { completions: { create: this.#create.bind(this) } };
  /** As OpenAI's client has it: `embeddings.create`. */
  embeddings = { create: (/** @type {any} */ parameters) => embeddings(this.#engine, parameters) };

  /** @param {Engine} engine with a model */
  constructor(engine) {
    this.#engine = engine;
  }

  /** Free the GPU. */
  close() {
    this.#engine.close();
  }

  /**
   * @param {any} parameters `query`, `documents`, `top_n`, `return_documents`, as in Jina's and Cohere's interfaces
   * @returns {Promise<any>} `results`: of each document its `index` and `relevance_score`, the best first
   * @throws {TypeError} for a parameter that there is not here
   * @throws {EngineError} for one of another type, and with a model that does not score
   */
  rerank(parameters) {
    return rerank(this.#engine, parameters);
  }

  /**
   * @param {Parameters} parameters
   * @returns {Promise<any>} a chat completion; with `stream`, an async iterable of its chunks
   * @throws {TypeError} for a parameter that there is not here, or that asks for what is not done here
   * @throws {EngineError} for one of another type or out of its range; the engine goes on
   */
  async #create(parameters) {
    const unknown = Object.entries(parameters ?? {}).filter(([key, value]) => !isTaken(key, value));
    if (unknown.length) throw new TypeError(`not supported: ${unknown.map(([key]) => key).join(", ")}`);
    const { messages, stream, stream_options, max_completion_tokens } = parameters ?? {};
    if (![undefined, null, true, false].includes(stream)) throw new TypeError("stream is neither true nor false");
    const sampling = Object.fromEntries(Object.entries(parameters ?? {}).filter(([key]) => [...SAMPLING, ...TEMPLATE].includes(key)));
    if (max_completion_tokens !== undefined) sampling.max_tokens = max_completion_tokens;
    const answer = this.#engine.send(messages, sampling);
    const about = { id: `chatcmpl-${crypto.randomUUID()}`, created: Math.floor(Date.now() / 1000), model: "py_wgml" };
    return stream ? chunks(answer, about, stream_options?.include_usage ?? false) : whole(answer, about);
  }
}

/**
 * @param {string} key
 * @param {unknown} value
 */
function isTaken(key, value) {
  if ([...SAMPLING, ...TEMPLATE, ...OTHERS].includes(key)) return true;
  return Object.hasOwn(NEUTRAL, key) && (value === undefined || value === null || NEUTRAL[key](value));
}

/**
 * @param {Answer} answer
 * @param {object} about
 */
async function whole(answer, about) {
  let [content, reasoning_content] = ["", ""];
  /** @type {CallPiece[]} */
  const calls = [];
  for await (const { text, reasoning, recast, calls: pieces } of answer) {
    if (recast) [reasoning_content, content] = [reasoning_content + content, ""];
    content += text;
    reasoning_content += reasoning;
    for (const piece of pieces) addCall(calls, piece);
  }
  const message = {
    ...{ role: "assistant", content: content || !calls.length ? content : null, refusal: null, reasoning_content },
    ...(calls.length && { tool_calls: calls.map(toolCall) }),
  };
  const { reason, usage } = usageOf(answer);
  const choices = [{ index: 0, message, finish_reason: reason, logprobs: null }];
  return { ...about, object: "chat.completion", choices, usage };
}

/**
 * Whoever leaves the loop early stops the answer.
 *
 * @param {Answer} answer
 * @param {object} about
 * @param {boolean} withUsage
 */
async function* chunks(answer, about, withUsage) {
  const chunk = (/** @type {object} */ delta, /** @type {string | null} */ finish_reason = null) => ({
    ...{ ...about, object: "chat.completion.chunk" },
    choices: [{ index: 0, delta, finish_reason, logprobs: null }],
  });
  const called = new Set();
  try {
    yield chunk({ role: "assistant", content: "", refusal: null });
    for await (const { text, reasoning, calls } of answer) {
      if (reasoning) yield chunk({ reasoning_content: reasoning });
      if (text) yield chunk({ content: text });
      for (const { index, arguments: more, ...piece } of calls) {
        if (!called.has(index)) yield chunk({ tool_calls: [{ index, ...toolCall({ index, ...piece, arguments: "" }) }] });
        if (more) yield chunk({ tool_calls: [{ index, function: { arguments: more } }] });
        called.add(index);
      }
    }
    const { reason, usage } = usageOf(answer);
    yield chunk({}, reason);
    if (withUsage) yield { ...chunk({}), choices: [], usage };
  } finally {
    if (!answer.done) answer.stop();
  }
}

/** @param {CallPiece} call */
function toolCall({ id, name, arguments: written }) {
  return { id, type: "function", function: { name, arguments: written } };
}

/** @param {Answer} answer that has ended */
function usageOf(answer) {
  const { reason, usage } = /** @type {Done} */ (answer.done);
  const { prompt_tokens, completion_tokens, cached_tokens } = usage;
  return {
    reason: FINISHED[reason],
    usage: {
      prompt_tokens,
      completion_tokens,
      total_tokens: prompt_tokens + completion_tokens,
      prompt_tokens_details: { cached_tokens },
    },
  };
}
