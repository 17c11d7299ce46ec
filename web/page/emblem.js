/**
 * What stands for an assistant: its symbol, or how its name begins.
 *
 * @import { Face } from "./settings_values.js"
 */

import { element } from "./dom.js";
import { firstCharacter } from "./settings_values.js";

/** @param {Face} face */
export function emblem({ name, mark }) {
  const root = element("span", "emblem", mark || firstCharacter(name).toLocaleUpperCase());
  root.setAttribute("aria-hidden", "true");
  return root;
}
