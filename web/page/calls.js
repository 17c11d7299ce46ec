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
  /** Of each call: its element, and how much of it is shown. @type {{text: HTMLElement, length: number}[]} */
  #shown = [];

  /** Show what there is by now. @param {CallRecord[]} calls */
  update(calls) {
    for (const [index, call] of calls.entries()) {
      const shown = (this.#shown[index] ??= this.#add(call));
      const length = call.arguments.length + (call.result ?? "").length;
      if (length === shown.length) continue;
      shown.length = length;
      shown.text.replaceChildren(...plain(written(call)));
    }
  }

  /** @param {CallRecord} call */
  #add({ name }) {
    const root = element("details", "call");
    const summary = element("summary", "");
    summary.append(icon("call"), element("span", "", strings.message.called(name)));
    const text = element("pre", "");
    text.tabIndex = 0;
    root.append(summary, text);
    this.root.append(root);
    return { text, length: -1 };
  }
}

/** @param {CallRecord} call */
function written({ arguments: text, result }) {
  let told = text;
  try {
    told = JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // It is still being written, or is no JSON: shown as it is.
  }
  return result === undefined ? told : `${told}\n\n${result}`;
}
