/**
 * What the page and its worker say to each other. Types only: nothing of this file is shipped.
 *
 * The page owns the conversation and sends the whole of it with each question; the engine finds the part that it has
 * already processed. Times are seconds, sizes are bytes.
 */

/** Where a model comes from: an address, or a file of the visitor's. */
export interface ModelSource {
  /** What people call it, shown in the page. */
  name: string;
  /** An absolute URL. Either this or `file`. */
  url?: string;
  /** A file that the visitor chose. Either this or `url`. */
  file?: File;
  /** Where it lies in pieces one behind the other, for hosts that limit a file's size: `url` is only its name then. */
  parts?: { url: string; bytes: number }[];
  /** The files after this one of a split model (name-00002-of-00003.gguf and so on), each a GGUF file of its own. */
  rest?: ModelSource[];
  /** Of a file of `rest`: the `url` of the first one. */
  model?: string;
  /** Its size, where known beforehand; what the server says goes before it. */
  bytes?: number;
  sha256?: string;
}

export interface ChatMessage {
  /** "developer" is the system's, "function" a tool's. */
  role: "system" | "user" | "assistant" | "tool" | "developer" | "function";
  /** Text, whole or in parts; null in a message that only calls. */
  content: string | { type: "text"; text: string }[] | null;
  /** What the model thought before it said `content`; templates that know it leave it out of later turns. */
  reasoning_content?: string;
  /** The assistant's: functions that it calls. `arguments` in JSON, or the object itself. */
  tool_calls?: { id?: string; type: "function"; function: { name: string; arguments: string | object } }[];
  /** A tool's: which call it answers. */
  tool_call_id?: string;
}

/** How the next token is chosen. What is left out or null is the engine's default. */
export interface Sampling {
  temperature?: number | null;
  top_k?: number | null;
  top_p?: number | null;
  min_p?: number | null;
  repetition_penalty?: number | null;
  /** null: a random one. */
  seed?: number | null;
  /** null: until the model ends its answer. */
  max_tokens?: number | null;
  stop?: string | string[] | null;
}

/** What the model's chat template is given beside the messages. */
export interface TemplateOptions {
  /** Functions that the model may call; its calls are part of its text, in its own form. */
  tools?: { type: "function"; function: { name: string; description?: string; parameters?: object } }[];
  /** The name of one of the file's templates, such as "rag"; default: "tool_use" where there are tools and it is there. */
  chat_template?: string | null;
  /** The template's further variables, such as `enable_thinking`. */
  chat_template_kwargs?: Record<string, unknown>;
}

/** What is left out is as the model and the device have it. */
export interface LoadOptions {
  /** The context's length in tokens. */
  context?: number;
  /** Of each number of the context's cache; 8: half the memory of 16, which is the default. */
  cache_bits?: 8 | 16;
}

export interface BenchOptions {
  prompt_tokens: number;
  generate_tokens: number;
  repetitions: number;
  /** Tokens of conversation at which generation is measured. */
  contexts: number[];
}

/** Answer a conversation. If its last message is the assistant's, that is gone on with. */
export interface Send {
  type: "send";
  id: number;
  messages: ChatMessage[];
  sampling: Sampling & TemplateOptions;
  /** Leave the oldest messages out where the conversation is longer than the context, instead of failing. */
  drop_oldest?: boolean;
}

/**
 * What has one reply. `load`: Ready. `resolve` a reference to a model: Resolved. `room`, whether the GPU has so many
 * bytes: Room. `card`: Card. `bench`: BenchFigures.
 */
export type Asked =
  | { type: "load"; model: ModelSource; options: LoadOptions }
  | { type: "resolve"; reference: string }
  | { type: "room"; bytes: number }
  | { type: "card" }
  | ({ type: "bench" } & BenchOptions);

/** Page to worker. `pause` and `cancel` are about the download under way. */
export type Request =
  | (Asked & { id: number })
  | { type: "pause"; paused: boolean }
  | { type: "cancel" }
  | Send
  | { type: "stop"; id: number }
  /** Whether the worker is alive: Alive. One whose Python hangs does not answer. */
  | { type: "ping" };

/**
 * `runtime`, `packages`: 0 or 1 of 1. `download`: bytes that have arrived of the model; runs beside the others, and
 * is not reported for a copy kept on the device. `header`, `weights`: bytes read by the engine. `kernels`: a count.
 */
