/** Made of the SOURCES of web/build/protocol.py by `python3 -m web.build.protocol`. Types only: none is shipped. */

/** An entry of a file's metadata. Arrays as text: their length and their first elements. */
export interface Entry {
  key: string;
  value: string | number | boolean;
}

/** A tensor of a file. */
export interface TensorFacts {
  name: string;
  type: string;
  shape: number[];
  bytes: number;
}

/** All tensors of one type. */
export interface TypeFacts {
  type: string;
  tensors: number;
  parameters: number;
  bytes: number;
}

/** A chat template for a special use, as tools. */
export interface NamedTemplate {
  name: string;
  template: string;
}

/** A file's tokens. */
export interface Vocabulary {
  model: string;
  tokens: number;
}

/** What a GGUF file says of itself. */
export interface FileFacts {
  version: number;
  parameters: number;
  bytes: number;
  metadata: Entry[];
  tensors: TensorFacts[];
  types: TypeFacts[];
  template: string;
  templates: NamedTemplate[];
  vocabulary: Vocabulary;
}

/** What was found out about a GPU: see generate/trial.py. */
export interface TrialFacts {
  device: string;
  /** The site's, when it was found out. */
  version: string;
  /** What kernels are not made of there, and why. */
  distrusted: Record<string, string>;
  /** The error of each kind of kernel. */
  tried: Record<string, number>;
  /** Microseconds of a product, by what it multiplies. */
  timed: Record<string, number>;
}

/** What a model runs on. */
export interface AdapterFacts {
  vendor: string;
  architecture: string;
  device: string;
  description: string;
  features: string[];
  limits: Record<string, number>;
  trial: TrialFacts;
}

/** A piece of a file. */
export interface FilePart {
  url: string;
  bytes: number;
}

/** Where a model comes from: an address, or a file of the visitor's. */
export interface ModelSource {
  /** What people call it, shown in the page. */
  name: string;
  /** An absolute URL. Either this or `file`. */
  url?: string;
  /** A file that the visitor chose. Either this or `url`. */
  file?: File;
  /** Where it lies in pieces one behind the other, for hosts that limit a file's size: `url` is only its name then. */
  parts?: FilePart[];
  /** The files after this one of a split model (name-00002-of-00003.gguf and so on), each a GGUF file of its own. */
  rest?: ModelSource[];
  /** Of a file of `rest`: the `url` of the first one. */
  model?: string;
  /** Its size, where known beforehand; what the server says goes before it. */
  bytes?: number;
  sha256?: string;
}

/** A part of a message's content. */
export interface TextPart {
  type: "text";
  text: string;
}

/** A function, and what it is called with. */
export interface Call {
  name: string;
  /** In JSON, or the object itself. */
  arguments: string | Record<string, unknown>;
}

/** What an assistant's message calls. */
export interface ToolCall {
  id?: string;
  type: "function";
  function: Call;
}

/** One message of a conversation. */
export interface ChatMessage {
  /** "developer" is the system's, "function" a tool's. */
  role: "system" | "user" | "assistant" | "tool" | "developer" | "function";
  /** Text, whole or in parts; null in a message that only calls. */
  content: string | TextPart[] | null;
  /** What the model thought before it said `content`; templates that know it leave it out of later turns. */
  reasoning_content?: string;
  /** The assistant's: functions that it calls. */
  tool_calls?: ToolCall[];
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
  /** The last so many tokens count as repeated; -1: all. */
  penalty_window?: number | null;
  presence_penalty?: number | null;
  frequency_penalty?: number | null;
  /** Added to the logits of tokens, by their ids. */
  logit_bias?: Record<string, number> | null;
  top_n_sigma?: number | null;
  typical_p?: number | null;
  xtc_probability?: number | null;
  xtc_threshold?: number | null;
  dry_multiplier?: number | null;
  dry_base?: number | null;
  dry_allowed_length?: number | null;
  dry_penalty_last_n?: number | null;
  dry_sequence_breakers?: string[] | null;
  mirostat?: 0 | 2 | null;
  mirostat_tau?: number | null;
  mirostat_eta?: number | null;
  dynatemp_range?: number | null;
  dynatemp_exponent?: number | null;
  /** null: a random one. */
  seed?: number | null;
  /** null: until the model ends its answer. */
  max_tokens?: number | null;
  stop?: string | string[] | null;
  /** Tell how likely each token was: `Piece.logprobs`. */
  logprobs?: boolean | null;
  /** And so many of the likeliest in its place, at most 20. */
  top_logprobs?: number | null;
}

