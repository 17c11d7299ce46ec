/**
 * A graphics processor that is lost (its driver was reset or updated, the device slept, it was busy for too long), and a
 * worker that hangs, take the model with them, not the conversation: it is loaded again by itself, once in a while.
 *
 * @import { App } from "./app.js"
 * @import { EngineError } from "./engine.js"
 */

import { strings } from "./strings.js";

/** Lost again so soon, loading by itself would only go in circles. In milliseconds. */
const AGAIN = 60_000;

/** @param {App} app */
export function mount(app) {
  let last = -Infinity;
  app.addEventListener("failed", (event) => {
    const { stage } = /** @type {EngineError} */ (/** @type {CustomEvent} */ (event).detail);
    if ((stage !== "gpu" && stage !== "hung") || !app.model || performance.now() - last < AGAIN) return;
    last = performance.now();
    event.preventDefault();
    app.toast(stage === "gpu" ? strings.lost : strings.hung);
    app.load(app.model);
  });
}
