/**
 * What a model calls, shown in its answer: folded, the function's name and what it is called with.
 *
 * @import { CallRecord } from "./conversation.js"
 */

import { element } from "./dom.js";
import { icon } from "./icons.js";
import { plain } from "./pieces.js";
import { strings } from "./strings.js";

export class Calls {
  root = element("div", "calls");
  /** @type {CallView[]} */
  #views = [];

  /** Show what there is by now. @param {CallRecord[]} calls */
  update(calls) {
    for (const [index, call] of calls.entries()) {
      if (!this.#views[index]) {
        this.#views[index] = new CallView(call);
        this.root.append(this.#views[index].root);
      }
      this.#views[index].update();
    }
  }
}

/** One call. What it is called with is drawn when somebody looks. */
class CallView {
  root = /** @type {HTMLDetailsElement} */ (element("details", "call"));
  #call;
  #text = element("pre", "");
  /** What is shown, as it was written. */
  #shown = "";

  /** @param {CallRecord} call which grows */
  constructor(call) {
    this.#call = call;
    const summary = element("summary", "");
    summary.append(icon("call"), element("span", "", strings.message.called(call.name)));
    this.#text.tabIndex = 0;
    this.root.append(summary, this.#text);
    this.root.addEventListener("toggle", () => this.update());
  }

  update() {
    const { arguments: text, result } = this.#call;
    const all = result === undefined ? text : `${text}\n\n${result}`;
    if (!this.root.open || all.length === this.#shown.length) return;
    const told = result === undefined ? laidOut(text) : `${laidOut(text)}\n\n${result}`;
    if (told === all) this.#text.append(...plain(all.slice(this.#shown.length)));
    else this.#text.replaceChildren(...plain(told));
    this.#shown = all;
  }
}

/** @param {string} text of arguments @returns {string} in lines, if it is whole */
function laidOut(text) {
  if (!text.endsWith("}")) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
