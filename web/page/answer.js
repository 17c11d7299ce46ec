/**
 * An answer while it is generated, and what an engine says when there is none.
 *
 * @import { CallPiece, Done, Dropped, Piece, Reading, TokenLogprob } from "../shared/protocol.js"
 */

/** What the engine could not do. `stage` says where (see protocol.d.ts), the message is one line for a person. */
export class EngineError extends Error {
  /**
   * @param {string} stage
   * @param {string} message
   * @param {boolean} [loaded] the model from before is still there
   */
  constructor(stage, message, loaded = false) {
    super(message);
    this.name = "EngineError";
    this.stage = stage;
    this.loaded = loaded;
  }
}

/**
 * An answer as it is generated: iterate over it for its parts. The loop ends when the answer does (`done` then holds
 * the figures) and throws an EngineError when it fails. What arrives between two turns of the loop comes joined, so that
 * a slow reader never falls behind.
 *
 * @typedef {object} Part what has come since the last one
 * @property {string} reasoning
 * @property {string} text after the reasoning
 * @property {boolean} recast all text of the parts before has turned out to be reasoning
 * @property {CallPiece[]} calls of functions: what has come of each
 * @property {TokenLogprob[]} logprobs of the tokens, if they were asked for
 * @property {number} tokens generated so far
 * @property {{done: number, total: number} | null} reading how much of the prompt has been processed, if that was told
 * @property {number} dropped messages that were left out of the prompt, if that was told
 * @property {Record<string, number>} [marks] of the first text, if they were asked for: what was done when, in
 *   milliseconds since 1970
 */
export class Answer {
  /** @type {Done | null} */
  done = null;
  /** @type {EngineError | null} */
  #error = null;
  /** @type {Part | null} */
  #part = null;
  #wake = () => {};
  #stop;

  /** @param {() => void} stop tells the engine */
  constructor(stop) {
    this.#stop = stop;
  }

  /** Ask the engine to end the answer here. It still ends by `done`, with what has been generated. */
  stop() {
    this.#stop();
  }

  /** @param {Dropped | Piece | Reading} message */
  push(message) {
    const part = (this.#part ??= {
      reasoning: "",
      text: "",
      recast: false,
      calls: [],
      logprobs: [],
      tokens: 0,
      reading: null,
      dropped: 0,
    });
    if (message.type === "dropped") {
      part.dropped = message.messages;
    } else if (message.type === "reading") {
      part.reading = message;
    } else {
      if (message.recast) [part.reasoning, part.text, part.recast] = [part.reasoning + part.text, "", true];
      part.reasoning += message.reasoning;
      part.text += message.text;
      for (const piece of message.calls ?? []) addCall(part.calls, piece);
      part.logprobs.push(...(message.logprobs ?? []));
      part.tokens = message.tokens;
      if (message.marks) part.marks = message.marks;
    }
    this.#wake();
  }

  /** @param {Done} done */
  finish(done) {
    this.done = done;
    this.#wake();
  }

  /** @param {EngineError} error */
  fail(error) {
    this.#error = error;
    this.#wake();
  }

  /** @returns {AsyncGenerator<Part, void, void>} */
  async *[Symbol.asyncIterator]() {
    for (;;) {
      if (this.#part) {
        const part = this.#part;
        this.#part = null;
        yield part;
      } else if (this.#error) {
        throw this.#error;
      } else if (this.done) {
        return;
      } else {
        await new Promise((resolve) => (this.#wake = () => resolve(undefined)));
      }
    }
  }
}

/**
 * Add what has come of a call to what there is of it, if there is anything.
 *
 * @param {CallPiece[]} calls
 * @param {CallPiece} piece
 */
export function addCall(calls, piece) {
  const begun = calls.find(({ index }) => index === piece.index);
  if (begun) begun.arguments += piece.arguments;
  else calls.push({ ...piece });
}
