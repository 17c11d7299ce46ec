/**
 * How its makers would have a model from Hugging Face sampled, where the file itself says nothing of that: the hub is asked
 * once, and what it said is kept on this device.
 *
 * @import { App } from "./app.js"
 */

import { recallJson, remember } from "./remembered.js";
import { valuesOf } from "./settings_values.js";
import { placeOf } from "../shared/reference.js";

const KEY = "generation configs"; // by repository, each as the page's own settings are
/** @type {(keyof import("./settings_values.js").Values)[]} */
const NAMES = ["temperature", "top_k", "top_p", "min_p", "repetition_penalty"];

/** @param {App} app */
export function mount(app) {
  app.addEventListener("ready", async () => {
    const { ready, model, engine } = app;
    const repository = placeOf(model?.url ?? "")?.repository;
    if (!ready || !engine || !repository || ready.recommended.length) return;
    try {
      const known = Object(recallJson(KEY));
      const config = known[repository] ?? recommendedBy(await engine.generationConfig(repository));
      remember(KEY, JSON.stringify({ ...Object(recallJson(KEY)), [repository]: config }));
      if (app.ready === ready) app.settings.recommend(recommendedBy(config));
    } catch {
      // asked again at the next visit; until then it is sampled as any other
    }
  });
}

/** @param {Record<string, unknown>} config @returns {import("./settings_values.js").Values} what of it makes sense */
function recommendedBy(config) {
  const values = valuesOf(Object.fromEntries(NAMES.map((name) => [name, config[name]])));
  return config.do_sample === false ? { ...values, temperature: 0 } : values;
}