/** What a model may call. */
export interface ToolFunction {
  name: string;
  description?: string;
  /** A JSON schema. */
  parameters?: Record<string, unknown>;
}

/** A function that the model may call. */
export interface Tool {
  type: "function";
  function: ToolFunction;
}

/** A function by its name. */
export interface ToolName {
  name: string;
}

/** One of the tools, to be called. */
export interface ToolChoice {
  type: "function";
  function: ToolName;
}

/** What the model's chat template is given beside the messages. */
export interface TemplateOptions {
  tools?: Tool[];
  /** Whether the model calls functions: as it sees fit (null, "auto"), never, some, or the one named. */
  tool_choice?: "auto" | "none" | "required" | ToolChoice | null;
  /** False: at most one call in an answer. */
  parallel_tool_calls?: boolean | null;
  /** The name of one of the file's templates, such as "rag"; default: "tool_use", if it is there and tools are. */
  chat_template?: string | null;
  /** The template's further variables, such as `enable_thinking`. */
  chat_template_kwargs?: Record<string, unknown>;
}

/** What the answer is to be, whatever the model would write: one of these at most. */
export interface FormOptions {
  /** JSON that fits a JSON schema, as an object or as its text. */
  schema?: Record<string, unknown> | boolean | string | null;
  /** What matches a regular expression as a whole. */
  regex?: string | null;
  /** One of these texts. */
  choices?: string[] | null;
  /** A text of a grammar in GBNF. */
  grammar?: string | null;
}

/** What an answer is asked for with. */
export interface AnswerOptions extends Sampling, TemplateOptions, FormOptions {
}

/** What is left out is as the model and the device have it. */
export interface LoadOptions {
  context?: number;
  /** Of each number of the context's cache; 8: half the memory of 16, which is the default. */
  cache_bits?: 8 | 16;
  /** Of which of a text's rows its vector is made; a model that generates then embeds instead. */
  pooling?: "mean" | "cls" | "last" | null;
  /** Refuse a model that does not generate. */
  chat?: boolean;
  /** A model that makes vectors, beside the one that there is, which stays: documents are searched with it. */
  beside?: boolean;
  /** What an earlier load has told, so that it need not be found out again. */
  trial?: TrialFacts | null;
}

/** What is measured: prompts of these lengths, cut to the context, and what is generated; or so many texts. */
export interface BenchOptions {
  prompt_tokens: number[];
  prompt_repetitions: number;
  generate_tokens: number;
  repetitions: number;
  /** Tokens of conversation at which generation is measured. */
  contexts: number[];
  texts: number;
}

/** A token that might come. */
export interface Likely {
  text: string;
  /** The natural logarithm of its probability, before any sampling. */
  logprob: number;
}

/** A token of an answer. */
export interface SeenToken {
  /** Empty for a part of a character that a later token completes. */
  text: string;
  logprob: number;
  /** Those that were likeliest in its place, the likeliest first. */
  likeliest: Likely[];
}

/** A layer that has heads of attention. */
export interface Attending {
  layer: number;
  heads: number;
}

/** What all questions about an answer have. */
export interface OfAnswer {
  id: number;
  /** Up to the answer, which is the last one. */
  messages: ChatMessage[];
  options: TemplateOptions;
  /** As the answer was asked for. */
  drop_oldest?: boolean;
}

/** Answered by Inspected. */
export interface Inspect extends OfAnswer {
  type: "inspect";
}

/** The reply to Inspect. */
export interface Inspected {
  type: "inspected";
  id: number;
  /** The texts of the tokens before the answer. */
  prompt: string[];
  answer: SeenToken[];
  /** What would be likeliest to come after it. */
  next: Likely[];
  attending: Attending[];
}

/** Where the model looked when it chose a token of its answer. Answered by Attended. */
export interface Attend extends OfAnswer {
  type: "attend";
  /** Of the answer, from 0 on. */
  token: number;
  layer: number;
  /** null: the mean of all. */
  head: number | null;
}

/** The reply to Attend. */
export interface Attended {
  type: "attended";
  id: number;
  /** One for each token before the chosen one, prompt and answer; their sum is 1, or less where heads have sinks. */
  weights: number[];
}

/** Answered by Spelled. */
export interface Spell extends OfAnswer {
  type: "spell";
}

