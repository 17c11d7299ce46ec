/**
 * Files that are longer than what the model can read at once are searched: before each answer, the passages that suit
 * its question are found, and the model is given those. What it was given stands below the answer. What does all that is
 * loaded with the first files.
 *
 * @import { App } from "./app.js"
 * @import { Source } from "./attached.js"
 * @import { Message, Turn } from "./conversation.js"
 */

import { byId } from "./dom.js";

/** @param {App} app */
export function mount(app) {
  app.preparations.push(async (turn, signal, tell) => {
    delete turn.message.sources;
    const files = turn.conversation.filesFor(turn.message);
    if (files.length) await (await import("./passages.js")).findIn(files, app, turn, signal, tell);
  });
  byId("messages").addEventListener("source", async (event) => {
    const { message, source } = /** @type {CustomEvent<{message: Message, source: Source}>} */ (event).detail;
    const file = app.conversation
      .filesFor(message)
      .find(({ name, text }) => name === source.name && text.includes(source.text));
    (await import("./source.js")).showSource(source, file);
  });
  app.addEventListener("answered", async (event) => {
    const { message } = /** @type {CustomEvent<Turn>} */ (event).detail;
    if (message.sources?.length) (await import("./passages.js")).offerMeaning(app, message);
  });
}
