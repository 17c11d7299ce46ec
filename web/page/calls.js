/**
 * What a model calls, shown in its answer: folded, the function's name and what it is called with; whether it has run,
 * and what came of that.
 *
 * @import { CallRecord } from "./conversation.js"
 * @import { Shown, Table } from "./runs.js"
 *
 * @typedef {object} Asked what the visitor wants done about a call: the detail of the event "asked"
 * @property {CallRecord} call
 * @property {"run" | "decline"} what
 */

import { button, element } from "./dom.js";
import { icon } from "./icons.js";
import { plain } from "./pieces.js";
import { strings } from "./strings.js";

export class Calls {
  root = element("div", "calls");
  /** @type {CallView[]} */
  #views = [];

  /**
   * Show what there is by now.
   *
   * @param {CallRecord[]} calls
   * @param {boolean} isWritten all of them, and completely
   * @param {boolean} isBusy what waits first is running
   */
  update(calls, isWritten, isBusy) {
    const next = isWritten ? calls.findIndex(({ result }) => result === undefined) : -1;
    for (const [index, call] of calls.entries()) {
      const view = (this.#views[index] ??= this.#add(call));
      view.update(index !== next ? "none" : isBusy ? "running" : "waiting");
    }
  }

  /** @param {CallRecord} call */
  #add(call) {
    const view = new CallView(call);
    this.root.append(view.root);
    return view;
  }
}

class CallView {
  root = element("section", "called");
  #call;
  #details = /** @type {HTMLDetailsElement} */ (element("details", "call"));
  #label = element("span", "");
  #status = element("span", "status");
  #text = element("pre", "");
  #output = element("pre", "output");
  #shown = element("div", "shown");
  #choices = element("div", "choices");
  /** Of what it is called with, characters that are shown. */
  #length = -1;
  /** @type {CallRecord["run"]} */
  #run;
  /** @type {"none" | "waiting" | "running"} */
  #state = "none";

  /** @param {CallRecord} call */
  constructor(call) {
    this.#call = call;
    const summary = element("summary", "");
    summary.append(icon("call"), this.#label, this.#status);
    for (const text of [this.#text, this.#output]) text.tabIndex = 0;
    this.#output.hidden = this.#choices.hidden = true;
    this.#details.append(summary, this.#text, this.#output);
    this.root.append(this.#details, this.#shown, this.#choices);
    this.#details.addEventListener("toggle", () => this.#draw());
  }

  /** Show what it is called with, when somebody looks. */
  #draw() {
    const { arguments: text } = this.#call;
    if (!this.#details.open || text.length === this.#length) return;
    this.#text.replaceChildren(...plain(written(text)));
    this.#length = text.length;
  }

  /** @param {"none" | "waiting" | "running"} state */
  update(state) {
    const { name, result, run } = this.#call;
    const words = strings.tools;
    this.#draw();
    this.#label.textContent = state === "none" ? words.called(name) : words.named(name);
    if (state !== this.#state) this.#offer(state);
    this.#state = state;
    this.root.dataset.state = result !== undefined && run?.error !== undefined ? "failed" : state;
    this.#status.textContent = state !== "none" ? words[state] : run ? words.ran(run) : "";
    if (run === this.#run) return;
    if (run?.shown !== this.#run?.shown) this.#shown.replaceChildren(...(run?.shown ?? []).map(shownView));
    this.#run = run;
    const output = [run?.output.trimEnd(), run?.value, run?.error].filter(Boolean).join("\n");
    this.#output.hidden = !output;
    this.#output.replaceChildren(...plain(output));
    this.#output.scrollTop = state === "running" ? this.#output.scrollHeight : 0;
  }

  /** Let the visitor choose, who sees what it is about. @param {"none" | "waiting" | "running"} state */
  #offer(state) {
    const isWaiting = state === "waiting";
    if (isWaiting) this.#details.open = true;
    const way = (/** @type {Asked["what"]} */ what, /** @type {string} */ kind) =>
      button(kind, strings.tools[what], () => {
        this.root.dispatchEvent(new CustomEvent("asked", { detail: { call: this.#call, what }, bubbles: true }));
      });
    this.#choices.replaceChildren(...(isWaiting ? [way("run", "main"), way("decline", "quiet")] : []));
    this.#choices.hidden = !isWaiting;
  }
}

/** @param {string} text the arguments of a call @returns {string} code as code, as far as it has come; else JSON */
function written(text) {
  const code = /^\s*\{\s*"code"\s*:\s*"((?:[^"\\]|\\(?:u[\da-fA-F]{4}|[^u]))*)/.exec(text);
  try {
    return code ? JSON.parse(`"${code[1]}"`) : JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // it is still being written, or is no JSON: shown as it is
  }
}

/** @param {Shown} shown */
function shownView(shown) {
  return "svg" in shown ? picture(shown.svg) : table(shown);
}

/** A plot, as a picture: nothing in it runs, and it loads nothing. @param {string} svg */
function picture(svg) {
  const image = /** @type {HTMLImageElement} */ (element("img", ""));
  const source = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  image.alt = [strings.tools.plot, ...[...svg.matchAll(/<text[^>]*>([^<]+)/g)].map(([, words]) => words)].join(", ");
  image.addEventListener("load", () => URL.revokeObjectURL(source), { once: true });
  image.src = source;
  return image;
}

/** @param {Table} table */
function table({ columns, rows, count }) {
  const root = element("div", "table");
  const made = element("table", "");
  const part = (/** @type {string} */ name, /** @type {string[][]} */ lines, /** @type {string} */ cell) => {
    const found = element(name, "");
    for (const cells of lines) {
      const line = element("tr", "");
      line.append(...cells.map((text) => element(cell, "", text)));
      found.append(line);
    }
    return found;
  };
  if (columns.length) made.append(part("thead", [columns], "th"));
  made.append(part("tbody", rows, "td"));
  root.append(made);
  root.tabIndex = 0;
  if (count > rows.length) root.append(element("p", "help", strings.tools.rows(rows.length, count)));
  return root;
}
