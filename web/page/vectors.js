/**
 * Vectors and scores of texts, for ../openai.js: https://platform.openai.com/docs/api-reference/embeddings , and
 * https://jina.ai/reranker for what OpenAI has no words for.
 *
 * @import { Engine } from "./engine.js"
 */

const EMBEDDING = ["input", "dimensions", "encoding_format", "model", "user"];
const RANKING = ["query", "documents", "top_n", "return_documents", "model"];

/**
 * @param {Engine} engine
 * @param {any} parameters as of OpenAI's `embeddings.create`; `input` is a text or a list of texts
 * @returns {Promise<any>} the list of vectors, as numbers or in base64
 */
export async function embeddings(engine, parameters) {
  require(parameters, EMBEDDING);
  const { input, dimensions, encoding_format: format } = parameters;
  if (![undefined, null, "float", "base64"].includes(format))
    throw new TypeError("encoding_format is neither float nor base64");
  const { vectors, width, tokens } = await engine.embed(typeof input === "string" ? [input] : input, dimensions);
  const bytes = 4 * width;
  const data = Array.from({ length: vectors.byteLength / bytes }, (_, index) => {
    const vector = vectors.slice(index * bytes, (index + 1) * bytes);
    const embedding = format === "base64" ? base64(vector) : Array.from(new Float32Array(vector.buffer));
    return { object: "embedding", index, embedding };
  });
  return { object: "list", data, model: "py_wgml", usage: { prompt_tokens: tokens, total_tokens: tokens } };
}

/**
 * @param {Engine} engine
 * @param {any} parameters
 * @returns {Promise<any>}
 */
export async function rerank(engine, parameters) {
  require(parameters, RANKING);
  const { query, documents, top_n, return_documents } = parameters;
  if (![undefined, null].includes(top_n) && !(Number.isInteger(top_n) && top_n > 0))
    throw new TypeError("top_n is not a number of documents");
  // Where Jina's interface takes documents with parts, their text is what counts.
  const texts = Array.isArray(documents) ? documents.map((document) => document?.text ?? document) : documents;
  const { scores, tokens } = await engine.rerank(query, texts);
  const results = scores
    .map((relevance_score, index) => ({
      index,
      relevance_score,
      ...(return_documents && { document: { text: texts[index] } }),
    }))
    .sort((a, b) => b.relevance_score - a.relevance_score)
    .slice(0, top_n ?? undefined);
  return { object: "list", model: "py_wgml", results, usage: { prompt_tokens: tokens, total_tokens: tokens } };
}

/**
 * @param {any} parameters
 * @param {string[]} known
 */
function require(parameters, known) {
  const unknown = Object.keys(parameters ?? {}).filter((key) => !known.includes(key));
  if (!parameters || unknown.length) throw new TypeError(`not supported: ${unknown.join(", ") || "no parameters"}`);
}

/** @param {Uint8Array} bytes of numbers as they lie in memory, the smallest byte first */
function base64(bytes) {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
