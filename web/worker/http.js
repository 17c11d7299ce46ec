/**
 * What servers are asked for a file's bytes, and what their answers say of the file.
 *
 * @import { Kept, Version } from "../shared/kept.js"
 * @import { ModelSource } from "../shared/protocol.js"
 *
 * @typedef {{url: string, start: number, end?: number}} Part of a file: the bytes from `start` up to `end` of it
 */

import { Failure } from "../shared/failure.js";
import { duration } from "../shared/format.js";
import { unreachable } from "./reach.js";

/** Waits before asking again, after a connection broke without having brought anything. In milliseconds. */
export const RETRY_AFTER = [500, 1000, 2000, 4000];
/** What answers mean to which asking again is no help. @type {Record<number, string>} */
const MEANING = {
  401: "it gives the file to those alone who have signed in",
  403: "it does not give the file to everyone",
  404: "it does not have the file",
  410: "it does not have the file any more",
};
/** The longest that a busy server's own wish is waited for. In milliseconds. */
const LONGEST_WAIT = 30_000;
/** How long a kept copy waits to hear from its server whether it is still the current one. In milliseconds. */
export const CHECK_WITHIN = 3000;

/**
 * @param {Part[]} parts
 * @param {number} offset
 */
export function partAt(parts, offset) {
  return /** @type {Part} */ (parts.findLast(({ start }) => start <= offset));
}

/**
 * Request a file from a byte on, patiently: a connection that fails and a server that is busy are asked again.
 *
 * @param {string} name
 * @param {Part[]} parts
 * @param {number} offset
 * @param {Version} version what the bytes before belong to
 * @param {AbortSignal} signal
 * @returns {Promise<Response>} to its end or that of the part; 200, 206, or 416 when there is no such byte
 */
export async function ask(name, parts, offset, version, signal) {
  const { url, start } = partAt(parts, offset);
  const from = offset - start;
  // Of ranges, be they the whole, browsers want the bytes as they are, and so with their number: not compressed.
  /** @type {Record<string, string>} */
  const headers = { Range: `bytes=${from}-` };
  if (from) {
    const validator = version.etag?.startsWith('"') ? version.etag : version.modified;
    // Another origin would have to allow this header beforehand; there `continues` alone decides.
    if (validator && new URL(url).origin === location.origin) headers["If-Range"] = validator;
  }
  const failed = `${name} could not be downloaded`;
  for (let failures = 0; ; failures++) {
    let problem;
    let wish = 0;
    try {
      const response = await fetch(url, { headers, signal, cache: "no-store" });
      const { status, statusText } = response;
      if (status === 200 || status === 206 || (from && status === 416)) return response;
      if (status === 416 && headers.Range) {
        delete headers.Range; // which it does not know how to do
        continue;
      }
      problem = `the server answered ${`${status} ${statusText}`.trim()}`;
      const meaning = MEANING[status] ? `: ${MEANING[status]}` : "";
      if (status < 500 && status !== 429) throw new Failure(`${failed}: ${problem}${meaning}.`);
      wish = wishOf(response);
      if (wish > LONGEST_WAIT)
        throw new Failure(`${failed}: ${problem}. It wants to be asked again in ${duration(wish / 1000)}.`);
    } catch (error) {
      if (signal.aborted || error instanceof Failure) throw error;
      if (!from) delete headers.Range; // another origin may not allow it
    }
    if (failures === RETRY_AFTER.length)
      throw new Failure(`${failed}: ${problem ?? (await unreachable(url, signal))}.`);
    await pause(Math.max(wish, RETRY_AFTER[failures]), signal);
  }
}

/** @param {Response} response of a busy server @returns {number} the milliseconds after which it wants to be asked again */
function wishOf({ headers }) {
  const told = headers.get("retry-after") ?? "";
  const wait = /^\d+$/.test(told) ? 1000 * Number(told) : Date.parse(told) - Date.now();
  return wait > 0 ? wait : 0;
}

/** @param {Response} response */
export function isPage({ headers }) {
  return headers.get("content-type")?.startsWith("text/html") ?? false;
}

/**
 * What a download from the beginning on is to be.
 *
 * @param {ModelSource} source
 * @param {Response} response
 * @param {Version} old of which something is kept, or was before
 * @returns {Version}
 */
