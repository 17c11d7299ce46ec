/**
 * What the model is asked for an answer: what features prepare for it comes first.
 *
 * @import { Answer } from "./answer.js"
 * @import { App } from "./app.js"
 * @import { Turn } from "./conversation.js"
 * @import { Engine } from "./engine.js"
 * @import { Settable } from "./settings.js"
 */

/**
 * @param {App} app
 * @param {Turn} turn
 * @param {AbortSignal} signal stops it, at whatever time
 * @param {(state: string) => void} tell what goes on before the model is asked
 * @param {Settable} [as] how it is set; else as its conversation is
 * @returns {Promise<Answer>} rejected with what prevents it
 */
export async function ask(app, turn, signal, tell, as = turn.conversation) {
  for (const prepare of app.preparations) await prepare(turn, signal, tell);
  const { conversation, message, anew } = turn;
  const { settings, tools } = app;
  const options = { ...settings.sampling(as, anew), ...(tools.length && { tools }) };
  const prompt = conversation.prompt(message, settings.system(as));
  const answer = /** @type {Engine} */ (app.engine).send(prompt, options, conversation.record.dropOldest);
  signal.addEventListener("abort", () => answer.stop());
  if (signal.aborted) answer.stop();
  return answer;
}
