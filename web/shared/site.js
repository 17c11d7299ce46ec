/**
 * What the build says of this site: site.json. For the page and the worker.
 *
 * @import { Site } from "./protocol.js"
 */

import { Failure } from "./failure.js";

/**
 * @param {string} path relative to the site
 * @returns {string} its address, whatever page has loaded this
 */
export function address(path) {
  return new URL(path, new URL("../", import.meta.url)).href;
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
