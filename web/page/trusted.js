/**
 * What the pages let into places from which something could run: markup, and the addresses of workers. Their
 * Content-Security-Policy asks for Trusted Types there, and knows this one policy, which never leaves this module.
 * Browsers without Trusted Types get plain text instead, checked likewise.
 *
 * @import { Config, DOMPurify } from "dompurify"
 */

import { address } from "../shared/site.js";

const WORKERS = ["worker/worker.js", "sw.js", "lib/pdf.worker.min.mjs"].map(address);
/** It vouches for what it is given: the functions below look first. */
const RULES = {
  createHTML: (/** @type {string} */ html) => html,
  createScriptURL: (/** @type {string} */ address) => address,
};
/** All that highlight.js makes: the code itself is escaped. */
const COLOURS = /<span class="[\w -]*">|<\/span>/g;

const policy = policyOf(window.trustedTypes);

/**
 * @param {TrustedTypePolicyFactory} [factory]
 * @returns {Pick<TrustedTypePolicy, "createHTML" | "createScriptURL"> | undefined} none where another site's page,
 *   which loads the engine alone, allows none
 */
function policyOf(factory) {
  try {
    return factory?.createPolicy("py_wgml", RULES);
  } catch {
    return undefined;
  }
}

/**
 * @param {DOMPurify} purify which parses HTML where nothing runs
 * @param {Config} config what is let through
 * @returns {(html: string) => DocumentFragment} for HTML that may hold anything
 */
export function purifier(purify, config) {
  const trusted = policy && { TRUSTED_TYPES_POLICY: /** @type {TrustedTypePolicy} */ (policy) };
  const whole = { ...config, ...trusted, RETURN_DOM_FRAGMENT: true }; // read once, as long as it is the same object
  return (html) => purify.sanitize(html, /** @type {Config & {RETURN_DOM_FRAGMENT: true}} */ (whole));
}

/**
 * Show what highlight.js made of some code.
 *
 * @param {Element} element
 * @param {string} html
 */
export function showColoured(element, html) {
  if (html.replace(COLOURS, "").includes("<")) throw new TypeError("That is more than coloured code.");
  element.innerHTML = /** @type {string} */ (/** @type {unknown} */ (policy?.createHTML(html) ?? html));
}

/**
 * @param {string} html that may hold anything
 * @returns {Document} that is in no page: nothing runs in it, and only its text is looked at
 */
export function inert(html) {
  const trusted = /** @type {string} */ (/** @type {unknown} */ (policy?.createHTML(html) ?? html));
  return new DOMParser().parseFromString(trusted, "text/html");
}

/**
 * @param {string} name of one of this site's workers, with a query perhaps
 * @returns {string} its address, as `new Worker` and `serviceWorker.register` take it
 */
export function workerAddress(name) {
  const found = address(name);
  if (!WORKERS.includes(found.replace(/\?.*/, ""))) throw new TypeError(`${name} is no worker of this site.`);
  return /** @type {string} */ (/** @type {unknown} */ (policy?.createScriptURL(found) ?? found));
}
