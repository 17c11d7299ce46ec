/**
 * What the build says of this site: site.json. For the page and the worker.
 *
 * @typedef {object} Site all addresses in it are relative to the site
 * @property {string} title
 * @property {string} system_prompt what the model is told before a conversation, unless the visitor says otherwise
 * @property {SiteModel[]} models
 * @property {SiteModel} [embedding] the model with which long files are searched
 * @property {string[]} architectures of models that run here and can be talked to
 * @property {string[]} wheels what micropip installs, in order
 * @property {string} [tools] the module of the owner's functions that the model may call
 * @property {string} [logo] the owner's picture
 * @property {string} [greeting] instead of the page's own
 * @property {string[]} [suggestions] of questions, likewise
 * @property {boolean} [other_models] false: visitors use the site's own alone
 * @property {HouseSettings} [settings]
 * @property {{text: string, url: string}[]} [links] at the foot of the page
 * @property {string} version changes whenever any file but a model does
 * @property {string[]} files every one but the models
 *
 * @typedef {object} HouseSettings what the owner has set, by the names of the page's settings
 * @property {Record<string, any>} defaults where the visitor sets nothing
 * @property {string[]} [locked] shown, and not to be changed
 * @property {string[]} [hidden] not even shown
 *
 * @typedef {object} SiteModel
 * @property {string} name
 * @property {string} url
 * @property {{url: string, bytes: number}[]} [parts] pieces that it lies in, where the build split it
 * @property {number} bytes
 * @property {string} sha256
 * @property {string} [license]
 */

import { Failure } from "./failure.js";

/**
 * @param {string} path relative to the site
 * @returns {string} its address, whatever page has loaded this
 */
export function address(path) {
  return new URL(path, new URL("../", import.meta.url)).href;
}

/** @param {string} text @returns {string | null} as `address` has it; null: it is none, as "https://" is */
export function addressOrNull(text) {
  try {
    return address(text);
  } catch {
    return null;
  }
}

/**
 * @returns {Promise<Site>}
 * @throws {Failure} the server does not send it, or something else in its place
 */
export async function readSite() {
  let response;
  try {
    response = await fetch(address("site.json"));
  } catch {
    throw new Failure("there is no connection to its server");
  }
  if (!response.ok) throw new Failure(`the server answered ${response.status} for site.json`);
  const site = await response.json().catch(() => null);
  if (!isSite(site)) throw new Failure("what the server sends as site.json is not what the build made");
  return site;
}

/** @param {any} data @returns {data is Site} as far as a page can't do without */
function isSite(data) {
  const isText = (/** @type {unknown} */ value) => typeof value === "string";
  const isList = (/** @type {any} */ value, /** @type {(item: any) => boolean} */ fits) =>
    Array.isArray(value) && value.length > 0 && value.every(fits);
  const isPart = (/** @type {any} */ part) => isText(part?.url) && Number.isFinite(part.bytes);
  return (
    isText(data?.title) &&
    isList(data.wheels, isText) &&
    isList(data.models, (model) => {
      const { name, url, parts } = Object(model);
      return isText(name) && isText(url) && (parts === undefined || isList(parts, isPart));
    })
  );
}
