/**
 * A file in the question that it goes with: folded, its text drawn when it is opened.
 *
 * @import { AttachedFile } from "./attached.js"
 */

import { element } from "./dom.js";
import { icon } from "./icons.js";
import { strings } from "./strings.js";

/** Characters: a short file is told as one of a kilobyte. */
const LEAST_TOLD = 1000;

/** @param {AttachedFile} file @returns {string} what it is called, and how long it is */
export function labelOf({ name, text, pages }) {
  return strings.files.attached(name, Math.max(LEAST_TOLD, text.length), pages?.length);
}

/** @param {AttachedFile} file */
export function fileView(file) {
  const { name, text, fleeting } = file;
  if (!text && fleeting) {
    const gone = element("p", "file gone");
    gone.append(icon("file"), element("span", "", strings.files.notKept(name)));
    return gone;
  }
  const root = /** @type {HTMLDetailsElement} */ (element("details", "file"));
  const summary = element("summary", "");
  summary.append(icon("file"), element("span", "", labelOf(file)));
  root.append(summary);
  root.addEventListener("toggle", async () => {
    const { contentOf } = await import("./file_content.js");
    if (root.children.length === 1) root.append(contentOf(file));
  });
  return root;
}