/** The reply to Spell: the tokens of the prompt, as the template wrote it, and of the answer behind it. */
export interface Spelled {
  type: "spelled";
  id: number;
  ids: number[];
  /** What the tokens stand for, one behind the other; special ones for what they are called. */
  data: Uint8Array;
  /** Of each, in bytes. */
  lengths: number[];
  /** Which of the tokens are, from 0 on. */
  special: number[];
  /** With which of them the answer begins. */
  answer: number;
}

/** What the time of a token goes to. Answered by Profiled. */
export interface Profile {
  type: "profile";
  id: number;
}

/** Dispatches of a token that are alike. */
export interface DispatchTime {
  kernel: string;
  workgroups: number[];
  count: number;
  /** Of all of them together. */
  seconds: number;
}

/** The reply to Profile. */
export interface Profiled {
  type: "profiled";
  id: number;
  dispatches: DispatchTime[];
  /** Why there are none. */
  reason: string | null;
}

/** The Python of the model, as it is. Answered by Rewritten. */
export interface Rewrite {
  type: "rewrite";
  id: number;
  /** What is to run instead: the visitor's own, and nothing else; null: the family's own again. */
  text?: string | null;
}

/** The reply to Rewrite. */
export interface Rewritten {
  type: "rewritten";
  id: number;
  /** What the file of the model's family is called. */
  file: string;
  /** What runs now. */
  text: string;
  original: string;
  /** Why it is not what was sent, as Python shows it. */
  problem: string | null;
}

/** A text with a name, in parts: the pages of a file that has some, else one. */
export interface GivenDocument {
  name: string;
  parts: string[];
  /** One for each passage, as bytes from -127 to 127 in base64; their lengths don't matter. */
  vectors?: string | null;
}

/** Answered by Passages. */
export interface Cut {
  type: "cut";
  id: number;
  document: GivenDocument;
}

/** The reply to Cut: what there is to make vectors of. */
export interface Passages {
  type: "passages";
  id: number;
  texts: string[];
}

/** What of some documents answers a question. Answered by Consulted. */
export interface Consult {
  type: "consult";
  id: number;
  question: string;
  /** The question before it, which it may go on from. */
  before?: string;
  documents: GivenDocument[];
}

/** A passage that suits the question. */
export interface FoundPassage {
  /** By its place among those that were given. */
  document: number;
  part: number;
  /** Of its part, from 1. */
  line: number;
  /** Under which it stands, or "". */
  heading: string;
  text: string;
}

/** The reply to Consult. */
export interface Consulted {
  type: "consulted";
  id: number;
  /** The documents are short enough to be given whole, and there are no passages here. */
  fits: boolean;
  passages: FoundPassage[];
}

/** Answered by Ready. */
export interface Load {
  type: "load";
  id: number;
  model: ModelSource;
  options: LoadOptions;
}

/** What a person means who names a model. Answered by Resolved, in JavaScript. */
export interface Resolve {
  type: "resolve";
  id: number;
  reference: string;
}

/** Whether the GPU has so many bytes. Answered by Room, in JavaScript. */
export interface AskRoom {
  type: "room";
  id: number;
  bytes: number;
}

/** Repositories of GGUF files on Hugging Face, by words. Answered by Found, in JavaScript. */
export interface Search {
  type: "search";
  id: number;
  query: string;
}

/** The models of one of them. Answered by Browsed, in JavaScript. */
export interface Browse {
  type: "browse";
  id: number;
  repository: string;
}

/** How a model of the hub is best sampled. Answered by GenerationConfigured, in JavaScript. */
export interface AskGenerationConfig {
  type: "generation_config";
  id: number;
  repository: string;
}

/** Answered by Card. */
export interface AskCard {
  type: "card";
  id: number;
}

/** Answered by BenchFigures. */
export interface Bench extends BenchOptions {
  type: "bench";
  id: number;
}

/** Answered by Embedded. */
export interface Embed {
  type: "embed";
  id: number;
  texts: string[];
  /** Of the vectors, the first so many; null: all. */
  dimensions?: number | null;
  /** By the model that was loaded beside the other one. */
  beside?: boolean;
}

/** Answered by Ranked. */
export interface Rerank {
  type: "rerank";
  id: number;
  query: string;
  documents: string[];
}

/** Answer a conversation. If its last message is the assistant's, that is gone on with. */
export interface Send {
  type: "send";
  id: number;
  messages: ChatMessage[];
  sampling: AnswerOptions;
  /** Leave the oldest messages out where the conversation is longer than the context, instead of failing. */
  drop_oldest?: boolean;
  /** Tell with the first piece when what it waited for was done. */
  marks?: boolean;
}

