/** A menu that opens at a button: https://www.w3.org/WAI/ARIA/apg/patterns/menu-button/ */

import { element } from "./dom.js";
import { icon } from "./icons.js";

/** Room between the menu and what is around it, in CSS pixels. */
const MARGIN = 6;

/** @typedef {{label: string, icon: string, act: () => unknown}} MenuItem */

/**
 * @param {HTMLElement} button that says it has one: aria-haspopup
 * @param {MenuItem[]} items
 */
export function openMenu(button, items) {
  const root = element("div", "menu");
  root.setAttribute("role", "menu");
  const buttons = items.map(({ label, icon: name, act }) => {
    const item = element("button", "row", label);
    item.setAttribute("role", "menuitem");
    item.tabIndex = -1;
    item.prepend(icon(name));
    item.addEventListener("click", () => {
      close();
      act();
    });
    return item;
  });
  root.append(...buttons);
  const around = new AbortController();
  const close = () => {
    around.abort();
    root.remove();
    button.setAttribute("aria-expanded", "false");
    button.focus();
  };
  root.addEventListener("keydown", (event) => {
    const index = buttons.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const next = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: -1 }[event.key];
    if (next !== undefined) buttons.at(next % buttons.length)?.focus();
    else if (event.key === "Escape" || event.key === "Tab") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const outside = (/** @type {Event} */ event) => root.contains(/** @type {Node} */ (event.target)) || close();
  document.addEventListener("pointerdown", outside, { signal: around.signal, capture: true });
  addEventListener("resize", close, { signal: around.signal });

  button.setAttribute("aria-expanded", "true");
  (button.closest("nav, main, header, dialog") ?? document.body).append(root);
  place(root, button.getBoundingClientRect());
  buttons[0].focus();
}

/**
 * Below the button, or above it where there is no room; its beginning at the button's, or its end.
 *
 * @param {HTMLElement} root
 * @param {DOMRect} button
 */
function place(root, button) {
  const { width, height } = root.getBoundingClientRect();
  const fits = button.bottom + MARGIN + height <= innerHeight;
  const left = document.dir === "rtl" ? button.right - width : button.left;
  root.style.top = `${fits ? button.bottom + MARGIN : Math.max(MARGIN, button.top - MARGIN - height)}px`;
  root.style.left = `${Math.min(Math.max(MARGIN, left), innerWidth - width - MARGIN)}px`;
}
