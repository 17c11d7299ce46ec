/**
 * What can be done about a download: let it rest, go on, give it up. In the panel of loading.js, while one is under way.
 *
 * @import { App } from "./app.js"
 * @import { Progress } from "../shared/protocol.js"
 */

import { button, byId, element } from "./dom.js";
import { strings } from "./strings.js";

/** @param {App} app */
export function mount(app) {
  const acts = element("div", "acts");
  const rest = button("quiet", strings.models.pause, () => {
    paused = !paused;
    app.pause(paused);
    show(true);
  });
  let paused = false;

  /** @param {boolean} running */
  const show = (running) => {
    paused &&= running;
    acts.hidden = !running;
    rest.textContent = paused ? strings.models.goOn : strings.models.pause;
  };

  app.addEventListener("progress", (event) => {
    const { stage, loaded, total } = /** @type {Progress} */ (/** @type {CustomEvent} */ (event).detail);
    if (stage === "download") show(!total || loaded < total);
  });
  for (const type of ["model", "ready", "failed"]) app.addEventListener(type, () => show(false));

  acts.append(
    rest,
    button("quiet", strings.models.stop, () => app.engine?.cancel()),
  );
  byId("loading").append(acts);
  show(false);
}