export type Stage = "runtime" | "packages" | "download" | "header" | "weights" | "kernels";

export interface Progress {
  type: "progress";
  stage: Stage;
  loaded: number;
  /** 0: not known. */
  total: number;
}

export interface Ready {
  type: "ready";
  id: number;
  model: {
    name: string;
    architecture: string;
    parameters: number;
    file_bytes: number;
    context_length: number;
    vocab_size: number;
    quantization: string;
  };
  adapter: { vendor: string; architecture: string; description: string; features: string[] };
  /** `runtime`, `packages` and `total` (since the worker began) are measured by worker.js, the others by the engine. */
  seconds: { runtime: number; packages: number; header: number; weights: number; total: number };
  heap_peak_bytes: number;
  /** GPU memory in use. */
  gpu_bytes: number;
  /** The defaults for this model. */
  sampling: Sampling;
  /** Whether a copy of the model is on this device now, so that the next visit needs no download. */
  kept: boolean;
}

/**
 * What has come of an answer since the last piece. `reasoning` comes before `text`; with `recast`, all text of the
 * pieces before has turned out to be reasoning as well.
 */
export interface Piece {
  type: "piece";
  id: number;
  text: string;
  reasoning: string;
  recast?: boolean;
  /** Generated so far. */
  tokens: number;
}

/**
 * How much of the prompt has been processed, in tokens: what was kept from earlier turns counts as done. Told when an
 * answer begins, and again while a long prompt is read.
 */
export interface Reading {
  type: "reading";
  id: number;
  done: number;
  total: number;
}

/** The oldest messages (after the system's) that were left out of the prompt, if any were. */
export interface Dropped {
  type: "dropped";
  id: number;
  messages: number;
}

export interface Usage {
  prompt_tokens: number;
  cached_tokens: number;
  completion_tokens: number;
  context_used: number;
  context_length: number;
}

export interface Done {
  type: "done";
  id: number;
  reason: "stop" | "length" | "stopped" | "context";
  usage: Usage;
  seconds: { first_token: number; prefill: number; decode: number };
  tokens_per_second: { prefill: number; decode: number };
}

export interface Failure {
  type: "error";
  /** Of the request it is about; absent when the engine as a whole has failed. */
  id?: number;
  /**
   * Where it failed: a Stage; "cancelled"; "unsupported" when this browser has no usable WebGPU; "gpu" when the GPU was
   * lost, "memory" when it has too little; "hung" when the worker does not answer any more; or a name of the engine's own.
   */
  stage: string;
  /** One line that a person understands. */
  message: string;
  /** Of a `load`: the model from before is still loaded. */
  loaded?: boolean;
}

export interface Resolved {
  type: "resolved";
  id: number;
  model: ModelSource;
}

export interface Room {
  type: "room";
  id: number;
  enough: boolean;
}

/** What a GGUF file says of itself: py_wgml/gguf_model/card.py. */
export interface Card {
  type: "card";
  id: number;
  card: {
    version: number;
    parameters: number;
    bytes: number;
    /** Arrays as text: their length and their first elements. */
    metadata: { key: string; value: string | number | boolean }[];
    tensors: { name: string; type: string; shape: number[]; bytes: number }[];
    types: { type: string; tensors: number; parameters: number; bytes: number }[];
    template: string;
    /** Those for special uses, as tools. */
    templates: { name: string; template: string }[];
    vocabulary: { model: string; tokens: number };
  };
}

/** The engine's figures, whatever they are. */
export interface BenchFigures {
  type: "bench";
  id: number;
  [figure: string]: unknown;
}

export interface Alive {
  type: "alive";
}

/** Worker to page. */
export type Reply =
  | Alive
  | Progress
  | Ready
  | Resolved
  | Room
  | Card
  | Dropped
  | Reading
  | Piece
  | Done
  | Failure
  | BenchFigures;

/** `site.json`, which the build writes. All addresses are relative to the page. */
export interface Site {
  title: string;
  /** What the model is told before a conversation, unless the visitor says otherwise. */
  system_prompt: string;
  models: {
    name: string;
    url: string;
    /** Pieces that it lies in, where the build split it. */
    parts?: { url: string; bytes: number }[];
    bytes: number;
    sha256: string;
    license?: string;
  }[];
  /** What micropip installs, in order. */
  wheels: string[];
  /** Changes whenever any file but a model does. */
  version: string;
  /** Every file but the models. */
  files: string[];
}
