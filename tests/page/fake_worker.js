/**
 * A test double of worker.js: speaks the protocol without an engine, to bring the page into states that the real one
 * reaches only by accident (slow loads, crashes). The test puts `const script = {...};` before it:
 *   progress: messages to post on load, one every `pace` milliseconds;  fail: an error message to post after them
 *   crash: throw instead;  pieces: the answer;  pace: milliseconds between messages;  fail_answer: an error for it
 */
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const stopped = new Set();

const ready = {
  type: "ready",
  model: {
    name: "Fake 1M", architecture: "llama", parameters: 1e6, file_bytes: 98362432, context_length: 2048,
    vocab_size: 49152, quantization: "Q4_1",
  },
  adapter: { vendor: "fake", architecture: "", description: "", features: [] },
  seconds: { runtime: 1, packages: 1, header: 0.1, weights: 0.2, total: 2.3 },
  heap_peak_bytes: 44e6, sampling: {}, kept: true,
};

async function load(id) {
  for (const message of script.progress ?? []) {
    postMessage({ type: "progress", ...message });
    await wait(script.pace);
  }
  if (script.hang) return;
  if (script.crash) setTimeout(() => { throw new Error(script.crash); });
  else postMessage(script.fail ? { type: "error", ...script.fail } : { ...ready, id });
}

async function send({ id, messages }) {
  let count = 0;
  for (const text of script.pieces) {
    await wait(script.pace);
    if (stopped.has(id)) break;
    postMessage({ type: "piece", id, text, reasoning: "", tokens: ++count });
  }
  if (script.fail_answer) return postMessage({ type: "error", id, ...script.fail_answer });
  postMessage({
    type: "done", id, reason: stopped.has(id) ? "stopped" : "stop",
    usage: {
      prompt_tokens: 20 * messages.length, cached_tokens: 0, completion_tokens: count,
      context_used: 20 * messages.length + count, context_length: 2048,
    },
    seconds: { first_token: 0.312, prefill: 0.3, decode: count / 40 },
    tokens_per_second: { prefill: 120, decode: 38.4 },
  });
}

onmessage = ({ data }) => {
  if (data.type === "load") load(data.id);
  if (data.type === "send") send(data);
  if (data.type === "stop") stopped.add(data.id);
};
