/**
 * Which model a visit begins with: the one that the page's address names (`?model=`), else the one chosen last, else
 * the site's first.
 *
 * @import { Engine } from "./engine.js"
 * @import { ModelSource } from "../shared/protocol.js"
 * @import { Site } from "../shared/site.js"
 */

import { HUB } from "../shared/reference.js";
import { address, addressOrNull } from "../shared/site.js";
import { isOpen } from "./house.js";
import { recallJson, remember } from "./remembered.js";

/** Of the origin's storage: sites in other folders have names of their own. */
const REMEMBERED = `py_wgml model ${new URL("./", location.href).pathname}`;

/**
 * @param {Site} site
 * @param {Engine} engine
 * @returns {Promise<ModelSource>} rejected with an EngineError when the address names no model
 */
export async function firstModel(site, engine) {
  const named = new URLSearchParams(location.search).get("model");
  const own = siteModels(site);
  const last = remembered();
  const wanted = named
    ? own.find(({ name, url }) => name === named || url === addressOrNull(named))
    : own.find(({ url }) => url === last?.url); // what the site says now goes before
  if (wanted) return wanted;
  if (!isOpen(site)) return own[0];
  return named ? engine.resolve(named) : (last ?? own[0]);
}

/** @param {Pick<Site, "models">} site @returns {ModelSource[]} the site's own models, their addresses absolute */
export function siteModels({ models }) {
  return models.map(({ name, url, parts, bytes, sha256 }) => ({
    ...{ name, url: address(url), bytes, sha256 },
    parts: parts?.map((part) => ({ ...part, url: address(part.url) })),
  }));
}

/** all-MiniLM-L6-v2 in 8 bit, Apache-2.0. */
const SEARCHES = {
  name: "all-MiniLM-L6-v2",
  url: `${HUB}/second-state/All-MiniLM-L6-v2-Embedding-GGUF/resolve/main/all-MiniLM-L6-v2-Q8_0.gguf`,
};

/** What files are searched with: the site's own, or else one from Hugging Face. @param {Site | null} site @returns {ModelSource} */
export function searchModel(site) {
  return site?.embedding ? siteModels({ models: [site.embedding] })[0] : SEARCHES;
}

/** Begin with this model the next time, if it can be had again. @param {ModelSource} model */
export function rememberChoice(model) {
  if (!model.file) remember(REMEMBERED, JSON.stringify(model));
}

/** Begin with the site's first model again. */
export function forgetChoice() {
  remember(REMEMBERED, null);
}

/** @returns {ModelSource | null} */
function remembered() {
  const model = /** @type {any} */ (recallJson(REMEMBERED));
  return typeof model?.url === "string" && typeof model.name === "string" ? model : null;
}
