/**
 * Good small models on the Hugging Face Hub, the smallest first: what the picker offers beside the site's own.
 *
 * `bytes` is about right; the hub tells the very number when one is chosen, and whether it still has it. `memory` is what
 * it takes on the GPU: the weights, what is kept of 4,096 tokens (keys and values in half precision, states and their
 * snapshots), and 0.1 GB of everything else.
 *
 * `purpose` is the word for what it is good for, in `models.purposes` of the words.
 *
 * @typedef {{name: string, purpose: keyof typeof import("./strings.js").strings.models.purposes, reference: string, licence: string, bytes: number, memory: number}} Suggestion
 */

/** @type {Suggestion[]} */
export const suggested = [
  {
    name: "Granite 4.0 H 350M",
    purpose: "small",
    reference: "ibm-granite/granite-4.0-h-350m-GGUF/granite-4.0-h-350m-Q5_K_M.gguf",
    licence: "Apache-2.0",
    bytes: 252e6,
    memory: 0.55e9,
  },
  {
    name: "LFM2.5 350M",
    purpose: "quick",
    reference: "LiquidAI/LFM2.5-350M-GGUF/LFM2.5-350M-Q5_K_M.gguf",
    licence: "LFM 1.0",
    bytes: 260e6,
    memory: 0.6e9,
  },
  {
    name: "Qwen3.5 0.8B",
    purpose: "languages",
    reference: "unsloth/Qwen3.5-0.8B-GGUF/Qwen3.5-0.8B-Q4_K_M.gguf",
    licence: "Apache-2.0",
    bytes: 533e6,
    memory: 0.85e9,
  },
  {
    name: "LFM2.5 1.2B Instruct",
    purpose: "everyday",
    reference: "LiquidAI/LFM2.5-1.2B-Instruct-GGUF/LFM2.5-1.2B-Instruct-Q4_K_M.gguf",
    licence: "LFM 1.0",
    bytes: 731e6,
    memory: 1.2e9,
  },
  {
    name: "Gemma 3 1B",
    purpose: "writing",
    reference: "ggml-org/gemma-3-1b-it-GGUF/gemma-3-1b-it-Q4_K_M.gguf",
    licence: "Gemma",
    bytes: 806e6,
    memory: 1e9,
  },
  {
    name: "Granite 4.0 H 1B",
    purpose: "work",
    reference: "ibm-granite/granite-4.0-h-1b-GGUF/granite-4.0-h-1b-Q4_K_M.gguf",
    licence: "Apache-2.0",
    bytes: 901e6,
    memory: 1.45e9,
  },
  {
    name: "Qwen3.5 2B",
    purpose: "allRound",
    reference: "unsloth/Qwen3.5-2B-GGUF/Qwen3.5-2B-Q4_K_M.gguf",
    licence: "Apache-2.0",
    bytes: 1.28e9,
    memory: 1.6e9,
  },
  {
    name: "SmolLM3 3B",
    purpose: "reasoning",
    reference: "ggml-org/SmolLM3-3B-GGUF/SmolLM3-Q4_K_M.gguf",
    licence: "Apache-2.0",
    bytes: 1.92e9,
    memory: 2.35e9,
  },
  {
    name: "Qwen3.5 4B",
    purpose: "code",
    reference: "unsloth/Qwen3.5-4B-GGUF/Qwen3.5-4B-Q4_K_M.gguf",
    licence: "Apache-2.0",
    bytes: 2.74e9,
    memory: 3.35e9,
  },
  {
    name: "Gemma 4 E2B",
    purpose: "knowledge",
    reference: "unsloth/gemma-4-E2B-it-GGUF/gemma-4-E2B-it-Q4_K_M.gguf",
    licence: "Apache-2.0",
    bytes: 3.11e9,
    memory: 3.3e9,
  },
  {
    name: "Granite 4.0 H Tiny",
    purpose: "long",
    reference: "ibm-granite/granite-4.0-h-tiny-GGUF/granite-4.0-h-tiny-Q4_K_M.gguf",
    licence: "Apache-2.0",
    bytes: 4.23e9,
    memory: 4.8e9,
  },
  {
    name: "Gemma 4 E4B",
    purpose: "best",
    reference: "unsloth/gemma-4-E4B-it-GGUF/gemma-4-E4B-it-Q4_K_M.gguf",
    licence: "Apache-2.0",
    bytes: 4.98e9,
    memory: 5.25e9,
  },
];
