/**
 * Files that are longer than what the model can read at once are searched: before each answer, the passages that suit
 * its question are found, and the model is given those. What it was given stands below the answer.
 *
 * @import { App } from "./app.js"
 * @import { AttachedFile, Source } from "./attached.js"
 * @import { Message, Turn } from "./conversation.js"
 * @import { GivenDocument } from "../shared/protocol.js"
 */

import { button, byId, element } from "./dom.js";
import { BYTES as DOWNLOAD, meaning } from "./meaning.js";
import { about, percent } from "../shared/format.js";
import { showSource } from "./source.js";
import { strings } from "./strings.js";

/** A token has at least one byte, and a character at most so many: what has so few needs no counting. */
const BYTES = 4;

/** @param {App} app */
export function mount(app) {
  app.preparations.push((turn, signal, tell) => prepare(app, turn, signal, tell));
  byId("messages").addEventListener("source", (event) => {
    const { message, source } = /** @type {CustomEvent<{message: Message, source: Source}>} */ (event).detail;
    const { name, text } = source;
    const files = app.conversation.filesFor(message);
    showSource(source, files.find((file) => file.name === name && file.text.includes(text)));
  });
  app.addEventListener("answered", async (event) => {
    const { message } = /** @type {CustomEvent<Turn>} */ (event).detail;
    if (message.sources?.length && !(await meaning.isThere(app))) offerMeaning(app, message);
  });
}

/**
 * Below what was found by words: a search by meaning, for a download.
 *
 * @param {App} app
 * @param {Message} message
 */
function offerMeaning(app, message) {
  const words = strings.files.meaning;
  const offer = element("p", "offer", words.offer(about(DOWNLOAD)));
  const accept = button("link", words.accept, async () => {
    offer.replaceChildren(words.coming(percent(0)));
    const isLoaded = await meaning.load(app, (share) => offer.replaceChildren(words.coming(percent(Math.min(1, share)))), true);
    const question = app.conversation.find(message.parent);
    const again = button("link", words.again, () => question && !app.isOccupied && app.answer(question, true));
    offer.replaceChildren(...(isLoaded ? [words.there, " ", ...(question ? [again] : [])] : [words.offer(about(DOWNLOAD)), " ", accept]));
  });
  offer.append(" ", accept);
  byId("messages").querySelector(".message:last-child .sources")?.append(offer);
}

/**
 * Find what an answer is to be made of, if its files are too long to be sent whole.
 *
 * @param {App} app
 * @param {Turn} turn
 * @param {AbortSignal} signal
 * @param {(state: string) => void} tell what is being done
 */
async function prepare(app, { conversation, message }, signal, tell) {
  delete message.sources;
  const { engine, ready } = app;
  const files = conversation.filesFor(message);
  const length = files.reduce((sum, { text }) => sum + text.length, 0);
  if (!engine || !ready || BYTES * length <= ready.model.context_length / 2) return;
  tell(strings.files.searching);
  const [question, before] = questions(conversation, message);
  const find = () => engine.find({ question, before, documents: files.map(documentOf) });
  let found = await find();
  if (found.fits || signal.aborted) return;
  if (await meaning.learn(app, files, signal, tell)) found = await find();
  message.sources = found.passages.map(({ document, part, line, heading, text }) => {
    const { name, pages, fleeting } = files[document];
    return { name, ...(pages && { page: part + 1 }), line, heading, text, ...(fleeting && { fleeting }) };
  });
}

/**
 * @param {import("./conversation.js").Conversation} conversation
 * @param {Message} answer
 * @returns {string[]} the question, and the one before it if there is one
 */
function questions(conversation, answer) {
  const asked = [];
  for (let at = conversation.find(answer.parent); at && asked.length < 2; at = conversation.find(at.parent)) {
    if (at.role === "user") asked.push(at.content);
  }
  return [asked[0] ?? "", asked[1] ?? ""];
}

/** @param {AttachedFile} file @returns {GivenDocument} */
export function documentOf({ name, text, pages = [0], vectors }) {
  const parts = pages.map((start, index) => text.slice(start, pages[index + 1]));
  return { name, parts, ...(vectors?.model === meaning.model && { vectors: vectors.data }) };
}
