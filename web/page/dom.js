/** The page's elements: found by id and checked once, or made. */

import { icon } from "./icons.js";
import { address } from "../shared/site.js";

/**
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @param {new () => T} [type]
 * @returns {T}
 */
export function byId(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof (type ?? HTMLElement))) throw new TypeError(`#${id} is not in the page`);
  return /** @type {T} */ (found);
}

/**
 * @param {string} tag
 * @param {string} className
 * @param {string} [text]
 */
export function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

/**
 * @param {string} kind see controls.css
 * @param {string} text
 * @param {() => void} act
 */
export function button(kind, text, act) {
  const made = /** @type {HTMLButtonElement} */ (element("button", kind, text));
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

/**
 * A picture alone.
 *
 * @param {string} picture
 * @param {string} label what it is called, for those who don't see it, and as a tooltip
 * @param {() => void} act
 */
export function iconButton(picture, label, act) {
  const made = button("icon", "", act);
  made.append(icon(picture));
  made.title = label;
  made.setAttribute("aria-label", label);
  return made;
}

/** @param {readonly string[]} heads of a table's columns */
export function tableHead(heads) {
  const [top, row] = [element("thead", ""), element("tr", "")];
  for (const text of heads) {
    const cell = element("th", "", text);
    cell.setAttribute("scope", "col");
    row.append(cell);
  }
  top.append(row);
  return top;
}

/** @param {string} name of a style sheet in page/ that is needed from now on @returns {Promise<unknown>} it is there, or does not come */
export function styleSheet(name) {
  const sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.href = address(`page/${name}`);
  document.head.append(sheet);
  return new Promise((resolve) => (sheet.onload = sheet.onerror = resolve));
}
