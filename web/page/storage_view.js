/**
 * The dialog of storage: what takes how much of this device, and the way to be rid of each. What it shows is made when
 * it is opened first (storage_rows.js).
 *
 * @import { App } from "./app.js"
 */

import { Dialog } from "./dialog.js";
import { strings } from "./strings.js";

/** @param {App} app opens it by the event "storage" */
export function mount(app) {
  const dialog = new Dialog("storage", strings.storage.title, { opened: draw });
  async function draw() {
    const { rowsOf } = await import("./storage_rows.js");
    const focused = dialog.body.contains(document.activeElement);
    dialog.body.replaceChildren(...(await rowsOf(app, draw)));
    if (focused) dialog.body.querySelector("button")?.focus();
  }
  app.addEventListener("storage", () => dialog.open());
}
