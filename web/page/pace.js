/**
 * How fast an answer comes, and how far it is, for those who wait for it.
 *
 * @import { Part } from "./engine.js"
 */

import { strings } from "./strings.js";

/** The speed is shown so often, in milliseconds: figures that change with every frame can't be read. */
const SPEED_EVERY = 250;

export class Pace {
  #first = 0;
  #firstTokens = 0;
  #tokens = 0;
  #prompt = 0;
  #read = 0;
  #thinking = 0;
  #shown = -Infinity;

  /** @param {Part} part */
  take({ reasoning, tokens, reading }) {
    const now = performance.now();
    if (reading) [this.#read, this.#prompt] = [reading.done, reading.total];
    if (reasoning) this.#thinking ||= now;
    this.#tokens = Math.max(tokens, this.#tokens);
    if (tokens && !this.#first) [this.#first, this.#firstTokens] = [now, tokens];
  }

  /** Seconds of reasoning so far. */
  get thought() {
    return this.#thinking ? (performance.now() - this.#thinking) / 1000 : 0;
  }

  /** Tokens of the context. */
  get used() {
    return this.#prompt + this.#tokens;
  }

  /** @returns {{shown: boolean, text: string}} what to show now; `shown` false: too soon for another figure */
  toShow() {
    const now = performance.now();
    if (now - this.#shown < SPEED_EVERY) return { shown: false, text: "" };
    this.#shown = now;
    if (!this.#first) return { shown: true, text: strings.reading(this.#read, this.#prompt) };
    const seconds = (now - this.#first) / 1000;
    const text = seconds > 0.5 ? strings.speedNow((this.#tokens - this.#firstTokens) / seconds) : "";
    return { shown: true, text };
  }
}
