/**
 * Below an answer: the passages of files that the model was given for it. One that is pressed says so to the page by an
 * event, "source".
 *
 * @import { Source } from "./attached.js"
 * @import { Message } from "./conversation.js"
 */

import { button, element } from "./dom.js";
import { strings } from "./strings.js";

/** So many characters of a passage are shown, for one to know it again. */
const SHOWN = 90;

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

/** @param {Source} source @returns {string} where it stands */
export function placeOf({ name, page, line, heading }) {
  const where = page ? strings.files.page(page) : heading || (line > 1 ? strings.files.line(line) : "");
  return where ? strings.files.place(name, where) : name;
}
