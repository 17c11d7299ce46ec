/**
 * A passage that an answer was made of, with the text around it.
 *
 * @import { AttachedFile, Source } from "./attached.js"
 */

import { Dialog } from "./dialog.js";
import { element } from "./dom.js";
import { placeOf } from "./sources.js";
import { strings } from "./strings.js";

/** Of a file without pages, so many characters before the passage and after it. */
const AROUND = 3000;

/** @type {{dialog: Dialog, place: HTMLElement, text: HTMLElement} | undefined} */
let made;

function panel() {
  if (made) return made;
  const root = element("dialog", "");
  root.id = "source";
  document.body.append(root);
  const dialog = new Dialog("source", strings.files.passage);
  const [place, text] = [element("p", "place"), element("div", "around")];
  text.dir = "auto";
  text.tabIndex = 0;
  text.setAttribute("role", "region");
  text.setAttribute("aria-label", strings.files.passage);
  dialog.body.append(place, text);
  return (made = { dialog, place, text });
}

/**
 * @param {Source} source
 * @param {AttachedFile} [file] that it is of, if that is still there
 */
export function showSource(source, file) {
  const { dialog, place, text } = panel();
  place.textContent = placeOf(source);
  const [before, after] = around(source, file);
  const mark = element("mark", "", source.text || strings.files.gone);
  text.replaceChildren(before, mark, after);
  dialog.open();
  mark.scrollIntoView({ block: "center" });
}

/**
 * @param {Source} source
 * @param {AttachedFile} [file]
 * @returns {[string, string]} what stands before it and after it: the page, or so much of a file without pages
 */
function around({ page, text }, file) {
  if (!file || !text) return ["", ""];
  const { pages } = file;
  const start = page && pages ? pages[page - 1] : 0;
  const end = (page && pages?.[page]) || file.text.length;
  const at = file.text.indexOf(text, start);
  const behind = at + text.length;
  const first = page ? start : Math.max(0, at - AROUND);
  return [file.text.slice(first, at), file.text.slice(behind, page ? end : behind + AROUND)];
}
