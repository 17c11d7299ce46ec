/**
 * What the model is asked for an answer: what features prepare for it comes first.
 *
 * @import { Answer } from "./answer.js"
 * @import { App } from "./app.js"
 * @import { Turn } from "./conversation.js"
 * @import { Engine } from "./engine.js"
 * @import { AnswerOptions } from "../shared/protocol.js"
 */

/**
 * @param {App} app
 * @param {Turn} turn
 * @param {AbortSignal} signal stops it, at whatever time
 * @param {(state: string) => void} tell what goes on before the model is asked
 * @param {(sampling: AnswerOptions) => AnswerOptions} [styled] what is to be otherwise than it is set
 * @returns {Promise<Answer>} rejected with what prevents it
 */
export async function ask(app, turn, signal, tell, styled = (sampling) => sampling) {
  for (const prepare of app.preparations) await prepare(turn, signal, tell);
  const { conversation, message, anew } = turn;
  const { settings, tools } = app;
  const options = { ...styled(settings.sampling(conversation, anew)), ...(tools.length && { tools }) };
  const prompt = conversation.prompt(message, settings.system(conversation));
  const answer = /** @type {Engine} */ (app.engine).send(prompt, options, conversation.record.dropOldest);
  signal.addEventListener("abort", () => answer.stop());
  if (signal.aborted) answer.stop();
  return answer;
}
