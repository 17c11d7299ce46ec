/** The libraries in lib/, each loaded when it is first needed: the page is painted and the model loads without them. */

import { address } from "../shared/site.js";

/**
 * @template T
 * @param {() => Promise<T>} load
 * @returns {() => Promise<T>} loads once; again after a failure
 */
export function once(load) {
  /** @type {Promise<T> | null} */
  let loading = null;
  return () => (loading ??= load().catch((error) => ((loading = null), Promise.reject(error))));
}

export const markdown = once(async () => {
  const [marked] = await Promise.all([import("../lib/marked.esm.js"), import("../lib/purify.min.js")]);
  return { marked, purify: globalThis.DOMPurify };
});

export const highlighter = once(async () => (await import("../lib/highlight.min.js")).default);

export const formulas = once(async () => {
  const sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.href = address("lib/katex.min.css");
  const styled = new Promise((resolve, reject) => {
    sheet.onload = resolve;
    sheet.onerror = () => reject(new Error("lib/katex.min.css could not be loaded"));
  });
  document.head.append(sheet);
  await Promise.all([styled, import("../lib/katex.min.js")]);
  return globalThis.katex;
});

export const idb = once(() => import("../lib/idb.js"));
