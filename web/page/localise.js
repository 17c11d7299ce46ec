/**
 * Puts the words of the page's language into index.html, and the pictures beside them. Attributes in the page name both:
 * `data-text` the text of an element, `data-label` what it is called (a button shows it as its tooltip too),
 * `data-hint` a placeholder, `data-describe` a tooltip alone, `data-icon` a picture at its beginning.
 */

import { icon } from "./icons.js";
import { strings } from "./strings.js";

/** @param {HTMLElement} root */
export function localise(root) {
  document.documentElement.lang = strings.language;
  document.documentElement.dir = strings.direction;
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-text]")))
    element.textContent = word(element.dataset.text);
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-label]"))) {
    element.setAttribute("aria-label", word(element.dataset.label));
    if (element instanceof HTMLButtonElement) element.title = word(element.dataset.label);
  }
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-hint]")))
    element.setAttribute("placeholder", word(element.dataset.hint));
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-describe]")))
    element.title = word(element.dataset.describe);
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-icon]")))
    element.prepend(icon(element.dataset.icon ?? ""));
}

/** @param {string | undefined} path in `strings`: "settings.title" */
function word(path = "") {
  /** @type {any} */
  let found = strings;
  for (const name of path.split(".")) found = found?.[name];
  if (typeof found !== "string") throw new TypeError(`words/ has no ${path}`);
  return found;
}
