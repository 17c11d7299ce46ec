/**
 * A conversation as one file that any browser shows: what was said in the branch in view, drawn already. It runs nothing
 * and loads nothing. Loaded when the first one is made.
 *
 * @import { CallRecord, ConversationRecord, Message } from "./conversation.js"
 */

import { Conversation } from "./conversation.js";
import { Dialog } from "./dialog.js";
import { button, element } from "./dom.js";
import { labelOf } from "./file_view.js";
import { asWritten, loadMarkdown } from "./markdown.js";
import { fileName, save } from "./saving.js";
import { address } from "../shared/site.js";
import { placeOf } from "./sources.js";
import { strings } from "./strings.js";
import { toast } from "./toasts.js";

const words = strings.share;

/** @typedef {{system: string, thoughts: boolean}} Included system: its text, or nothing */

const dialog = new Dialog("share", words.title);

/**
 * Let the visitor choose what goes into the file, and where that goes.
 *
 * @param {ConversationRecord} record
 * @param {string} system the prompt that the model is told before
 */
export function open(record, system) {
  const lead = element("p", "lead", words.lead);
  const choices = element("div", "choices");
  const included = { system: "", thoughts: false };
  const options = [];
  if (system) options.push(option(words.system, (on) => (included.system = on ? system : "")));
  if (new Conversation(record).path.some(({ reasoning }) => reasoning))
    options.push(option(words.thoughts, (on) => (included.thoughts = on)));
  const act = (/** @type {(file: File) => unknown} */ act) => async () => {
    try {
      await act(await fileOf(record, included));
      dialog.close();
    } catch (error) {
      if (/** @type {Error} */ (error).name !== "AbortError") toast(words.failed); // else the visitor has thought better of it
    }
  };
  const probe = new File([""], "chat.html", { type: "text/html" });
  if (navigator.canShare?.({ files: [probe] })) {
    const send = (/** @type {File} */ file) => navigator.share({ files: [file], title: record.name });
    choices.append(button("quiet", words.send, act(send)));
  }
  const main = button("main", words.save, act(save));
  choices.append(main);
  dialog.body.replaceChildren(lead, ...options, choices);
  dialog.open();
  main.focus();
}

/**
 * @param {string} label
 * @param {(on: boolean) => void} act
 */
function option(label, act) {
  const root = element("label", "check", label);
  const input = /** @type {HTMLInputElement} */ (element("input", ""));
  input.type = "checkbox";
  input.addEventListener("change", () => act(input.checked));
  root.prepend(input);
  return root;
}

/**
 * @param {ConversationRecord} record
 * @param {Included} included
 */
async function fileOf(record, included) {
  const text = await pageOf(record, included);
  return new File([text], `${fileName(record.name)}.html`, { type: "text/html" });
}

/**
 * @param {ConversationRecord} record
 * @param {Included} included
 * @returns {Promise<string>} HTML
 */
async function pageOf(record, { system, thoughts }) {
  const sheet = await fetch(address("page/share.css"));
  if (!sheet.ok) throw new Error(`share.css: ${sheet.status}`);
  const style = await sheet.text();
  const { path } = new Conversation(record);
  const page = document.implementation.createHTMLDocument(record.name || strings.sidebar.unnamed);
  page.documentElement.lang = strings.language;
  page.documentElement.dir = strings.direction;
  const styled = page.createElement("style");
  styled.textContent = style;
  const policy = `default-src 'none'; style-src 'sha256-${await sum(style)}'; img-src data:; base-uri 'none'; form-action 'none'`;
  page.head.prepend(
    meta({ charset: "utf-8" }),
    meta({ "http-equiv": "Content-Security-Policy", content: policy }),
    meta({ name: "viewport", content: "width=device-width, initial-scale=1" }),
    meta({ name: "color-scheme", content: "light dark" }),
  );
  page.head.append(styled);
  const main = element("main", "");
  main.append(element("h1", "", record.name || strings.sidebar.unnamed), element("p", "about", about(path)));
  if (system) main.append(folded(words.systemTitle, [element("pre", "", system)]));
  for (const message of path) {
    main.append(await articleOf(message, thoughts));
    await new Promise((resolve) => setTimeout(resolve)); // a long conversation takes a while: the page goes on meanwhile
  }
  page.body.append(main);
  return `<!doctype html>\n${page.documentElement.outerHTML}\n`;
}

/** Who wrote it, and when. @param {Message[]} path */
function about(path) {
  const models = [...new Set(path.map(({ model }) => model).filter((model) => model !== undefined))];
  return words.about(models.join(", "), new Date());
}

/** @param {Record<string, string>} attributes */
function meta(attributes) {
  const made = document.createElement("meta");
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/** @param {string} text @returns {Promise<string>} as a policy names it */
async function sum(text) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return btoa(String.fromCharCode(...new Uint8Array(digest)));
}

/**
 * @param {Message} message
 * @param {boolean} thoughts
 */
async function articleOf({ role, content, files = [], reasoning, calls = [], model, sources = [] }, thoughts) {
  const root = element("article", role);
  root.append(element("h2", "", role === "user" ? strings.you : (model ?? strings.assistant)));
  for (const file of files) if (file.text) root.append(folded(labelOf(file), [element("pre", "", file.text)]));
  if (thoughts && reasoning) root.append(folded(strings.message.thought(undefined), [said(await drawn(reasoning))]));
  root.append(said(role === "user" ? [element("p", "plain", content)] : await drawn(content)), ...calls.map(callOf));
  for (const [index, source] of sources.entries()) {
    root.append(folded(`[${index + 1}] ${placeOf(source)}`, [element("pre", "", source.text)]));
  }
  return root;
}

/** @param {Node[]} content @returns {HTMLElement} in the direction of its own letters */
function said(content) {
  const root = element("div", "said");
  root.dir = "auto";
  root.append(...content);
  return root;
}

/** @param {CallRecord} call */
function callOf({ name, arguments: written, result, run }) {
  const parts = [element("pre", "", written), ...(result ? [element("pre", "", result)] : [])];
  const root = folded(strings.tools.called(name), parts);
  for (const shown of run?.shown ?? []) {
    if (!("svg" in shown)) continue;
    const plot = document.createElement("img");
    plot.src = `data:image/svg+xml,${encodeURIComponent(shown.svg)}`;
    plot.alt = strings.tools.plot;
    root.append(plot);
    root.setAttribute("open", "");
  }
  return root;
}

/**
 * @param {string} title
 * @param {Node[]} content
 */
function folded(title, content) {
  const root = element("details", "");
  root.append(element("summary", "", title), ...content);
  return root;
}

/** @param {string} text Markdown @returns {Promise<Node[]>} with nothing in it that needs more than the style sheet */
async function drawn(text) {
  const root = element("div", "");
  const markdown = await loadMarkdown().catch(() => null);
  if (!markdown) return asWritten(text);
  const blocks = markdown.blocks(text);
  const { nodes, better } = markdown.render(blocks);
  const isBetter = await better?.then(
    () => true,
    () => false,
  ); // it stays as it is without that library
  root.append(...(isBetter ? markdown.render(blocks).nodes : nodes));
  for (const copy of root.querySelectorAll(".copy-code")) copy.remove();
  // A formula as MathML, which browsers set with fonts of their own.
  for (const set of root.querySelectorAll(".katex")) {
    const math = set.querySelector("math");
    if (!math) continue;
    for (const note of math.querySelectorAll("annotation")) note.remove();
    set.replaceWith(math);
  }
  return [...root.childNodes];
}