export function versionToKeep({ name, parts, bytes, sha256 }, response, old) {
  const { first, size } = extentOf(response, 0);
  if (first !== 0) throw new Failure(`${name} could not be downloaded: its server sends other bytes than its first.`);
  if (parts) return { size: bytes, sha256 };
  const told = { ...versionOf(response), size: hidesCompression(response) ? undefined : size };
  return { ...told, sha256: sha256 ?? (isSame(told, old) ? old.sha256 : undefined) };
}

/**
 * @param {Response} response to a request for the whole file
 * @returns {Version}
 */
function versionOf({ headers }) {
  // A compressed answer's length is not the file's, and its ranges are not the file's either.
  const length = headers.has("content-encoding") ? null : headers.get("content-length");
  return {
    size: length === null ? undefined : Number(length),
    etag: headers.get("etag") ?? undefined,
    modified: headers.get("last-modified") ?? undefined,
  };
}

/**
 * Whether an answer goes on with the file whose first `at` bytes are here.
 *
 * @param {Response} response
 * @param {Part[]} parts
 * @param {number} offset
 * @param {Version} version
 */
export function continues(response, parts, offset, version) {
  const { start, end } = partAt(parts, offset);
  const { first, size } = extentOf(response, offset - start);
  if (first !== offset - start) return false;
  // Without a size one can't tell. The beginning of a part may do without, if it says that it is nothing else.
  if (size === undefined && (offset > start || isPage(response))) return false;
  // Of a part, its length is what the site says of it.
  if (end !== undefined) return isSame({ size }, { size: end - start });
  return isSame({ ...versionOf(response), size }, version);
}

/**
 * @param {Response} response to a request for a file's bytes from the given one on
 * @param {number} from
 * @returns {{first?: number, size?: number}} which is the first that it brings, and how many the file has, as far as it
 *   tells
 */
function extentOf(response, from) {
  const { size: length } = versionOf(response);
  if (response.status === 200) return { first: 0, size: length };
  if (response.status !== 206) return {};
  // Many servers hide this header from pages of other origins; the length they can't hide.
  const range = response.headers.get("content-range");
  if (range === null) return { first: from, size: length === undefined ? undefined : from + length };
  const [, first, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(range) ?? [];
  const isTold = total !== "*" && !response.headers.has("content-encoding");
  return { first: Number(first), size: isTold ? Number(total) : undefined };
}

/**
 * Whether a whole answer may be compressed, its length another than the file's: of another origin, that can be hidden.
 *
 * @param {Response} response
 */
function hidesCompression({ status, type }) {
  return status === 200 && type === "cors";
}

/**
 * @param {Version} a
 * @param {Version} b
 * @returns {boolean} nothing that both know differs
 */
function isSame(a, b) {
  const strong = (/** @type {string | undefined} */ etag) => etag?.replace(/^W\//, "");
  return [
    [a.size, b.size],
    [strong(a.etag), strong(b.etag)],
    [a.modified, b.modified],
  ].every(([x, y]) => x === undefined || y === undefined || x === y);
}

/**
 * @param {string} url
 * @param {Kept} kept
 * @param {AbortSignal} signal
 * @param {string} [sha256] that the file is to have by now
 * @returns {Promise<boolean>} false only if it is known that the file is another one now
 */
export async function isCurrent(url, kept, signal, sha256) {
  if (sha256 && kept.sha256) return sha256 === kept.sha256;
  try {
    const check = under(signal);
    setTimeout(() => check.abort(), CHECK_WITHIN);
    const headers = { Range: "bytes=0-" }; // as `ask` does
    const response = await fetch(url, { method: "HEAD", headers, signal: check.signal, cache: "no-store" });
    if (!response.ok || isPage(response)) return true; // a login page says nothing of the file
    const now = versionOf(response);
    const isMarked = (now.etag && kept.etag) || (now.modified && kept.modified);
    return isSame(isMarked && hidesCompression(response) ? { ...now, size: undefined } : now, kept);
  } catch {
    return true; // without a network, or with a slow one, the kept copy is what there is
  }
}

/**
 * AbortSignal.any, which the oldest browsers with WebGPU lack.
 *
 * @param {AbortSignal} [signal]
 * @returns {AbortController} aborted when that is
 */
export function under(signal) {
  const abort = new AbortController();
  signal?.addEventListener("abort", () => abort.abort());
  if (signal?.aborted) abort.abort();
  return abort;
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 */
export async function pause(milliseconds, signal) {
  signal.throwIfAborted();
  await new Promise((resolve, reject) => {
    setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => reject(signal.reason));
  });
}
