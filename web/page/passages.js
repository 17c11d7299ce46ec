/**
 * What of its files answers a question, where they are too long to be sent whole: found by the engine, by words and,
 * where there is a model for it, by meaning.
 *
 * @import { App } from "./app.js"
 * @import { AttachedFile } from "./attached.js"
 * @import { Conversation, Message, Turn } from "./conversation.js"
 * @import { GivenDocument } from "../shared/protocol.js"
 */

import { button, byId, element } from "./dom.js";
import { isOpen } from "./house.js";
import { BYTES as DOWNLOAD, meaning } from "./meaning.js";
import { about, percent } from "../shared/format.js";
import { strings } from "./strings.js";

/** A token has at least one byte, and a character at most so many: what has so few needs no counting. */
const BYTES = 4;

/**
 * Below what was found by words: a search by meaning, for a download.
 *
 * @param {App} app
 * @param {Message} message
 */
export async function offerMeaning(app, message) {
  if (!isOpen(app.site) || (await meaning.isThere(app))) return;
  const words = strings.files.meaning;
  const offer = element("p", "by-meaning", words.offer(about(DOWNLOAD)));
  const accept = button("link", words.accept, async () => {
    offer.replaceChildren(words.coming(percent(0)));
    const isLoaded = await meaning.load(
      app,
      (share) => offer.replaceChildren(words.coming(percent(Math.min(1, share)))),
      true,
    );
    const question = app.conversation.find(message.parent);
    const again = button("link", words.again, () => question && !app.isOccupied && app.answer(question, true));
    offer.replaceChildren(
      ...(isLoaded ? [words.there, " ", ...(question ? [again] : [])] : [words.offer(about(DOWNLOAD)), " ", accept]),
    );
  });
  offer.append(" ", accept);
  byId("messages").querySelector(".message:last-child .sources")?.append(offer);
}

/**
 * Find what an answer is to be made of, if its files are too long to be sent whole.
 *
 * @param {AttachedFile[]} files
 * @param {App} app
 * @param {Turn} turn
 * @param {AbortSignal} signal
 * @param {(state: string) => void} tell what is being done
 */
export async function findIn(files, app, { conversation, message }, signal, tell) {
  const { engine, ready } = app;
  const length = files.reduce((sum, { text }) => sum + text.length, 0);
  if (!engine || !ready || BYTES * length <= ready.model.context_length / 2) return;
  message.sources = []; // for one that is stopped here the files need not be sent
  tell(strings.files.searching);
  const [question, before] = questions(conversation, message);
  const find = () => engine.consult({ question, before, documents: files.map(documentOf) });
  let found = await find();
  if (found.fits) delete message.sources;
  if (found.fits || signal.aborted) return;
  if (await meaning.learn(app, files, signal, tell)) found = await find();
  message.sources = found.passages.map(({ document, part, line, heading, text }) => {
    const { name, pages, fleeting } = files[document];
    return { name, ...(pages && { page: part + 1 }), line, heading, text, ...(fleeting && { fleeting }) };
  });
}

/**
 * @param {Conversation} conversation
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
