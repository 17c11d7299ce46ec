/**
 * A number on a slider, and in a field beside it for those who know which. Left empty it is the default, which the field
 * shows and a mark on the slider; a double click on the slider goes back there, and so does a button.
 */

import { element, iconButton } from "./dom.js";
import { fieldRow, isGood } from "./fields.js";
import { strings } from "./strings.js";

/**
 * @param {object} field
 * @param {string} field.name
 * @param {string} field.label
 * @param {string} field.explained
 * @param {number} field.min that the field takes
 * @param {number} field.max
 * @param {number} field.step
 * @param {[number, number]} [field.reach] of the slider, where there is one
 * @param {number | null} [field.value] none: the default
 * @param {number} [field.byDefault] nothing: no number
 * @param {string} [field.unset] what the default is called then
 * @param {(value: number | undefined) => void} change
 */
export function numberField({ name, label, explained, min, max, step, reach, value, byDefault, unset = "" }, change) {
  const input = /** @type {HTMLInputElement} */ (element("input", ""));
  Object.assign(input, { type: "number", min, max, step, value: value ?? "" });
  input.placeholder = String(byDefault ?? unset);
  const { root, problem } = fieldRow(name, label, explained, input);
  const reset = iconButton("again", strings.settings.toDefault(label), () => take(undefined));
  const range = reach && slider(reach, step, `${input.id}-label`, (at) => take(at));

  const show = () => {
    reset.hidden = input.value === "" && !input.validity.badInput;
    if (range) range.place(input.value === "" ? (byDefault ?? min) : input.valueAsNumber, byDefault);
  };
  const take = (/** @type {number | undefined} */ chosen) => {
    input.value = chosen === undefined ? "" : String(chosen);
    if (chosen === undefined && document.activeElement === reset) input.focus(); // the button goes
    input.dispatchEvent(new Event("input", { bubbles: true }));
  };
  input.addEventListener("input", () => {
    if (isGood(input, problem)) change(input.value === "" ? undefined : input.valueAsNumber);
    show();
  });
  input.after(reset);
  if (range) {
    root.classList.add("slider");
    reset.after(range.root);
    range.root.addEventListener("dblclick", () => take(undefined));
  }
  show();
  return root;
}

/**
 * @param {[number, number]} reach
 * @param {number} step
 * @param {string} label the id of what it is called by
 * @param {(at: number) => void} moved
 */
function slider([low, high], step, label, moved) {
  const root = element("div", "range");
  const mark = element("span", "mark");
  const range = /** @type {HTMLInputElement} */ (element("input", ""));
  Object.assign(range, { type: "range", min: low, max: high, step });
  range.setAttribute("aria-labelledby", label);
  range.addEventListener("input", () => moved(range.valueAsNumber));
  root.append(mark, range);
  const share = (/** @type {number} */ at) => String(Math.min(1, Math.max(0, (at - low) / (high - low))));
  return {
    root,
    /** @param {number} at @param {number} [byDefault] */
    place(at, byDefault) {
      range.value = String(at);
      root.style.setProperty("--at", share(at));
      mark.hidden = byDefault === undefined;
      if (byDefault !== undefined) root.style.setProperty("--default", share(byDefault));
    },
  };
}
