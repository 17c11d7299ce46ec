/**
 * What web/page/completions.js makes of what is asked for, and of what an engine says: `node completions.mjs WEB`. Prints
 * it as JSON.
 */

import { pathToFileURL } from "node:url";

Object.assign(globalThis, { window: globalThis, location: { href: "http://localhost/" } }); // as in a page
const web = pathToFileURL(`${process.argv[2]}/`);
const { asked, chunks, whole } = await import(new URL("page/completions.js", web));
const { Answer } = await import(new URL("page/engine.js", web));

const USAGE = { prompt_tokens: 12, cached_tokens: 4, completion_tokens: 3, drafted_tokens: 5, accepted_tokens: 2 };
const token = (text, logprob) => ({ token: text, bytes: [...Buffer.from(text)], logprob, top_logprobs: [] });
/** An answer of three tokens, the second of which shows no text yet; sent: with what options. */
function engine() {
  const found = { sent: [], stopped: 0 };
  found.send = (options) => {
    found.sent.push(options);
    const answer = new Answer(() => (found.stopped += 1));
    const logprobs = (...tokens) => (options.logprobs ? { logprobs: tokens } : {});
    const pieces = options.schema ? [{ text: '{"a": 1}'.slice(0, 10 - 2 * found.sent.length) }] : [
      { text: `${found.sent.length}`, ...logprobs(token("a", -1)) },
      { text: "", ...logprobs(token("b", -2)) },
      { reasoning: "r", text: "c", ...logprobs(token("c", -3)) },
    ];
    (async () => {
      for (const piece of pieces) {
        await new Promise((resolve) => setTimeout(resolve));
        answer.push({ type: "piece", text: "", reasoning: "", recast: false, tokens: 1, ...piece });
      }
      answer.finish({ type: "done", reason: "stop", usage: USAGE });
    })();
    return answer;
  };
  return found;
}

const says = (given) => {
  try {
    return asked(given);
  } catch (error) {
    return `${error.constructor.name}: ${error.message}`;
  }
};
const messages = [{ role: "user", content: "hello" }];
const request = { messages, n: 3, seed: 4294967295, logprobs: true, top_logprobs: 2, stream_options: { include_usage: true } };
const [first, second, third] = [engine(), engine(), engine()];
const streamed = [];
for await (const chunk of chunks(asked({ ...request, stream: true }), second.send)) streamed.push(chunk);
for await (const chunk of chunks(asked({ ...request, stream: true }), third.send)) if (chunk.choices[0].delta.content) break;
const found = {
  whole: await whole(asked(request), first.send),
  plain: await whole(asked({ messages }), engine().send),
  parsed: await whole(asked({ messages, n: 2, response_format: { type: "json_object" } }), engine().send),
  streamed,
  seeds: [first, second].map(({ sent }) => sent.map(({ seed }) => seed)),
  options: first.sent[0],
  left: [third.sent.length, third.stopped],
  asked: Object.fromEntries(JSON.parse(process.argv[3]).map(([name, given]) => [name, says({ messages, ...given })])),
};
console.log(JSON.stringify(found));
