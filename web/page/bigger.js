/**
 * What a small model is good at, and a way to a better one by one click: the largest of those offered that fits this
 * device, and comes in minutes.
 *
 * @import { App } from "./app.js"
 */

import { button, byId, element } from "./dom.js";
import { isOpen } from "./house.js";
import { bytes } from "../shared/format.js";
import { keptModels } from "../shared/kept.js";
import { strings } from "./strings.js";

/** A model of fewer parameters is small; one that is bigger is at least so many times its size. */
const [SMALL, TIMES] = [6e8, 2];
/** So much is downloaded while one waits. */
const MOST = 1.5e9;

/** @param {App} app */
export function mount(app) {
  const root = byId("bigger");
  app.addEventListener("model", () => (root.hidden = true));
  app.addEventListener("ready", async () => {
    const { ready, model } = app;
    root.hidden = true;
    if (!ready || !model || ready.model.parameters >= SMALL || !isOpen(app.site)) return;
    const [kept, { offersOf }, fits] = await Promise.all([keptModels(), import("./offers.js"), import("./fits.js")]);
    await fits.lookAtDevice();
    const offers = offersOf(app, kept).filter((offer) => {
      const { bytes: size = 0, kept } = offer;
      return (
        size > TIMES * ready.model.file_bytes &&
        (size < MOST || kept?.whole) &&
        fits.fitOf(fits.memoryOf(offer)) === "fits"
      );
    });
    const best = offers.toSorted((a, b) => (b.bytes ?? 0) - (a.bytes ?? 0))[0];
    if (app.ready !== ready) return; // another one has come
    const text = element("span", "", strings.welcome.small(model.name));
    root.replaceChildren(text);
    if (best) {
      const choose = () => app.dispatchEvent(new CustomEvent("choose", { detail: best }));
      root.append(button("quiet", strings.welcome.bigger(best.name, bytes(best.bytes ?? 0)), choose));
    }
    root.hidden = false;
  });
}
