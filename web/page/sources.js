/**
 * Below an answer: the passages of files that the model was given for it; and in it, their numbers as the model names
 * them. One that is pressed says so to the page by an event, "source".
 *
 * @import { Source } from "./attached.js"
 * @import { Message } from "./conversation.js"
 */

import { button, element } from "./dom.js";
import { strings } from "./strings.js";

/** So many characters of a passage are shown, for one to know it again. */
const SHOWN = 90;

/** Where brackets mean something else. */
const PLAIN = "a, pre, code, button, [data-formula], figure";
const CITED = /\[\d+(?:[,;\s]+\d+)*\]/;
const GROUPS = new RegExp(`(${CITED.source})`);

/** @param {Message} message an answer that has some */
export function sourcesOf(message) {
  const root = element("section", "sources");
  root.setAttribute("aria-label", strings.files.sources);
  const list = element("ol", "");
  for (const [index, source] of (message.sources ?? []).entries()) {
    const item = element("li", "");
    const open = button("source", "", () => {
      open.dispatchEvent(new CustomEvent("source", { bubbles: true, detail: { message, source } }));
    });
    open.append(
      element("span", "number", String(index + 1)),
      element("span", "place", placeOf(source)),
      element("span", "begins", source.text.replaceAll(/\s+/g, " ").slice(0, SHOWN)),
    );
    item.append(open);
    list.append(item);
  }
  root.append(element("p", "title", strings.files.sources), list);
  return root;
}

/**
 * Make the numbers of sources buttons, [1] or [1, 2], wherever they stand in text.
 *
 * @param {Node[]} nodes that are not shown yet
 * @param {Source[]} sources
 */
export function cite(nodes, sources) {
  if (!sources.length) return;
  const found = nodes
    .filter((node) => node instanceof HTMLElement && !node.matches(PLAIN))
    .flatMap((node) => {
      const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
      const texts = /** @type {Text[]} */ ([]);
      while (walker.nextNode()) texts.push(/** @type {Text} */ (walker.currentNode));
      return texts;
    });
  for (const text of found) {
    if (!CITED.test(text.data) || text.parentElement?.closest(PLAIN)) continue;
    // Whole groups, and in these the numbers: what stands between stays text.
    const parts = text.data
      .split(GROUPS)
      .map((part) => (CITED.test(part) ? part.split(/(\d+)/).map(numbered(sources)) : part));
    text.replaceWith(...parts.flat());
  }
}

/** @param {Source[]} sources */
function numbered(sources) {
  return (/** @type {string} */ part) => {
    const source = sources[Number(part) - 1];
    if (!source) return part;
    // While text comes it may become another's: citedBy looks when it is pressed.
    const made = button("cite", part, () => {});
    made.dataset.source = part;
    made.title = placeOf(source);
    return made;
  };
}

/**
 * @param {EventTarget | null} pressed
 * @param {Source[]} sources
 * @returns {Source | undefined} of the number that was
 */
export function citedBy(pressed, sources) {
  const found = pressed instanceof Element ? pressed.closest(".cite") : null;
  return found instanceof HTMLElement ? sources[Number(found.dataset.source) - 1] : undefined;
}

/** @param {Source} source @returns {string} where it stands */
export function placeOf({ name, page, line, heading }) {
  const where = page ? strings.files.page(page) : heading || (line > 1 ? strings.files.line(line) : "");
  return where ? strings.files.place(name, where) : name;
}
