/** Shows in the conversation what was searched for in the list: scrolls there, and marks it until something else is shown. */

import { byId } from "./dom.js";

/** A message that is drawn later than after so many frames is not waited for. */
const FRAMES = 240;
/** So many places are marked. */
const MOST = 500;
/** Counts what is to be shown: what is waited for is outdated by the next. */
let revealing = 0;

/**
 * @param {string | undefined} id of a message of the conversation in view; undefined: nothing is to be marked
 * @param {import("./wanted.js").Wanted} wanted
 */
export function reveal(id, wanted) {
  const mine = ++revealing;
  // An old browser scrolls there, and marks nothing.
  const marks = globalThis.CSS?.highlights;
  marks?.delete("found");
  if (!id) return;
  let frames = 0;
  const look = () => {
    if (mine !== revealing || ++frames > FRAMES) return;
    const text = byId("messages").querySelector(`[data-id="${CSS.escape(id)}"] .text`);
    const ranges = text ? rangesIn(text, wanted) : [];
    if (!ranges.length) return requestAnimationFrame(look);
    if (marks) marks.set("found", new Highlight(...ranges));
    // In the next frame: a conversation that comes into view is scrolled to its end first.
    requestAnimationFrame(() => ranges[0].startContainer.parentElement?.scrollIntoView({ block: "center" }));
  };
  requestAnimationFrame(look);
}

/**
 * @param {Element} root
 * @param {import("./wanted.js").Wanted} wanted
 * @returns {Range[]} where it stands, as far as it is not cut by other marks
 */
function rangesIn(root, wanted) {
  const ranges = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walker.nextNode() && ranges.length < MOST) {
    const node = walker.currentNode;
    for (const { index, length } of wanted.places(node.textContent ?? "")) {
      const range = document.createRange();
      range.setStart(node, index);
      range.setEnd(node, index + length);
      ranges.push(range);
    }
  }
  return ranges;
}
