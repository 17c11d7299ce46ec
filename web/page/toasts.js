/** Short messages at the edge of the page, which go by themselves; one may offer to undo what it tells of. */

import { button, byId, element } from "./dom.js";

const dock = /** @type {HTMLElement} */ (document.querySelector(".dock"));
new ResizeObserver(() => byId("toasts").style.setProperty("--dock", `${dock.offsetHeight}px`)).observe(dock);

/** How long one stays, in milliseconds; longer while the pointer or the focus is on it. */
const STAYS = 8000;

/**
 * @param {string} text
 * @param {{label: string, act: () => void}} [action]
 */
export function toast(text, action) {
  const root = element("div", "toast");
  const end = () => root.remove();
  root.append(element("span", "", text));
  if (action) {
    const act = () => {
      end();
      action.act();
    };
    root.append(button("link", action.label, act));
  }
  let timer = setTimeout(end, STAYS);
  const wait = () => {
    clearTimeout(timer);
    if (!root.matches(":hover, :focus-within")) timer = setTimeout(end, STAYS);
  };
  for (const kind of ["pointerenter", "pointerleave", "focusin", "focusout"]) root.addEventListener(kind, wait);
  byId("toasts").append(root);
}
