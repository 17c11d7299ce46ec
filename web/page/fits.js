/**
 * Whether a model fits this device. No browser says how much memory its GPU has. What is known: what a model took that
 * was loaded here, what the GPU gave or refused when it was asked, and hints, which are taken for less than they may mean.
 *
 * @typedef {"fits" | "tight" | "large"} Fit
 *
 * @typedef {object} Known of earlier visits
 * @property {number} given so many bytes
 * @property {number} refused so many; 0: it never has
 * @property {Record<string, number>} measured what models took, by their addresses
 */

import { recallJson, remember, whenChanged } from "./remembered.js";

const KEY = "gpu room";
/** The most that a browser may tell as navigator.deviceMemory where there is more. */
const CAP = 8;
/** Of the device's memory, what a model can have beside all else; and what is worth a try: more, where the browser may
 * tell less than there is. */
const [SAFE, BOLD, BOLDER] = [0.5, 0.8, 3];

let known = read();
whenChanged(KEY, () => (known = read()));
let hint = { safe: 0, bold: Infinity };

/** @type {Promise<void> | undefined} */
let looked;

/** Look at the device, once, before `fitOf` is asked. */
export function lookAtDevice() {
  return (looked ??= look());
}

async function look() {
  const memory = /** @type {any} */ (navigator).deviceMemory * 2 ** 30;
  if (memory) {
    hint = { safe: SAFE * memory, bold: (memory < CAP * 2 ** 30 ? BOLD : BOLDER) * memory };
    return;
  }
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  if (adapter) hint.safe = Math.min(adapter.limits.maxBufferSize, 2 ** 31);
}

/** @param {number} memory that a model takes on the GPU @returns {Fit} */
export function fitOf(memory) {
  if (memory <= known.given) return "fits";
  if (known.refused && memory >= known.refused) return "large";
  if (memory <= hint.safe) return "fits";
  return memory <= hint.bold ? "tight" : "large";
}

/**
 * What a model takes on the GPU: as it was measured here, or about a tenth more than its file and what is always there.
 *
 * @param {{url?: string, bytes?: number, memory?: number}} model
 */
export function memoryOf({ url = "", bytes = 0, memory }) {
  return known.measured[url] ?? memory ?? (bytes && 1.1 * bytes + 1e8);
}

/** @param {string | undefined} url of a model that was loaded @param {number} bytes that it takes on the GPU */
export function measured(url, bytes) {
  if (url) known.measured[url] = bytes;
  asked(bytes, true);
}

/** @param {number} bytes @param {boolean} enough whether the GPU gave so many */
export function asked(bytes, enough) {
  if (enough) known.given = Math.max(known.given, bytes);
  else known.refused = Math.min(known.refused || Infinity, bytes);
  if (known.given >= known.refused) known[enough ? "refused" : "given"] = 0; // other programs come and go
  remember(KEY, JSON.stringify(known));
}

/** @returns {Known} */
function read() {
  const { given, refused, measured } = Object(recallJson(KEY));
  const number = (/** @type {unknown} */ value) => (typeof value === "number" && value > 0 ? value : 0);
  const entries = Object.entries(Object(measured)).filter(([, bytes]) => number(bytes));
  return { given: number(given), refused: number(refused), measured: Object.fromEntries(entries) };
}