/** End the answer with this id; it still ends by Done. */
export interface StopAnswer {
  type: "stop";
  id: number;
}

/** Let the download under way rest, or go on. For JavaScript. */
export interface Pause {
  type: "pause";
  paused: boolean;
}

/** Give up the download under way. For JavaScript. */
export interface Cancel {
  type: "cancel";
}

/** Whether the worker is alive: Alive. One whose Python hangs does not answer. */
export interface Ping {
  type: "ping";
}

export type Asked = Load | Resolve | AskRoom | Search | Browse | AskGenerationConfig | AskCard | Bench | Embed | Rerank | Cut | Consult | Inspect | Attend | Spell | Profile | Rewrite;

export type Request = Asked | Send | StopAnswer | Pause | Cancel | Ping;

/**
 * `runtime`, `packages`, `header`, `kernels`: 0 or 1 of 1. `download`: bytes that have arrived of the model; runs
 * beside the others, and is not reported for a copy kept on the device. `weights`: bytes on the GPU.
 */
export type Stage = "runtime" | "packages" | "download" | "header" | "weights" | "kernels";

/** How far a load has come. */
export interface Progress {
  type: "progress";
  stage: Stage;
  loaded: number;
  /** 0: not known. */
  total: number;
}

/** What a loaded model is. */
export interface ModelFacts {
  name: string;
  kind: "chat" | "embedding" | "reranker";
  architecture: string;
  parameters: number;
  file_bytes: number;
  context_length: number;
  vocab_size: number;
  quantization: string;
}

/** What a load took in the engine. */
export interface SessionSeconds {
  header: number;
  weights: number;
  kernels: number;
}

/** What a load took, with what worker.js measures: `total` since the worker began. */
export interface LoadSeconds extends SessionSeconds {
  runtime: number;
  packages: number;
  total: number;
}

/** What is known of a loaded model. */
export interface About {
  type: "ready";
  id: number;
  model: ModelFacts;
  adapter: AdapterFacts;
  gpu_bytes: number;
  /** What suits it where nobody says otherwise. */
  sampling: Sampling;
  /** Members of `sampling` that the model's file itself recommends. */
  recommended: string[];
  /** Whether it thinks before it answers where nobody tells it: "free": it decides, "fixed": it can't be told. */
  thinking: "on" | "off" | "free" | "fixed";
  /** How much it may be told to think, by `reasoning_effort`: what it tells apart of "low", "medium", "high". */
  efforts: string[];
  /** Which of them it takes where nobody tells it; empty: none. */
  effort: string;
}

/** A Ready as the engine has it; worker.js adds the rest. */
export interface SessionReady extends About {
  seconds: SessionSeconds;
}

/** The model can be asked. */
export interface Ready extends About {
  seconds: LoadSeconds;
  heap_peak_bytes: number;
  /** Whether Python began with the memory that an earlier visit has kept, and not with its files. */
  restored: boolean;
  /** Whether a copy of the model is on this device now, so that the next visit needs no download. */
  kept: boolean;
}

/** The oldest messages (after the system's) that were left out of the prompt, if any were. */
export interface Dropped {
  type: "dropped";
  id: number;
  messages: number;
}

/** Tokens of the prompt that are processed, kept ones too; told as an answer begins and while a prompt is read. */
export interface Reading {
  type: "reading";
  id: number;
  done: number;
  total: number;
}

/**
 * What has come of a call of a function. The first piece of a call has its id and its name, which are empty in the
 * others.
 */
export interface CallPiece {
  /** Of the call in its answer, from 0. */
  index: number;
  id: string;
  name: string;
  /** More of their JSON text. */
  arguments: string;
}

/** A token that might have been picked. */
export interface LikelyToken {
  /** Its text alone, with U+FFFD for what is no whole character. */
  token: string;
  bytes: number[];
  /** The natural logarithm of the probability that the model gave it. */
  logprob: number;
}

/** A token of an answer. */
export interface TokenLogprob extends LikelyToken {
  top_logprobs: LikelyToken[];
}

/** What has come of an answer since the last piece: `reasoning`, `text`, `calls`. */
export interface Piece {
  type: "piece";
  id: number;
  text: string;
  reasoning: string;
  /** All text of the pieces before has turned out to be reasoning as well. */
  recast: boolean;
  tokens: number;
  /** Of functions among the `tools` that were given, if there are any. */
  calls?: CallPiece[];
  /** Of the tokens since the last piece, if asked for. */
  logprobs?: TokenLogprob[];
  /** Of the first, if asked for: what was done when, seconds; worker.js makes milliseconds since 1970 of them. */
  marks?: Record<string, number>;
}

