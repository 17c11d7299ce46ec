/**
 * Good small models on the Hugging Face Hub, the smallest first: what the picker offers beside the site's own.
 *
 * `bytes` is about right; the hub tells the very number when one is chosen. `memory` is what it takes on the GPU: the
 * weights, keys and values of 4,096 tokens in half precision, and 0.1 GB of everything else.
 *
 * @typedef {{name: string, reference: string, licence: string, bytes: number, memory: number}} Suggestion
 */

/** @type {Suggestion[]} */
export const suggested = [
  {
    name: "SmolLM2 360M Instruct",
    reference: "HuggingFaceTB/SmolLM2-360M-Instruct-GGUF/smollm2-360m-instruct-q8_0.gguf",
    licence: "Apache-2.0",
    bytes: 386e6,
    memory: 0.65e9,
  },
  {
    name: "Qwen2.5 0.5B Instruct",
    reference: "Qwen/Qwen2.5-0.5B-Instruct-GGUF/qwen2.5-0.5b-instruct-q4_k_m.gguf",
    licence: "Apache-2.0",
    bytes: 491e6,
    memory: 0.65e9,
  },
  {
    name: "Qwen3 0.6B",
    reference: "Qwen/Qwen3-0.6B-GGUF/Qwen3-0.6B-Q8_0.gguf",
    licence: "Apache-2.0",
    bytes: 639e6,
    memory: 1.2e9,
  },
  {
    name: "Gemma 3 1B",
    reference: "ggml-org/gemma-3-1b-it-GGUF/gemma-3-1b-it-Q4_K_M.gguf",
    licence: "Gemma",
    bytes: 806e6,
    memory: 1e9,
  },
  {
    name: "Llama 3.2 1B Instruct",
    reference: "bartowski/Llama-3.2-1B-Instruct-GGUF/Llama-3.2-1B-Instruct-Q4_K_M.gguf",
    licence: "Llama 3.2",
    bytes: 808e6,
    memory: 1.05e9,
  },
];
