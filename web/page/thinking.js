/**
 * In the composer: whether the model thinks before it answers, and how much, where it can be told. What is chosen is of
 * the conversation in view; settings say how it is at first.
 *
 * @import { App } from "./app.js"
 * @import { Level } from "./settings_values.js"
 */

import { button, byId, element } from "./dom.js";
import { icon } from "./icons.js";
import { openMenu } from "./menu.js";
import { strings } from "./strings.js";

const words = strings.thinking;
const { levels } = strings.settings.effort;

/** @param {App} app */
export function mount(app) {
  const { settings } = app;
  const toggle = button("quiet thinks", "", () => act());
  const label = element("span", "");
  toggle.id = "think";
  toggle.append(icon("thought"), label);
  byId("attach").after(toggle);

  /** As it is now. */
  const state = () => {
    const { can } = settings;
    const { thinks, effort } = settings.of(app.conversation);
    const canSwitch = can.thinking !== "fixed";
    const byItself = can.thinking === "free" ? undefined : can.thinking !== "off"; // undefined: nobody knows
    const level = effort && can.efforts.includes(effort) ? effort : can.effort;
    return {
      canSwitch,
      efforts: /** @type {Level[]} */ (can.efforts),
      isOn: canSwitch ? (thinks ?? byItself) : true,
      level,
    };
  };
  const show = () => {
    const { canSwitch, efforts, isOn, level } = state();
    const hasMenu = efforts.length > 0;
    const isFixed = settings.isFixed("thinks") || settings.isFixed("effort");
    toggle.hidden = !app.ready || isFixed || (!canSwitch && !hasMenu);
    label.textContent = hasMenu && isOn && level ? words.level(levels[/** @type {Level} */ (level)]) : words.label;
    toggle.title = words.explained;
    toggle.classList.toggle("on", isOn === true);
    for (const name of ["aria-pressed", "aria-haspopup", "aria-expanded"]) toggle.removeAttribute(name);
    if (hasMenu) {
      toggle.setAttribute("aria-haspopup", "menu");
      toggle.setAttribute("aria-expanded", "false");
    } else {
      toggle.setAttribute("aria-pressed", isOn === undefined ? "mixed" : String(isOn));
    }
  };
  const set = (/** @type {{thinks?: boolean, effort?: Level}} */ chosen) => settings.set(chosen, app.conversation);
  const act = () => {
    const { canSwitch, efforts, isOn, level } = state();
    if (!efforts.length) return set({ thinks: !isOn });
    const chosen = isOn === false ? "off" : level;
    const row = (/** @type {string} */ name, /** @type {string} */ text, /** @type {() => void} */ act) => {
      return { label: text, icon: name === chosen ? "done" : "none", act };
    };
    openMenu(toggle, [
      ...(canSwitch ? [row("off", words.off, () => set({ thinks: false }))] : []),
      ...efforts.map((effort) =>
        row(effort, words.level(levels[effort]), () => set({ ...(canSwitch && { thinks: true }), effort })),
      ),
    ]);
  };
  for (const event of ["ready", "model", "entered"]) app.addEventListener(event, show);
  settings.addEventListener("change", show);
  show();
}
