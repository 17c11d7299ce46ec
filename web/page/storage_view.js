/**
 * The dialog of storage: what takes how much of this device, and the way to be rid of each. What it shows is made when
 * it is opened first (storage_rows.js).
 *
 * @import { App } from "./app.js"
 */

import { Dialog } from "./dialog.js";
import { button, element } from "./dom.js";
import { strings } from "./strings.js";

const words = strings.storage;

/** @param {App} app opens it by the event "storage" */
export function mount(app) {
  const dialog = new Dialog("storage", words.title, { opened: draw });
  let drawing = 0;
  async function draw() {
    const mine = ++drawing;
    const { rowsOf } = await import("./storage_rows.js");
    const rows = await rowsOf(app, draw);
    if (mine !== drawing) return; // it is drawn anew already
    const focused = dialog.body.contains(document.activeElement);
    dialog.body.replaceChildren(...rows);
    if (focused) dialog.body.querySelector("button")?.focus();
  }
  const show = () => {
    const row = element("div", "field-row");
    row.append(
      element("p", "name", words.title),
      button("quiet", words.show, () => dialog.open()),
      element("p", "help", words.explained),
    );
    return row;
  };
  app.settings.sections.push({ group: "general", show });
  app.addEventListener("storage", () => dialog.open());
}
