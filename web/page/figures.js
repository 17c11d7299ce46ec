/**
 * What an answer took, in numbers: below it for those who want that (a setting), and at length in a list that unfolds in
 * the message.
 *
 * @import { Message } from "./conversation.js"
 */

import { element } from "./dom.js";
import { recall, remember } from "./remembered.js";
import { strings } from "./strings.js";

const KEY = "figures";

/** Whether they stand below every answer. */
export const areFiguresShown = () => recall(KEY) === "shown";

/** @param {boolean} shown */
export function showFigures(shown) {
  remember(KEY, shown ? "shown" : null);
  document.documentElement.dataset.figures = shown ? "shown" : "folded";
}

showFigures(areFiguresShown());

/**
 * Unfold them in a message, or fold them again.
 *
 * @param {HTMLElement} root of the message
 * @param {Message} message
 */
export function toggleDetails(root, { model, figures, thought }) {
  const shown = root.querySelector(".took");
  if (shown) return shown.remove();
  const words = strings.details;
  const list = element("dl", "took");
  list.setAttribute("aria-label", words.title);
  const row = (/** @type {string} */ name, /** @type {string | undefined} */ value) =>
    value && list.append(element("dt", "", name), element("dd", "", value));
  row(words.model, model);
  if (figures) {
    const { usage, seconds, tokens_per_second, reason } = figures;
    row(words.answer, words.tokens(usage.completion_tokens));
    if (usage.completion_tokens > 1) row(words.speed, strings.speedNow(tokens_per_second.decode));
    row(words.first, words.seconds(seconds.first_token));
    if (thought) row(words.thinking, words.seconds(thought));
    row(words.prompt, words.read(usage.prompt_tokens, usage.cached_tokens));
    row(strings.contextLabel, strings.context(usage.context_used, usage.context_length));
    row(words.ended, words.reasons[reason]);
  }
  if (!list.childElementCount) list.append(element("dd", "", words.none));
  root.append(list);
}
