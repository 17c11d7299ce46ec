/**
 * The models that can be chosen: the site's own, those suggested, and what else is kept on this device; and how one of
 * them is shown in a list.
 *
 * @import { App } from "./app.js"
 * @import { KeptModel } from "../shared/kept.js"
 * @import { ModelSource } from "../shared/protocol.js"
 *
 * @typedef {object} Offer a model that can be chosen
 * @property {string} name
 * @property {string} [purpose] what it is good for, in words
 * @property {string} [url] by which its copy on this device is known
 * @property {() => Promise<ModelSource>} source rejected with an EngineError when it can't be had
 * @property {number} [bytes]
 * @property {number} [memory] that it takes on the GPU, where that is known
 * @property {string} [licence]
 * @property {KeptModel} [kept]
 * @property {boolean} [helps] nobody can chat with it: it searches files
 */

import { searchModel, siteModels } from "./choice.js";
import { element } from "./dom.js";
import { fitOf, memoryOf } from "./fits.js";
import { isOpen } from "./house.js";
import { about, bytes } from "../shared/format.js";
import { addressOf, nameOf, split } from "../shared/reference.js";
import { strings } from "./strings.js";
import { suggested } from "./suggested.js";

const words = strings.models;

/**
 * @param {App} app
 * @param {KeptModel[]} kept
 * @returns {Offer[]}
 */
export function offersOf(app, kept) {
  const { site } = app;
  /** @type {Offer[]} */
  const own = (site ? siteModels(site) : []).map((model, index) => ({
    ...{ ...model, licence: site?.models[index].license, purpose: words.ofSite },
    source: async () => model,
  }));
  /** @type {Offer[]} */
  const hub = (isOpen(site) ? suggested : []).map(({ reference, purpose, ...about }) => ({
    ...{ ...about, purpose: words.purposes[purpose], url: addressOf(reference) ?? undefined },
    source: () => app.workingEngine.resolve(reference),
  }));
  /** @type {Offer[]} */
  const others = [];
  for (const model of kept) {
    const known = [...own, ...hub].find(({ url }) => url === model.url);
    const helps = model.url === searchModel(site).url;
    if (known) known.kept = model;
    else if (isOpen(site)) {
      const about = { ...model, bytes: model.whole ? model.bytes : undefined, kept: model };
      others.push({ ...about, ...(helps && { helps, purpose: words.helps }), source: async () => keptSource(model) });
    }
    // A whole copy needs no question to the hub, and so no network.
    if (known && model.whole && hub.includes(known)) known.source = async () => keptSource(model);
  }
  return [...own, ...others, ...hub];
}

/**
 * @param {File[]} files all those of one model
 * @returns {Offer}
 */
export function offerOfFiles(files) {
  const [first, ...rest] = files
    .toSorted((a, b) => a.name.localeCompare(b.name))
    .map((file) => ({ name: nameOf(file.name), file }));
  return { name: "", source: async () => (rest.length ? { ...first, rest } : first) };
}

/** @param {KeptModel} model @returns {ModelSource} */
function keptSource({ name, url }) {
  const rest = split(url).slice(1);
  return { name, url, ...(rest.length && { rest: rest.map((part) => ({ name, url: part, model: url })) }) };
}

/** Its size and whether it fits, to stand in a row. @param {{url?: string, bytes?: number, memory?: number}} model */
export function sizeAndFit(model) {
  const size = element("p", "size", model.bytes ? bytes(model.bytes) : "");
  const memory = memoryOf(model);
  if (!memory) return [size, element("p", "fit")];
  const level = fitOf(memory);
  const fit = element("p", "fit", words.fit[level]);
  fit.dataset.level = level;
  fit.title = words.fitWhy[level](about(memory));
  return [size, fit];
}
