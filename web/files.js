/**
 * Where a model's bytes come from: an address, the copy of it kept on this device, or a file of the visitor's.
 *
 * A download is kept in the origin private file system (OPFS) as it streams by, so that the next visit needs no
 * network, and one that broke off goes on where it stopped (HTTP ranges). Keeping is a service, never a condition:
 * with no such storage, or too little, the model still streams to whoever asked for it. Where its sha256 is known, a
 * download is checked against it.
 *
 * Runs in the worker.
 *
 * @import { Kept, Version } from "./kept.js"
 * @import { ModelSource } from "./protocol.js"
 *
 * @typedef {{url: string, start: number, end?: number}} Part of a file: the bytes from `start` up to `end` of it
 *
 * @typedef {object} Watcher
 * @property {(loaded: number, total: number) => void} [progress] bytes that have arrived, of how many (0: unknown)
 * @property {(error: Error) => void} [error] the bytes will not come; `next` then throws the same
 * @property {number} [ahead] how many bytes it may run ahead of its reader
 */

import { Failure } from "./failure.js";
import { Gate } from "./gate.js";
import { Keeper } from "./keeper.js";
import { keptCopy, storage } from "./kept.js";
import { startSum } from "./sum.js";

const MIB = 2 ** 20;
/** The largest piece handed out. */
const CHUNK = 4 * MIB;
/** How far downloads run ahead of their reader: what arrives while Python still starts. */
export const AHEAD = 64 * MIB;
/** What every GGUF file begins with: "GGUF". */
const MAGIC = [0x47, 0x47, 0x55, 0x46];
/** Waits before asking again, after a connection broke without having brought anything. In milliseconds. */
const RETRY_AFTER = [500, 1000, 2000, 4000];
/** How long a kept copy waits to hear from its server whether it is still the current one. In milliseconds. */
const CHECK_WITHIN = 3000;

/** The bytes of one model, in order, from wherever they come. */
export class ModelFile {
  #reader;
  #abort;
  #keeper;
  #gate;
  /** @type {Uint8Array[]} */
  #seen = [];
  #rewound = false;

  /**
   * @param {string} name
   * @param {number | undefined} size undefined when the server does not tell
   * @param {boolean} cached no byte of it comes from the network
   * @param {AsyncGenerator<Uint8Array>} chunks
   * @param {{ahead: number, keeper?: Keeper | null, gate?: Gate, abort?: () => void}} options ahead: bytes to read
   *   before they are asked for
   */
  constructor(name, size, cached, chunks, { ahead, keeper = null, gate = new Gate(), abort = () => {} }) {
    this.name = name;
    this.size = size;
    this.cached = cached;
    this.#keeper = keeper;
    this.#gate = gate;
    this.#abort = abort;
    /** @type {ReadableStream<Uint8Array>} */
    const stream = new ReadableStream(
      {
        async pull(controller) {
          const { done, value } = await chunks.next();
          if (done) controller.close();
          else controller.enqueue(value);
        },
        async cancel() {
          await chunks.return(undefined);
        },
      },
      { highWaterMark: ahead, size: (chunk) => chunk?.byteLength ?? 0 },
    );
    this.#reader = stream.getReader();
  }

