/** Shows in the conversation what was searched for in the list: scrolls there, and marks it until something else is shown. */

import { byId } from "./dom.js";

/** So many frames are waited for a message to be drawn; and it is there when it has stayed in view for so many. */
const FRAMES = { most: 300, still: 10 };
/** So many places are marked. */
const MOST = 500;

/** What is being shown; ended by the next, and by the visitor's own scrolling. */
let revealing = new AbortController();

/**
 * @param {string | undefined} id of a message of the conversation in view; undefined: nothing is to be marked
 * @param {import("./wanted.js").Wanted} wanted
 */
export function reveal(id, wanted) {
  revealing.abort();
  const { signal } = (revealing = new AbortController());
  const scroller = byId("scroller");
  // An old browser scrolls there, and marks nothing.
  const marks = globalThis.CSS?.highlights;
  marks?.delete("found");
  if (!id) return;
  for (const kind of ["wheel", "touchmove", "keydown", "pointerdown"])
    scroller.addEventListener(kind, () => revealing.abort(), { signal, passive: true });
  let [frames, still, last] = [0, 0, ""];
  const look = () => {
    if (signal.aborted || ++frames > FRAMES.most) return;
    requestAnimationFrame(look);
    const text = byId("messages").querySelector(`[data-id="${CSS.escape(id)}"] .text`);
    const drawn = text?.textContent ?? "";
    if (drawn !== last) still = 0; // it is drawn in steps, and anew when the library for that has come
    last = drawn;
    if (!text || ++still < 2) return;
    const [first, ...more] = rangesIn(text, wanted);
    const place = first?.startContainer.parentElement;
    if (!place) return;
    if (still === 2) marks?.set("found", new Highlight(first, ...more));
    const { top, bottom } = place.getBoundingClientRect();
    const view = scroller.getBoundingClientRect();
    if (top < view.top || bottom > view.bottom) {
      still = 2;
      place.scrollIntoView({ block: "center" });
    }
    if (still > FRAMES.still) revealing.abort();
  };
  look();
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
