/**
 * A test double of worker.js: speaks the protocol without an engine, to bring the page into states that the real one
 * reaches only by accident (slow loads, crashes) or only with a large model (long answers). The test puts
 * `const script = {...};` before it:
 *   room: whether the GPU has room for a model;  kept: whether that is on this device after it was loaded
 *   progress: messages to post on load, one every `pace` milliseconds
 *   fail: an error message to post after them; one that says what is `loaded` is of that load alone
 *   crash: throw instead;  hang: never be ready;  pieces: the answer, in pieces of text or {reasoning} or whole messages
 *     (of one with {calls} the reason to end is "tool_calls")
 *   answers: answers to one question after the other, instead of `pieces`;  echo: answer with what was sent, as JSON
 *   pace: milliseconds between messages;  context: its length in tokens;  fail_answer: an error for it
 *   thinking: whether the model thinks, and whether it can be told;  efforts, effort: how much, and by itself;
 *     recommended: what of its sampling its file recommends;  gpu_bytes: what it takes on the GPU
 *   replies: to messages of other types, by their type (documents fit, unless `consult` says otherwise);
 *     in `when`, others by what these have as their text or token
 * A piece is a token, a word of the prompt too; {hold: true} is none, and waits until `go` is true.
 * What is posted to the channel "script" changes the script.
 */
new BroadcastChannel("script").onmessage = ({ data }) => Object.assign(script, data);
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const stopped = new Set();
const context = script.context ?? 2048;
let asked = 0;

const ready = {
  type: "ready",
  model: {
    name: "Fake 1M",
    architecture: "llama",
    parameters: 1e6,
    file_bytes: 98362432,
    context_length: context,
    vocab_size: 49152,
    quantization: "Q4_1",
  },
  adapter: { vendor: "fake", architecture: "", description: "", features: [], trial: { distrusted: {} } },
  seconds: { runtime: 1, packages: 1, header: 0.1, weights: 0.2, kernels: 0.1, total: 2.3 },
  heap_peak_bytes: 44e6,
  gpu_bytes: script.gpu_bytes ?? 1e6,
  kept: script.kept ?? true,
  sampling: { temperature: 0, top_k: 40, top_p: 0.95, min_p: 0.05, repetition_penalty: 1.1 },
  recommended: script.recommended ?? [],
  thinking: script.thinking ?? "fixed",
  efforts: script.efforts ?? [],
  effort: script.effort ?? "",
};

async function load({ id, options }) {
  for (const message of script.progress ?? []) {
    postMessage({ type: "progress", ...message });
    await wait(script.pace);
  }
  if (script.hang) return;
  if (options.context) ready.model.context_length = options.context;
  if (script.crash)
    setTimeout(() => {
      throw new Error(script.crash);
    });
  else if (script.fail) postMessage({ type: "error", ...script.fail, ...("loaded" in script.fail && { id }) });
  else postMessage({ ...ready, id });
}

const words = (messages) => messages.flatMap(({ content }) => content.split(/\s+/).filter(Boolean)).length;

async function send(request) {
  const { id, drop_oldest, sampling } = request;
  let { messages } = request;
  let dropped = 0;
  if (drop_oldest)
    while (messages.length > 2 && words(messages) > context / 2) ((messages = messages.slice(2)), (dropped += 2));
  if (dropped) postMessage({ type: "dropped", id, messages: dropped });
  const total = words(messages);
  if (total > context) return postMessage({ type: "error", id, stage: "context", message: "too long" });
  if (script.fail_answer) return postMessage({ type: "error", id, ...script.fail_answer });
  postMessage({ type: "reading", id, done: 0, total });
  const pieces = script.echo
    ? ["```json\n", JSON.stringify({ messages, sampling }, null, 1), "\n```"]
    : script.answers
      ? script.answers[asked++ % script.answers.length]
      : script.pieces;
  let count = 0;
  for (const piece of pieces) {
    if (script.pace) await wait(script.pace);
    if (piece.hold) {
      while (!script.go) await wait(10);
      script.go = false;
      continue;
    }
    if (stopped.has(id) || total + count >= context) break;
    const part = typeof piece === "string" ? { text: piece } : piece;
    postMessage({ type: "piece", id, text: "", reasoning: "", recast: false, tokens: ++count, ...part });
  }
  const end = pieces.some(({ calls }) => calls) ? "tool_calls" : "stop";
  const reason = stopped.has(id) ? "stopped" : total + count >= context ? "context" : end;
  postMessage({
    type: "done",
    id,
    reason,
    usage: {
      prompt_tokens: total,
      cached_tokens: 0,
      completion_tokens: count,
      drafted_tokens: 0,
      accepted_tokens: 0,
      context_used: Math.min(total + count, context),
      context_length: ready.model.context_length,
    },
    seconds: { first_token: 0.312, prefill: 0.3, decode: count / 40 },
    tokens_per_second: { prefill: 120, decode: 38.4 },
  });
}

const usual = { consult: { type: "consulted", fits: true, passages: [] } };

onmessage = ({ data }) => {
  if (data.type === "load") load(data);
  if (data.type === "room") postMessage({ type: "room", id: data.id, enough: script.room });
  if (data.type === "send") send(data);
  if (data.type === "stop") stopped.add(data.id);
  const reply = script.replies?.[data.type] ?? usual[data.type];
  if (reply) postMessage({ ...(reply.when?.[data.text ?? data.token] ?? reply), id: data.id });
};