/** Tokens of an answer and of its prompt. */
export interface Usage {
  prompt_tokens: number;
  cached_tokens: number;
  completion_tokens: number;
  drafted_tokens: number;
  /** Of those drafted: guessed by what the conversation holds, and checked several at once. */
  accepted_tokens: number;
  /** That alone could follow in the form that was asked for, and were taken without a choice. */
  forced_tokens: number;
  context_used: number;
  context_length: number;
}

/** What an answer took. */
export interface AnswerSeconds {
  first_token: number;
  prefill: number;
  decode: number;
}

/** Tokens a second. */
export interface Rates {
  prefill: number;
  decode: number;
}

/**
 * Why an answer ended: at an end of the model's or a given one ("tool_calls": it calls functions), at the most tokens,
 * when told to, at a full context.
 */
export type Reason = "stop" | "tool_calls" | "length" | "stopped" | "context";

/** An answer has ended. */
export interface Done {
  type: "done";
  id: number;
  reason: Reason;
  /** To which depth what may contain itself does so in the form that was asked for, where that had to be bounded. */
  depth?: number;
  usage: Usage;
  seconds: AnswerSeconds;
  tokens_per_second: Rates;
}

/** What could not be done. */
export interface ErrorReply {
  type: "error";
  /** Of the request it is about; absent when the engine as a whole has failed. */
  id?: number;
  /**
   * A Stage; the type of the request; "cancelled"; "context": the conversation is too long; "unsupported": no WebGPU;
   * "gpu": it was lost, "memory": it has too little; "hung": the worker does not answer any more.
   */
  stage: string;
  /** One line that a person understands. */
  message: string;
  /** Whether there is a model to go on with; of a `load`, the one from before. */
  loaded?: boolean;
}

/** A repository on Hugging Face that has GGUF files. */
export interface HubRepository {
  /** owner/repository */
  name: string;
  /** In the last month. */
  downloads: number;
  license?: string;
  /** Only for those who have agreed to its terms there. */
  gated: boolean;
}

/** The reply to Search: those downloaded most first. */
export interface Found {
  type: "found";
  id: number;
  repositories: HubRepository[];
}

/** The reply to Browse: the models that lie in one file each, the smallest first. */
export interface Browsed {
  type: "browsed";
  id: number;
  /** As the hub has read it from one of them. */
  architecture?: string;
  models: ModelSource[];
}

/** The reply to AskGenerationConfig. */
export interface GenerationConfigured {
  type: "generation_configured";
  id: number;
  /** The file of that name, whatever is in it: its repository's, or that of the model which it was made of; or {}. */
  config: Record<string, unknown>;
}

/** The reply to Resolve. */
export interface Resolved {
  type: "resolved";
  id: number;
  model: ModelSource;
}

/** The reply to AskRoom. */
export interface Room {
  type: "room";
  id: number;
  enough: boolean;
}

/** The reply to AskCard. */
export interface Card {
  type: "card";
  id: number;
  card: FileFacts;
}

/** The reply to Bench. */
export interface BenchFigures {
  type: "bench";
  id: number;
  /**
   * Those of `py_wgml.generate.bench.measure` (as "speculation" of `measure_speculation`, as "forms"
   * of `measure_forms`), or `measure_embedding`.
   */
  figures: Record<string, unknown>;
}

/** The reply to Embed. */
export interface Embedded {
  type: "embedded";
  id: number;
  /** float32, one vector behind the other, each of length 1 (or 0). */
  vectors: Uint8Array;
  width: number;
  tokens: number;
}

/** The reply to Rerank. */
export interface Ranked {
  type: "ranked";
  id: number;
  /** From 0 to 1, one for each document. */
  scores: number[];
  tokens: number;
}

/** The reply to Ping. */
export interface Alive {
  type: "alive";
}

export type Looked = Inspected | Attended | Spelled | Profiled | Rewritten;

export type Searched = Passages | Consulted;

export type Told = Looked | Searched | Progress | Card | BenchFigures | Embedded | Ranked | Dropped | Reading | Piece | Done | ErrorReply;

/** What the engine says; worker.js makes a Ready of a SessionReady. */
export type SessionReply = Told | SessionReady;

export type Reply = Told | Ready | Resolved | Room | Found | Browsed | GenerationConfigured | Alive;
