/**
 * Titles of conversations: after its first answer the model finds one, where the visitor lets it. That never keeps
 * anything waiting: it ends when the model is asked for something else, and is tried again after the next answer.
 *
 * @import { App } from "./app.js"
 * @import { Turn } from "./conversation.js"
 */

import { choices } from "./fields.js";
import { lineOf } from "./plain_text.js";
import { recall, remember } from "./remembered.js";
import { strings } from "./strings.js";

const KEY = "titles";
/** A smaller model finds none that is better than the first words. */
const SMALLEST = 500e6;
const LONGEST = 12; // tokens

const words = strings.titles;

/** @param {App} app */
export function mount(app) {
  /** Conversations that were given a title here, or for which none was found. @type {Set<string>} */
  const done = new Set();

  app.addEventListener("answered", async (event) => {
    const { conversation, message } = /** @type {CustomEvent<Turn>} */ (event).detail;
    const isMidway = message.figures?.reason === "tool_calls";
    if (isMidway || !isWanted(app) || done.has(conversation.id) || !isUnnamed(conversation)) return;
    const title = await titleOf(app, conversation, message);
    if (title === null) return;
    done.add(conversation.id);
    if (!title || !isUnnamed(conversation)) return; // the visitor has named it meanwhile
    conversation.record.name = title;
    app.changed(conversation);
  });

  app.settings.sections.push({
    group: "general",
    show: () => {
      const chosen = recall(KEY) ?? "default";
      return choices("titles", words.label, words.choices, chosen, words.explained, (value) =>
        remember(KEY, value === "default" ? null : value),
      );
    },
    reset: () => {
      const before = recall(KEY);
      remember(KEY, null);
      return () => remember(KEY, before);
    },
  });
}

/** @param {App} app */
function isWanted({ ready }) {
  const chosen = recall(KEY);
  return chosen === "on" || (chosen !== "off" && (ready?.model.parameters ?? 0) >= SMALLEST);
}

/** @param {Turn["conversation"]} conversation whose name is still its first words */
const isUnnamed = ({ record, firstWords }) => record.name === firstWords;

/**
 * Asked for behind the conversation as it was sent, so that the model has read all but the last line of it, and has less
 * to forget when the next question comes.
 *
 * @param {App} app
 * @param {Turn["conversation"]} conversation
 * @param {Turn["message"]} message the answer
 * @returns {Promise<string | null>} empty: it found none; null: it had no time to
 */
async function titleOf({ engine, ready, settings, tools }, conversation, message) {
  const prompt = conversation.prompt(message, settings.system(conversation));
  const canBeTold = ready?.thinking !== "fixed";
  try {
    const answer = engine?.aside([...prompt, { role: "user", content: words.ask }], {
      ...{ temperature: 0, max_tokens: LONGEST },
      ...(tools.length && { tools }),
      ...(canBeTold && { chat_template_kwargs: { enable_thinking: false } }),
    });
    if (!answer) return null;
    let text = "";
    for await (const part of answer) text = part.recast ? part.text : text + part.text;
    return answer.done?.reason === "stopped" ? null : cleaned(text);
  } catch {
    return ""; // the context is full, or what else there is: nobody asked for a title
  }
}

/** @param {string} text as the model wrote it @returns {string} without what it puts around a title */
function cleaned(text) {
  const line = lineOf(text).replace(/^(?:title|titel|titre|título|标题|タイトル|العنوان)\s*[:：]\s*/iu, "");
  return line.replace(/^["“”„«»'‘’「『]+|["“”„«»'‘’」』.。]+$/gu, "").trim();
}
