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
 * @property {AbortSignal} [signal] gives it up, at whatever point it is
 * @property {number} [ahead] how many bytes it may run ahead of its reader
 */

import { Failure } from "./failure.js";
import { duration } from "./format.js";
import { Gate } from "./gate.js";
import { Keeper } from "./keeper.js";
import { CHUNK, digest, drop, keptCopy, storage } from "./kept.js";
import { unreachable } from "./reach.js";
import { startSum } from "./sum.js";

const MIB = 2 ** 20;
/** How far downloads run ahead of their reader: what arrives while Python still starts. */
export const AHEAD = 64 * MIB;
/** What every GGUF file begins with: "GGUF". */
const MAGIC = [0x47, 0x47, 0x55, 0x46];
/** Waits before asking again, after a connection broke without having brought anything. In milliseconds. */
const RETRY_AFTER = [500, 1000, 2000, 4000];
/** The longest that a busy server's own wish is waited for. In milliseconds. */
const LONGEST_WAIT = 30_000;
/** How many of the first bytes are looked at, and told, where they are those of no model. */
const TOLD = 200;
/** What else comes in the place of a model, by how it begins; `$` is the name. */
const IMPOSTORS = /** @type {[RegExp, string][]} */ ([
  [/^version https:\/\/git-lfs/, "$ is a Git LFS pointer, not the model itself: its server has the file under another address."],
  [/^.{8}\{"/s, "$ is a safetensors file; this page reads GGUF files. Look for a GGUF version of the model."],
  [/^\x1f\x8b|^PK\x03\x04|^\xfd7zXZ|^7z\xbc\xaf/, "$ is a packed file: the GGUF file in it has to be unpacked first."],
  [/^$/, "$ is empty."],
]);
/** How long a kept copy waits to hear from its server whether it is still the current one. In milliseconds. */
const CHECK_WITHIN = 3000;

/** What has come is not what was asked for. */
class Refusal extends Failure {
  /**
   * @param {string} message
   * @param {number} [good] so many bytes before it are: they alone are kept
   */
  constructor(message, good = 0) {
    super(message);
    this.good = good;
  }
}

/** The bytes of one model, in order, from wherever they come. */
export class ModelFile {
  #reader;
  #abort;
  #keeper;
  #gate;
  #drop;
  /** @type {Uint8Array[]} */
  #seen = [];
  #rewound = false;
  #isClosed = false;

  /**
   * @param {string} name
   * @param {number | undefined} size undefined when the server does not tell
   * @param {boolean} cached no byte of it comes from the network
   * @param {AsyncGenerator<Uint8Array>} chunks
   * @param {{ahead: number, keeper?: Keeper | null, gate?: Gate, abort?: () => void, drop?: () => Promise<void>}} options
   *   ahead: bytes to read before they are asked for; drop: remove the copy of it on this device
   */
  constructor(name, size, cached, chunks, { ahead, keeper = null, gate = new Gate(), abort = () => {}, drop }) {
    this.name = name;
    this.size = size;
    this.cached = cached;
    this.#keeper = keeper;
    this.#gate = gate;
    this.#abort = abort;
    this.#drop = drop;
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
   * @throws {Error} one line: the connection broke, the server refused, the bytes are not those that were asked for, it
   *   was given up
   */
  async next() {
    if (this.#rewound && this.#seen.length) return /** @type {Uint8Array} */ (this.#seen.shift());
    const { done, value } = await this.#reader.read();
    if (done && this.#isClosed) throw new Failure(`${this.name} was given up.`); // which is no end
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

  /** What has come of it is no model, or not all of one: no copy stays on this device. */
  async refuse() {
    if (this.#isClosed) return; // it was given up, which says nothing of it
    this.close();
    await (this.#keeper ? this.#keeper.discard() : this.#drop?.());
  }

  /** Give up what has not arrived yet. What has been kept so far stays, for the next time. */
  close() {
    this.#isClosed = true;
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
  const opened = start(source, watcher);
  prefetched.set(source, opened);
  watcher.signal?.addEventListener("abort", () => opened.then((file) => file.close(), () => {}));
  return opened;
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
  if (file) return new ModelFile(name, file.size, true, slices(name, file), { ahead: CHUNK });
  if (!url || !model) throw new Error("A model needs an address or a file.");
  const folder = await storage();
  const copy = folder && (await keptCopy(folder, url));
  // A copy that is no model (a login page that an earlier version kept, bytes that were lost) is asked for again.
  const abort = under(watcher.signal);
  if (copy && (await isModel(copy.file)) && (await isCurrent(url, copy.record, abort.signal, sha256))) {
    const dropped = () => drop(folder, copy.name);
    return new ModelFile(name, copy.file.size, true, checked(name, copy, dropped), { ahead: CHUNK, drop: dropped });
  }
  return download(source, folder && (await Keeper.open(folder, { url, name, model, sha256 })), abort, watcher);
}

/**
 * AbortSignal.any, which the oldest browsers with WebGPU lack.
 *
 * @param {AbortSignal} [signal]
 * @returns {AbortController} aborted when that is
 */
function under(signal) {
  const abort = new AbortController();
  signal?.addEventListener("abort", () => abort.abort());
  if (signal?.aborted) abort.abort();
  return abort;
}

/**
 * @param {string} name
 * @param {File} file
 * @returns {AsyncGenerator<Uint8Array>}
 */
async function* slices(name, file) {
  for (let at = 0; at < file.size; at += CHUNK) {
    try {
      yield new Uint8Array(await file.slice(at, at + CHUNK).arrayBuffer());
    } catch {
      throw new Failure(`${name} can no longer be read: it was changed or removed.`);
    }
  }
}

/**
 * The pieces of a kept copy, none of which has changed since it was written.
 *
 * @param {string} name
 * @param {{file: File, record: Kept}} copy
 * @param {() => Promise<void>} drop
 * @returns {AsyncGenerator<Uint8Array>}
 */
async function* checked(name, { file, record }, drop) {
  let index = 0;
  for await (const piece of slices(name, file)) {
    if (record.sums && (await digest(piece)) !== record.sums[index++]) {
      await drop();
      throw new Failure(`The copy of ${name} on this device was damaged, and is deleted now: it has to be downloaded again.`);
    }
    yield piece;
  }
}

/**
 * @param {ModelSource} source
 * @param {Keeper | null} keeper
 * @param {AbortController} abort
 * @param {Watcher} watcher
 * @returns {Promise<ModelFile>}
 */
async function download(source, keeper, abort, watcher) {
  const { name } = source;
  const parts = partsOf(source);
  try {
    /** @type {Version} */
    const old = keeper?.record ?? {};
    let from = keeper && isBegun(keeper) ? keeper.length : 0;
    let response = await ask(name, parts, from, old, abort.signal);
    if (from && !continues(response, parts, from, old)) {
      const { start } = partAt(parts, from); // what comes before the part is good all the same
      if (response.status !== 200) response = await ask(name, parts, start, old, abort.signal);
      if (start && !continues(response, parts, start, old)) throw astray(name, parts, start, response);
      from = start;
      if (from) await keeper?.cut(from);
    }
    const version = from ? old : versionToKeep(source, response, old);
    const gate = new Gate();
    const expected = version.size ?? source.bytes ?? 0;
    const progress = (/** @type {number} */ at) => watcher.progress?.(at, at > expected ? 0 : expected);
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

/**
 * What a download from the beginning on is to be.
 *
 * @param {ModelSource} source
 * @param {Response} response
 * @param {Version} old of which something is kept, or was before
 * @returns {Version}
 */
function versionToKeep({ name, parts, bytes, sha256 }, response, old) {
  const { first, size } = extentOf(response, 0);
  if (first !== 0) throw new Failure(`${name} could not be downloaded: its server sends other bytes than its first.`);
  if (parts) return { size: bytes, sha256 };
  const told = { ...versionOf(response), size: hidesCompression(response) ? undefined : size };
  return { ...told, sha256: sha256 ?? (isSame(told, old) ? old.sha256 : undefined) };
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
  try {
    while (keeper && at < from) {
      const piece = keeper.read(at, Math.min(CHUNK, from - at));
      at += piece.length;
      sum?.update(piece);
      yield piece;
    }
    for (let failures = 0; ; ) {
      const { start, end = size } = partAt(parts, at);
      let head = new Uint8Array(0);
      try {
        for await (let piece of pieces(response, gate)) {
          if (!at) {
            piece = head = new Uint8Array([...head, ...piece]);
            if (!begins(head)) throw new Refusal(notAModel(name, response, head));
            if (head.length < MAGIC.length) continue;
            await keeper?.begin(version); // not before: what is kept may be better than what a server says today
          }
          if (end !== undefined && at + piece.length > end) {
            throw new Refusal(`The download of ${name} brought more bytes than the server had announced.`, start);
          }
          at += piece.length;
          failures = 0;
          sum?.update(piece);
          await keeper?.append(piece);
          progress(at);
          yield piece;
        }
        if (!at && head.length >= (end ?? 0)) throw new Refusal(notAModel(name, response, head));
        if (end === undefined || at === size) break;
      } catch (problem) {
        if (signal.aborted || problem instanceof Failure) throw problem;
      }
      if (at !== end) {
        if (failures === RETRY_AFTER.length) throw new Failure(brokenOff(name, at, size));
        await pause(RETRY_AFTER[failures++], signal);
      }
      response = await ask(name, parts, at, version, signal);
      if (!continues(response, parts, at, version)) throw astray(name, parts, at, response);
    }
    if (sum && sum.digest() !== sha256) {
      throw new Refusal(`${name} did not arrive as it should: its sha256 sum is another one. It was not kept; try again.`);
    }
    await keeper?.finish(at);
  } catch (problem) {
    if (at && problem instanceof Refusal) await keeper?.cut(problem.good);
    if (!signal.aborted) error?.(/** @type {Error} */ (problem));
    throw problem;
  } finally {
    keeper?.close();
  }
}

/**
 * @param {string} name
 * @param {Part[]} parts
 * @param {number} at
 * @param {Response} response that does not go on there
 * @returns {Failure} in which one can't tell whose bytes are those before, of the part
 */
function astray(name, parts, at, response) {
  const { start } = partAt(parts, at);
  if (at === start && isPage(response)) return new Failure(notAModel(name, response, new Uint8Array(0)));
  const message = `The download of ${name} broke off, and its server can't go on where it stopped.`;
  return start ? new Refusal(message, start) : new Failure(message);
}

/** @param {Keeper} keeper @returns {boolean} whether what it has is the beginning of a model */
function isBegun(keeper) {
  try {
    return keeper.length >= MAGIC.length && begins(keeper.read(0, MAGIC.length));
  } catch {
    return false;
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

/** @param {Response} response */
function isPage({ headers }) {
  return headers.get("content-type")?.startsWith("text/html") ?? false;
}

/**
 * @param {string} name
 * @param {Response} response
 * @param {Uint8Array} head what has come of it
 */
function notAModel(name, response, head) {
  const where = response.redirected ? ` (the server sent us on to ${new URL(response.url).host})` : "";
  if (isPage(response)) return `${name} is a web page, not a model${where}. Was it asked for without signing in? It was not kept.`;
  head = head.subarray(0, TOLD);
  const known = IMPOSTORS.find(([beginning]) => beginning.test(String.fromCharCode(...head)));
  if (known) return known[1].replace("$", () => name);
  const text = new TextDecoder().decode(head).replaceAll(/\s+/g, " ").trim();
  const isText = /^[\[{<]/.test(text) && !/[\0-\x08\ufffd]/.test(text.slice(0, -1));
  const said = isText ? `: its server says ${text.length < TOLD ? text : `${text.slice(0, TOLD - 1)}…`}` : "";
  return `${name} is not a GGUF file${where}${said}${said ? "" : ". It was not kept."}`;
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
      if (status < 500 && status !== 429) throw new Failure(`${failed}: ${problem}.`);
      wish = wishOf(response);
      if (wish > LONGEST_WAIT) throw new Failure(`${failed}: ${problem}. It wants to be asked again in ${duration(wish / 1000)}.`);
    } catch (error) {
      if (signal.aborted || error instanceof Failure) throw error;
      if (!from) delete headers.Range; // another origin may not allow it
    }
    if (failures === RETRY_AFTER.length) throw new Failure(`${failed}: ${problem ?? (await unreachable(url, signal))}.`);
    await pause(Math.max(wish, RETRY_AFTER[failures]), signal);
  }
}

/** @param {Response} response of a busy server @returns {number} the milliseconds after which it wants to be asked again */
function wishOf({ headers }) {
  const told = headers.get("retry-after") ?? "";
  const wait = /^\d+$/.test(told) ? 1000 * Number(told) : Date.parse(told) - Date.now();
  return wait > 0 ? wait : 0;
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
  const { start, end } = partAt(parts, at);
  const { first, size } = extentOf(response, at - start);
  if (first !== at - start) return false;
  // Without a size one can't tell. The beginning of a part may do without, if it says that it is nothing else.
  if (size === undefined && (at > start || isPage(response))) return false;
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
async function isCurrent(url, kept, signal, sha256) {
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
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 */
async function pause(milliseconds, signal) {
  signal.throwIfAborted();
  await new Promise((resolve, reject) => {
    setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => reject(signal.reason));
  });
}
