/** Fields of a form, with their words. */

import { element } from "./dom.js";

/**
 * @param {string} name
 * @param {string} label
 * @param {string} explained
 * @param {HTMLInputElement | HTMLTextAreaElement} input
 * @returns {{root: HTMLElement, problem: HTMLElement}} problem: for what is wrong with what was typed
 */
export function fieldRow(name, label, explained, input) {
  const root = element("div", `field-row ${input.tagName.toLowerCase()}`);
  const title = element("label", "", label);
  const help = element("p", "help", explained);
  const problem = element("p", "problem");
  input.id = `setting-${name}`;
  title.id = `${input.id}-label`;
  help.id = `${input.id}-help`;
  problem.id = `${input.id}-problem`;
  input.setAttribute("aria-describedby", `${help.id} ${problem.id}`);
  title.setAttribute("for", input.id);
  root.append(title, input, help, problem);
  return { root, problem };
}

/** One of many. @param {string} label */
export function select(label) {
  const root = element("label", "chooser", label);
  const field = /** @type {HTMLSelectElement} */ (element("select", "quiet"));
  field.setAttribute("aria-label", label); // else its choices would be part of its name
  root.append(field);
  return { root, field };
}

/**
 * Say what is wrong with what was typed, or that nothing is.
 *
 * @param {HTMLInputElement | HTMLTextAreaElement} input
 * @param {HTMLElement} problem
 * @returns {boolean} whether it can be taken
 */
export function isGood(input, problem) {
  const { valid } = input.validity;
  problem.textContent = valid ? "" : input.validationMessage;
  input.setAttribute("aria-invalid", String(!valid));
  return valid;
}

/**
 * One of a few.
 *
 * @param {string} name
 * @param {string} label
 * @param {Record<string, string>} labels of the choices, by their values
 * @param {string} chosen
 * @param {string} explained
 * @param {(chosen: string) => void} act
 */
export function choices(name, label, labels, chosen, explained, act) {
  const root = element("fieldset", "field-row choices");
  root.append(element("legend", "", label));
  for (const [value, text] of Object.entries(labels)) {
    const choice = element("label", "choice");
    const input = /** @type {HTMLInputElement} */ (element("input", ""));
    Object.assign(input, { type: "radio", name, value, checked: value === chosen });
    input.addEventListener("change", () => act(value));
    choice.append(input, element("span", "", text));
    root.append(choice);
  }
  if (explained) {
    const help = element("p", "help", explained);
    help.id = `setting-${name}-help`;
    root.setAttribute("aria-describedby", help.id);
    root.append(help);
  }
  return root;
}
