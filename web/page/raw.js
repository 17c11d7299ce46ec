/**
 * An answer as the model has it: the prompt that its template made, in tokens, with their ids and bytes.
 *
 * @import { Message } from "./conversation.js"
 * @import { AskedAnswer, Engine } from "./engine.js"
 * @import { Spelled } from "../shared/protocol.js"
 */

import { button, element } from "./dom.js";
import { inSteps } from "./frames.js";
import { icon } from "./icons.js";
import { problem, seen, Tokens } from "./inside_parts.js";
import { copyText } from "./messages.js";
import { plain } from "./pieces.js";
import { strings } from "./strings.js";

const words = strings.raw;

/** So many tokens are drawn in a step. */
const AT_ONCE = 200;

/**
 * @param {Engine} engine
 * @param {AskedAnswer} answer
 * @param {Message} message
 */
export function rawOf(engine, answer, message) {
  const root = element("div", "raw");
  root.append(element("p", "looking", strings.inside.looking));
  engine.spell(answer).then(
    (spelled) => root.replaceChildren(...drawn(spelled, message)),
    (error) => root.replaceChildren(problem(error)),
  );
  return root;
}

/**
 * @param {Spelled} spelled
 * @param {Message} message
 */
function drawn({ ids, data, lengths, special, answer }, { figures }) {
  const text = new TextDecoder();
  /** @type {{text: string, bytes: Uint8Array}[]} */
  const tokens = [];
  let end = 0;
  for (const length of lengths) {
    const bytes = data.subarray(end, (end += length));
    tokens.push({ text: text.decode(bytes, { stream: true }), bytes });
  }
  const whole = (/** @type {number} */ from, /** @type {number} */ to) =>
    tokens
      .slice(from, to)
      .map((token) => token.text)
      .join("");
  const isSpecial = new Set(special);
  const detail = element("p", "of-token");
  detail.setAttribute("aria-live", "polite");
  const list = new Tokens(words.label, []);
  list.root.classList.add("bordered");
  list.onShown = (index) => {
    const bytes = Array.from(tokens[index].bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    detail.textContent =
      words.token(seen(tokens[index].text), index + 1, ids[index], bytes) +
      (isSpecial.has(index) ? ` · ${words.special}` : "");
  };
  let next = 0;
  inSteps(() => {
    const from = next;
    // Each piece is laid out by itself, and so ends where a line does.
    const most = Math.min(tokens.length, from + AT_ONCE);
    next = from + AT_ONCE / 2;
    while (next < most && !tokens[next].text.includes("\n")) next++;
    next = Math.min(next + 1, most);
    const piece = element("div", "piece");
    list.root.append(piece);
    const shown = tokens.slice(from, next).map((token) => token.text.replaceAll("\n", "⏎\n"));
    for (const [index, made] of list.append(shown, piece).entries()) {
      if (isSpecial.has(from + index)) made.classList.add("special");
      if (from + index >= answer) made.classList.add("answered");
    }
    if (!from) list.choose(0);
    return next < tokens.length && "next frame";
  })();
  const copies = element("div", "choices");
  copies.append(
    copy(words.copyPrompt, () => whole(0, answer)),
    copy(words.copyAll, () => whole(0, tokens.length)),
    copy(words.copyIds, () => JSON.stringify(ids)),
  );
  const before = figures?.usage.prompt_tokens;
  const differs = before !== undefined && before !== answer ? [element("p", "help", words.differs(before))] : [];
  return [element("p", "lead", words.counts(answer, ids.length - answer)), ...differs, detail, list.root, copies];
}

/** @param {string} text that may be long */
export function textOf(text) {
  const root = element("div", "raw");
  const shown = element("pre", "");
  shown.tabIndex = 0; // it scrolls
  shown.append(...plain(text));
  const copies = element("div", "choices");
  copies.append(copy(words.copyJson, () => text));
  root.append(shown, copies);
  return root;
}

/**
 * @param {string} label
 * @param {() => string} text
 */
function copy(label, text) {
  const made = button("quiet", label, () => copyText(text(), made));
  made.prepend(icon("copy"));
  return made;
}
