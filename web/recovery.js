/**
 * A graphics processor that is lost (its driver was reset or updated, the device slept, it was busy for too long) takes
 * the model with it, not the conversation: the model is loaded again by itself, once in a while.
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
    if (stage !== "gpu" || !app.model || performance.now() - last < AGAIN) return;
    last = performance.now();
    event.preventDefault();
    app.toast(strings.lost);
    app.load(app.model);
  });
}
