/**
 * A graphics processor that is lost (its driver was reset or updated, the device slept, it was busy for too long), and a
 * worker that hangs, take the model with them, not the conversation: it is loaded again by itself, once. What fails again
 * before an answer has ended would only go in circles: it is the visitor who tries again then.
 *
 * @import { App } from "./app.js"
 * @import { EngineError } from "./engine.js"
 */

import { strings } from "./strings.js";

/** @param {App} app */
export function mount(app) {
  let isTried = false;
  app.addEventListener("answered", () => (isTried = false));
  app.addEventListener("failed", (event) => {
    const { stage } = /** @type {EngineError} */ (/** @type {CustomEvent} */ (event).detail);
    if ((stage !== "gpu" && stage !== "hung") || !app.model || isTried) return;
    isTried = true;
    event.preventDefault();
    app.toast(stage === "gpu" ? strings.lost : strings.hung);
    app.load(app.model);
  });
}
