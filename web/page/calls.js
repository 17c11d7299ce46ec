/**
 * Calls of functions as the visitor sees them: what is called, and what came of it.
 *
 * @import { Message, ToolCall } from "./conversation.js"
 * @import { Run, Shown, Table } from "./runs.js"
 *
 * @typedef {object} Asked what the visitor wants done about a call: the detail of the event "asked"
 * @property {Message} message the tool's
 * @property {"run" | "decline" | "goOn"} what
 */

import { button, element } from "./dom.js";
import { icon } from "./icons.js";
import { strings } from "./strings.js";

/** What an answer calls, folded. */
export class CallViews {
  root = element("div", "calls");
  /** @type {{shown: string, code: HTMLElement}[]} */
  #views = [];

  /** @param {ToolCall[]} calls as far as they have come */
  update(calls) {
    for (const [index, { function: called }] of calls.entries()) {
      const view = (this.#views[index] ??= this.#add(called.name));
      if (view.shown === called.arguments) continue;
      view.shown = called.arguments;
      view.code.textContent = readable(called);
    }
  }

  /** @param {string} name */
  #add(name) {
    const root = element("details", "call");
    const summary = element("summary", "");
    const code = element("pre", "");
    code.tabIndex = 0;
    summary.append(icon("code"), element("span", "", strings.tools.calls(name)));
    root.append(summary, code);
    this.root.append(root);
    return { shown: "", code };
  }
}

/**
 * @param {ToolCall["function"]} call
 * @returns {string} code as code, else its arguments
 */
function readable({ arguments: given }) {
  const code = /^\s*\{\s*"code"\s*:\s*"((?:[^"\\]|\\(?:u[\da-fA-F]{4}|[^u]))*)/.exec(given);
  try {
    if (code) return JSON.parse(`"${code[1]}"`);
    return JSON.stringify(JSON.parse(given), null, 2);
  } catch {
    return given; // it has not all come, or is none
  }
}

/** What came of a call. */
export class ResultView {
  root = element("div", "run");
  #message;
  #status = element("span", "status");
  #choices = element("div", "choices");
  #output = element("pre", "output");
  #shown = element("div", "shown");
  /** @type {Run | undefined} */
  #run;

  /** @param {Message} message a tool's */
  constructor(message) {
    this.#message = message;
    this.#output.tabIndex = 0;
    const head = element("div", "head");
    head.append(this.#status, this.#choices);
    this.root.append(head, this.#shown, this.#output);
  }

  /** @param {boolean} isRunning */
  update(isRunning) {
    const { run, content } = this.#message;
    const words = strings.tools;
    this.root.dataset.state = isRunning ? "running" : !content ? "waiting" : run?.error === undefined ? "done" : "failed";
    this.#status.textContent = isRunning ? words.running : !content ? words.waiting : words.ran(run);
    const ways = content ? [this.#way("goOn", "quiet"), this.#way("run", "quiet")] : [this.#way("run", "main"), this.#way("decline", "quiet")];
    this.#choices.replaceChildren(...(isRunning ? [] : ways));
    const parts = [run?.output.trimEnd(), run?.value, run?.error];
    this.#output.textContent = parts.filter(Boolean).join("\n");
    this.#output.hidden = !this.#output.textContent;
    if (isRunning) this.#output.scrollTop = this.#output.scrollHeight;
    if (run !== this.#run) this.#shown.replaceChildren(...(run?.shown ?? []).map(shownView));
    this.#run = run;
  }

  /**
   * @param {Asked["what"]} what
   * @param {string} kind of button
   */
  #way(what, kind) {
    const label = what === "run" && this.#message.content ? strings.tools.again : strings.tools[what];
    return button(kind, label, () => {
      const detail = { message: this.#message, what };
      this.root.dispatchEvent(new CustomEvent("asked", { detail, bubbles: true }));
    });
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
  const row = (/** @type {string[]} */ cells, /** @type {string} */ tag) => {
    const line = element("tr", "");
    line.append(...cells.map((cell) => element(tag, "", cell)));
    return line;
  };
  const body = element("tbody", "");
  if (columns.length) {
    const head = element("thead", "");
    head.append(row(columns, "th"));
    made.append(head);
  }
  body.append(...rows.map((cells) => row(cells, "td")));
  made.append(body);
  root.append(made);
  if (count > rows.length) root.append(element("p", "help", strings.tools.rows(rows.length, count)));
  root.tabIndex = 0;
  return root;
}
