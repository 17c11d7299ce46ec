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
 * @import { AnswerOptions, LoadOptions, ModelSource, Progress } from "./shared/protocol.js"
 * @import { Parameters } from "./page/completions.js"
 */

import { embeddings, rerank } from "./page/vectors.js";
import { siteModels } from "./page/choice.js";
import { asked, chunks, whole } from "./page/completions.js";
import { Engine } from "./page/engine.js";
import { readSite } from "./shared/site.js";

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
    const request = asked(parameters);
    const send = (/** @type {AnswerOptions} */ options) => this.#engine.send(request.messages, options);
    return request.isStream ? chunks(request, send) : whole(request, send);
  }
}