  /** Whether the whole file lies on this device: known once all of it has been read. */
  get kept() {
    return this.cached || (this.#keeper?.complete ?? false);
  }

  /**
   * @returns {Promise<Uint8Array | null>} the next piece, at most 4 MiB; null at the end
   * @throws {Error} one line: the connection broke, the server refused, the length is wrong
   */
  async next() {
    if (this.#rewound && this.#seen.length) return /** @type {Uint8Array} */ (this.#seen.shift());
    const { done, value } = await this.#reader.read();
    if (done) return null;
    if (!this.#rewound) this.#seen.push(value);
    return value;
  }

  /**
   * Start again at byte 0: the pieces handed out so far come once more, then the stream goes on. Once only; from then
   * on pieces are forgotten as they are handed out.
   */
  rewind() {
    this.#rewound = true;
  }

  /** Take nothing more from the network for now, or go on. @param {boolean} paused */
  pause(paused) {
    if (paused) this.#gate.shut();
    else this.#gate.open();
  }

  /** Give up what has not arrived yet. What has been kept so far stays, for the next time. */
  close() {
    this.#abort();
    this.#gate.open();
    this.#reader.cancel().catch(() => {}); // it failed before: its reader has been told
  }
}

/** @type {WeakMap<ModelSource, Promise<ModelFile>>} */
const prefetched = new WeakMap();

/**
 * Begin to open a model whose reader comes later: `open` with the same object takes it over.
 *
 * @param {ModelSource} source
 * @param {Watcher} watcher
 * @returns {Promise<ModelFile>} rejected as `open` is
 */
export function prefetch(source, watcher) {
  const file = start(source, watcher);
  prefetched.set(source, file);
  return file;
}

/**
 * @param {ModelSource} source
 * @returns {Promise<ModelFile>} rejected with an Error of one line when there is no such model to be had
 */
export async function open(source) {
  const file = prefetched.get(source) ?? start(source, {});
  prefetched.delete(source);
  return file;
}

/**
 * @param {ModelSource} source
 * @param {Watcher} watcher
 * @returns {Promise<ModelFile>}
 */
async function start(source, watcher) {
  const { name, url, file, sha256, model = url } = source;
  if (file) return new ModelFile(name, file.size, true, slices(file), { ahead: CHUNK });
  if (!url || !model) throw new Error("A model needs an address or a file.");
  const folder = await storage();
  const copy = folder && (await keptCopy(folder, url));
  // A copy that is no model (a login page that an earlier version kept, bytes that were lost) is asked for again.
  if (copy && (await isModel(copy.file)) && (await isCurrent(url, copy.record, sha256))) {
    return new ModelFile(name, copy.file.size, true, slices(copy.file), { ahead: CHUNK });
  }
  return download(source, folder && (await Keeper.open(folder, { url, name, model, sha256 })), watcher);
}

/**
 * @param {File} file
 * @returns {AsyncGenerator<Uint8Array>}
 */
async function* slices(file) {
  for (let at = 0; at < file.size; at += CHUNK) {
    try {
      yield new Uint8Array(await file.slice(at, at + CHUNK).arrayBuffer());
    } catch {
      throw new Error(`${file.name} can no longer be read: it was changed or removed.`);
    }
  }
}

/**
 * @param {ModelSource} source
 * @param {Keeper | null} keeper
 * @param {Watcher} watcher
 * @returns {Promise<ModelFile>}
 */
async function download(source, keeper, watcher) {
  const { name, sha256 } = source;
  const abort = new AbortController();
  const parts = partsOf(source);
  try {
    let from = keeper?.length ?? 0;
    /** @type {Version} */
    let version = keeper?.record ?? {};
    let response = await ask(name, parts, from, version, abort.signal);
    if (from && !continues(response, parts, from, version)) {
      const isWhole = response.status === 200 && parts.length === 1;
      from = 0;
      if (!isWhole) response = await ask(name, parts, 0, {}, abort.signal);
    }
    if (!from) {
      version = parts.length > 1 ? { size: source.bytes, sha256 } : { ...versionOf(response), sha256 };
      await keeper?.begin(version);
    }
    const gate = new Gate();
    const expected = version.size ?? source.bytes ?? 0;
    const progress = (/** @type {number} */ at) => watcher.progress?.(at, expected);
    const { error, ahead = AHEAD } = watcher;
    const chunks = received({
      ...{ name, parts, from, version, response, keeper, gate, progress, error },
      signal: abort.signal,
    });
    const options = { ahead, keeper, gate, abort: () => abort.abort() };
    return new ModelFile(name, version.size, false, chunks, options);
  } catch (error) {
    keeper?.close();
    throw error;
  }
}

/** @param {ModelSource} source @returns {Part[]} in order; the end of the last is only known where the site tells it */
function partsOf({ url, parts }) {
  if (!parts) return [{ url: /** @type {string} */ (url), start: 0 }];
  let at = 0;
  return parts.map(({ url, bytes }) => ({ url, start: at, end: (at += bytes) }));
}

/**
 * @param {Part[]} parts
 * @param {number} at
 */
function partAt(parts, at) {
  return /** @type {Part} */ (parts.findLast(({ start }) => start <= at));
}

/**
 * What was kept before, then what the network brings, over as many connections as that takes.
 *
 * @param {{name: string, parts: Part[], from: number, version: Version, response: Response, keeper: Keeper | null,
 *          gate: Gate, progress: (at: number) => void, error?: (error: Error) => void, signal: AbortSignal}} download
 *   from: how many bytes are kept already; `response` goes on there
 * @returns {AsyncGenerator<Uint8Array>}
 */
async function* received({ name, parts, from, version, response, keeper, gate, progress, error, signal }) {
  const { size, sha256 } = version;
  const sum = sha256 ? await startSum() : null;
  let at = 0;
  let head = new Uint8Array(0);
  try {
    while (keeper && at < from) {
      const piece = keeper.read(at, Math.min(CHUNK, from - at));
      at += piece.length;
      sum?.update(piece);
      yield piece;
    }
    for (let failures = 0; ; ) {
      const { end = size } = partAt(parts, at);
      try {
        for await (const piece of pieces(response, gate)) {
          if (at < MAGIC.length) {
            head = new Uint8Array([...head, ...piece.subarray(0, MAGIC.length)]);
            if (!begins(head)) {
              await keeper?.discard();
              throw new Failure(notAModel(name, response));
            }
          }
          at += piece.length;
          failures = 0;
          sum?.update(piece);
          await keeper?.append(piece);
          progress(at);
          yield piece;
        }
        if (end === undefined || at === size) break;
        if (at > end) throw new Failure(`The download of ${name} brought more bytes than the server had announced.`);
      } catch (problem) {
        if (signal.aborted || problem instanceof Failure) throw problem;
      }
      if (at !== end) {
        if (failures === RETRY_AFTER.length) throw new Failure(brokenOff(name, at, size));
        await pause(RETRY_AFTER[failures++], signal);
      }
      response = await ask(name, parts, at, version, signal);
      if (!continues(response, parts, at, version)) {
        throw new Failure(`The download of ${name} broke off, and its server can't go on where it stopped.`);
      }
    }
    if (sum && sum.digest() !== sha256) {
      await keeper?.discard();
      throw new Failure(`${name} did not arrive as it should: its sha256 sum is another one. It was not kept; try again.`);
    }
    await keeper?.finish(at);
  } catch (problem) {
    if (!signal.aborted) error?.(/** @type {Error} */ (problem));
    throw problem;
  } finally {
    keeper?.close();
  }
}

/** @param {Uint8Array} head the first bytes of a file @returns {boolean} whether they are those of a GGUF file */
function begins(head) {
  return MAGIC.slice(0, head.length).every((byte, index) => byte === head[index]);
}

/** @param {File} file */
async function isModel(file) {
  try {
    return file.size >= MAGIC.length && begins(new Uint8Array(await file.slice(0, MAGIC.length).arrayBuffer()));
  } catch {
    return false;
  }
}

/**
 * @param {string} name
 * @param {Response} response
 */
function notAModel(name, response) {
  const isPage = response.headers.get("content-type")?.startsWith("text/html");
  const where = response.redirected ? ` (the server sent us on to ${new URL(response.url).host})` : "";
  if (isPage) return `${name} is a web page, not a model${where}. Was it asked for without signing in? It was not kept.`;
  return `${name} is not a GGUF file${where}. It was not kept.`;
}

/**
 * @param {string} name
 * @param {number} at
 * @param {number | undefined} size
 */
function brokenOff(name, at, size) {
  const megabytes = (/** @type {number} */ bytes) => Math.round(bytes / 1e6);
  const part = size === undefined ? `${megabytes(at)} MB` : `${megabytes(at)} of ${megabytes(size)} MB`;
  return `The download of ${name} broke off at ${part}. What has arrived is kept where the browser allows it.`;
}

/**
 * Request a file from a byte on, patiently: a connection that fails and a server that is busy are asked again.
 *
 * @param {string} name
 * @param {Part[]} parts
 * @param {number} at
 * @param {Version} version what the bytes before belong to
 * @param {AbortSignal} signal
 * @returns {Promise<Response>} to its end or that of the part; 200, 206, or 416 when there is no such byte
 */
async function ask(name, parts, at, version, signal) {
  const { url, start } = partAt(parts, at);
  const from = at - start;
  /** @type {Record<string, string>} */
  const headers = {};
  if (from) {
    headers["Range"] = `bytes=${from}-`;
    const validator = version.etag?.startsWith('"') ? version.etag : version.modified;
    // Another origin would have to allow this header beforehand; there `continues` alone decides.
    if (validator && new URL(url).origin === location.origin) headers["If-Range"] = validator;
  }
  for (let failures = 0; ; ) {
    let problem;
    try {
      const response = await fetch(url, { headers, signal, cache: "no-store" });
      if (response.ok || (from && response.status === 416)) return response;
      problem = `${name} could not be downloaded: the server answered ${response.status} ${response.statusText}`.trim();
      if (response.status < 500 && response.status !== 429) throw new Failure(`${problem}.`);
    } catch (error) {
      if (signal.aborted || error instanceof Failure) throw error;
      problem ??= `${name} could not be downloaded: there is no connection to its server`;
    }
    if (failures === RETRY_AFTER.length) throw new Failure(`${problem}.`);
    await pause(RETRY_AFTER[failures++], signal);
  }
}

/**
 * @param {Response} response
 * @param {Gate} gate
 * @returns {AsyncGenerator<Uint8Array>} at most CHUNK bytes each
 */
async function* pieces(response, gate) {
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  for (;;) {
    await gate.passed;
    const { done, value } = await reader.read();
    if (done) return;
    for (let at = 0; at < value.length; at += CHUNK) yield value.subarray(at, at + CHUNK);
  }
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
 * @param {number} at
 * @param {Version} version
 */
function continues(response, parts, at, version) {
  const { size, etag, modified } = versionOf(response);
  const { start, end } = partAt(parts, at);
  const total = response.headers.get("content-range")?.split("/")[1];
  const told = response.status === 200 ? size : total && total !== "*" ? Number(total) : undefined;
  if (response.status !== (at > start ? 206 : 200)) return false;
  // Of a part, its length is what the site says of it.
  return end === undefined ? isSame({ size: told, etag, modified }, version) : isSame({ size: told }, { size: end - start });
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
 * @param {string} [sha256] that the file is to have by now
 * @returns {Promise<boolean>} false only if it is known that the file is another one now
 */
async function isCurrent(url, kept, sha256) {
  if (sha256 && kept.sha256) return sha256 === kept.sha256;
  try {
    const signal = AbortSignal.timeout(CHECK_WITHIN);
    const response = await fetch(url, { method: "HEAD", signal, cache: "no-store" });
    return !response.ok || isSame(versionOf(response), kept);
  } catch {
    return true; // without a network, or with a slow one, the kept copy is what there is
  }
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 */
async function pause(milliseconds, signal) {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  signal.throwIfAborted();
}
