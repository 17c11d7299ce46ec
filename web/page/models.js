/**
 * The ways to another model: the buttons that open their list (models_dialog.js, loaded when it is first opened), files
 * dropped on the page, and the app's event "choose" (its detail an Offer). And what is remembered of one that was loaded.
 *
 * @import { App } from "./app.js"
 */

import { rememberChoice } from "./choice.js";
import { button, byId } from "./dom.js";
import { isOpen } from "./house.js";
import { once } from "./libraries.js";
import { strings } from "./strings.js";

const words = strings.models;

/** @param {App} app */
export function mount(app) {
  const dialog = once(async () => new (await import("./models_dialog.js")).Models(app));
  const open = async () => (await dialog()).open();
  for (const id of ["model-button", "models-button"]) byId(id).addEventListener("click", open);
  app.addEventListener("choose", async (event) => (await dialog()).choose(/** @type {CustomEvent} */ (event).detail));
  byId("problem")
    .querySelector(".choices")
    ?.append(button("quiet", words.chooseOther, open));
  /** Files of models dropped anywhere on the page; others are not ours. */
  const drop = async (/** @type {DragEvent} */ event) => {
    const files = [...(event.dataTransfer?.files ?? [])];
    if (!files.length || !files.every(({ name }) => name.toLowerCase().endsWith(".gguf")) || !isOpen(app.site)) return;
    event.preventDefault();
    (await dialog()).chooseFiles(files);
  };
  document.addEventListener("drop", drop, { capture: true });
  app.addEventListener("ready", async () => {
    const { model, ready } = app;
    if (!model || !ready) return;
    rememberChoice(model);
    if (!ready.kept) app.toast(words.notKept(model.name));
    (await import("./fits.js")).measured(model.url, ready.gpu_bytes);
  });
}
