/**
 * The conversation: what was asked and answered, and what of it the model is shown. State only, no DOM.
 *
 * @import { ChatMessage } from "./protocol.js"
 *
 * @typedef {object} Exchange a question and its answer
 * @property {string} question
 * @property {string} answer as far as it has come
 * @property {"waiting" | "streaming" | "ended"} state
 */

export class Conversation {
  /** @type {Exchange[]} */
  exchanges = [];

  /**
   * @param {string} question
   * @returns {Exchange}
   */
  ask(question) {
    /** @type {Exchange} */
    const exchange = { question, answer: "", state: "waiting" };
    this.exchanges.push(exchange);
    return exchange;
  }

  /** @param {Exchange} exchange */
  withdraw(exchange) {
    this.exchanges = this.exchanges.filter((other) => other !== exchange);
  }

  /**
   * The messages that lead to the answer of an exchange. A question that got no answer is left out: chat templates
   * want the two sides to take turns.
   *
   * @param {Exchange} exchange
   * @returns {ChatMessage[]}
   */
  upTo(exchange) {
    const before = this.exchanges.slice(0, this.exchanges.indexOf(exchange)).filter(({ answer }) => answer);
    return [
      ...before.flatMap(({ question, answer }) => [message("user", question), message("assistant", answer)]),
      message("user", exchange.question),
    ];
  }
}

/**
 * @param {ChatMessage["role"]} role
 * @param {string} content
 * @returns {ChatMessage}
 */
function message(role, content) {
  return { role, content };
}
