/** Panels of which one is seen, and their tabs: https://www.w3.org/WAI/ARIA/apg/patterns/tabs/ */

import { button, element } from "./dom.js";

/**
 * @param {string} id
 * @param {string} label
 * @param {{name: string, label: string, body: HTMLElement}[]} panels
 * @param {string} chosen by its name; the first, if there is none of this name
 * @param {(name: string) => void} onChosen
 */
export function tabs(id, label, panels, chosen, onChosen) {
  const root = element("div", "tabs");
  const list = element("div", "tablist");
  list.setAttribute("role", "tablist");
  list.setAttribute("aria-label", label);
  const all = panels.map(({ name, label, body }) => {
    const tab = button("row", label, () => choose(name));
    const panel = element("div", "tabpanel");
    tab.id = `${id}-tab-${name}`;
    panel.id = `${id}-panel-${name}`;
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", panel.id);
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", tab.id);
    panel.append(body);
    return { name, tab, panel };
  });
  const show = (/** @type {string} */ shown) => {
    for (const { name, tab, panel } of all) {
      tab.setAttribute("aria-selected", String(name === shown));
      tab.tabIndex = name === shown ? 0 : -1;
      panel.hidden = name !== shown;
    }
  };
  const choose = (/** @type {string} */ name) => {
    show(name);
    onChosen(name);
  };
  list.addEventListener("keydown", (event) => {
    const at = all.findIndex(({ tab }) => tab === document.activeElement);
    const forward = document.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
    const back = document.dir === "rtl" ? "ArrowRight" : "ArrowLeft";
    const next = { [forward]: at + 1, ArrowDown: at + 1, [back]: at - 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const { name, tab } = all.at(next % all.length) ?? all[0];
    choose(name);
    tab.focus();
  });
  list.append(...all.map(({ tab }) => tab));
  root.append(list, ...all.map(({ panel }) => panel));
  show(all.some(({ name }) => name === chosen) ? chosen : all[0].name);
  return root;
}
