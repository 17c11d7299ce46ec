/**
 * The client of the npm package "openai", whose requests are answered by web/openai.js over an engine that says what it is
 * told: `node client.mjs WEB`, where WEB has its tools of development. Prints what came of it, as JSON.
 */

import { pathToFileURL } from "node:url";

const web = pathToFileURL(`${process.argv[2]}/`);
const { default: OpenAI } = await import(new URL("node_modules/openai/index.mjs", web));
Object.assign(globalThis, { window: globalThis, location: { href: "http://localhost/" } }); // as in a page
const { Client } = await import(new URL("openai.js", web));
const { Answer } = await import(new URL("page/engine.js", web));

const USAGE = { prompt_tokens: 12, cached_tokens: 4, completion_tokens: 7, drafted_tokens: 0, accepted_tokens: 0 };
const CALLS = [
  { text: "", calls: [{ index: 0, id: "call_a", name: "weather", arguments: "" }] },
  { text: "", calls: [{ index: 0, id: "", name: "", arguments: '{"city": "R' }] },
  { text: "", calls: [{ index: 0, id: "", name: "", arguments: 'ome"}' }, { index: 1, id: "call_b", name: "now", arguments: "{}" }] },
];
const ANSWERS = {
  text: { pieces: [{ reasoning: "hm", text: "It is " }, { text: "warm." }], reason: "stop" },
  cut: { pieces: [{ text: "It" }], reason: "length" },
  calls: { pieces: CALLS, reason: "tool_calls" },
  both: { pieces: [{ text: "Let me look." }, ...CALLS], reason: "tool_calls" },
};
/** What the engine was sent, and which answers it gives. */
const sent = [];
let script = [];
const engine = {
  send(messages, sampling) {
    sent.push({ messages, sampling });
    const { pieces, reason } = ANSWERS[script.shift()];
    const answer = new Answer(() => {});
    (async () => {
      for (const piece of pieces) {
        await new Promise((resolve) => setTimeout(resolve));
        answer.push({ type: "piece", text: "", reasoning: "", recast: false, tokens: 1, ...piece });
      }
      answer.finish({ type: "done", reason, usage: USAGE });
    })();
    return answer;
  },
};
const ours = new Client(engine);
/** Every chunk and every whole answer that was made. */
const made = { chunks: [], wholes: [] };

async function answered(_, { body }) {
  const parameters = JSON.parse(body);
  const answer = await ours.chat.completions.create(parameters);
  if (!parameters.stream) {
    made.wholes.push(answer);
    return Response.json(answer);
  }
  let text = "";
  for await (const chunk of answer) {
    made.chunks.push(chunk);
    text += `data: ${JSON.stringify(chunk)}\n\n`;
  }
  return new Response(`${text}data: [DONE]\n\n`, { headers: { "content-type": "text/event-stream" } });
}

const theirs = new OpenAI({ apiKey: "none", baseURL: "http://localhost/v1", fetch: answered, maxRetries: 0 });
const tools = ["weather", "now"].map((name) => ({ type: "function", function: { name, parameters: { type: "object", properties: {} } } }));
const asked = { model: "any", messages: [{ role: "user", content: "Warm in Rome?" }], tools };
const found = { whole: {}, streamed: {} };
for (const name of Object.keys(ANSWERS)) {
  script = [name, name];
  found.whole[name] = (await theirs.chat.completions.create(asked)).choices[0];
  const stream = theirs.chat.completions.stream({ ...asked, stream_options: { include_usage: true } });
  const { choices, usage } = await stream.finalChatCompletion();
  found.streamed[name] = { ...choices[0], usage };
}
// Its own loop: calls what is called, sends the results, until there is an answer.
script = ["both", "text"];
sent.length = 0;
const called = [];
const runner = theirs.chat.completions.runTools({
  ...asked,
  stream: true,
  tool_choice: "auto",
  parallel_tool_calls: true,
  tools: tools.map(({ function: { name, parameters } }) => ({
    type: "function",
    function: { name, parameters, parse: JSON.parse, function: (given) => (called.push([name, given]), `${name}: 21`) },
  })),
});
found.run = { last: await runner.finalContent(), called, sent };
console.log(JSON.stringify({ ...found, made }));
