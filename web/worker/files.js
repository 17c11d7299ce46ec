/**
 * Where a model's bytes come from: an address, the copy of it kept on this device, or a file of the visitor's.
 *
 * A download is kept in the origin private file system (OPFS) as it streams by, so that the next visit needs no
 * network, and one that broke off goes on where it stopped (HTTP ranges). Keeping is a service, never a condition:
 * with no such storage, or too little, the model still streams to whoever asked for it. Where its sha256 is known, a
 * download is checked against it.
 *
 * @import { Part } from "./http.js"
 * @import { Kept, Version } from "../shared/kept.js"
 * @import { ModelSource } from "../shared/protocol.js"
 *
 * @typedef {object} Watcher
 * @property {(loaded: number, total: number) => void} [progress] bytes that have arrived, of how many (0: unknown)
 * @property {(error: Error) => void} [error] the bytes will not come; `next` then throws the same
 * @property {AbortSignal} [signal] gives it up, at whatever point it is
 * @property {number} [ahead] how many bytes it may run ahead of its reader
 */

import { Failure } from "../shared/failure.js";
import { Gate } from "./gate.js";
import { RETRY_AFTER, ask, continues, isCurrent, isPage, partAt, pause, under, versionToKeep } from "./http.js";
import { Keeper } from "./keeper.js";
import { CHUNK, digest, drop, keptCopy, storage } from "../shared/kept.js";
import { address } from "../shared/site.js";
import { startSum } from "./sum.js";

const MIB = 2 ** 20;
/** How far downloads and copies run ahead of their reader: what arrives while Python still starts. */
export const AHEAD = 64 * MIB;
/** What every GGUF file begins with: "GGUF". */
const MAGIC = [0x47, 0x47, 0x55, 0x46];
/** How many of the first bytes are looked at, and told, where they are those of no model. */
const TOLD = 200;
/** What else comes in the place of a model, by how it begins; `$` is the name. */
const IMPOSTORS = /** @type {[RegExp, string][]} */ ([
  [
    /^version https:\/\/git-lfs/,
    "$ is a Git LFS pointer, not the model itself: its server has the file under another address.",
  ],
  [/^.{8}\{"/s, "$ is a safetensors file; this page reads GGUF files. Look for a GGUF version of the model."],
  [/^\x1f\x8b|^PK\x03\x04|^\xfd7zXZ|^7z\xbc\xaf/, "$ is a packed file: the GGUF file in it has to be unpacked first."],
  [/^$/, "$ is empty."],
]);

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
  watcher.signal?.addEventListener("abort", () =>
    opened.then(
      (file) => file.close(),
      () => {},
    ),
  );
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
    const { ahead = AHEAD } = watcher;
    return new ModelFile(name, copy.file.size, true, checked(name, copy, dropped), { ahead, drop: dropped });
  }
  return download(source, folder && (await Keeper.open(folder, { url, name, model, sha256 })), abort, watcher);
}

/**
 * @param {string} name
 * @param {File} file
 * @returns {AsyncGenerator<Uint8Array>}
 */
async function* slices(name, file) {
  for (let offset = 0; offset < file.size; offset += CHUNK) {
    try {
      yield new Uint8Array(await file.slice(offset, offset + CHUNK).arrayBuffer());
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
      throw new Failure(
        `The copy of ${name} on this device was damaged, and is deleted now: it has to be downloaded again.`,
      );
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
    let from = keeper && (await isBegun(keeper)) ? keeper.length : 0;
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
    const progress = (/** @type {number} */ offset) => watcher.progress?.(offset, offset > expected ? 0 : expected);
    const { error, ahead = AHEAD } = watcher;
    const chunks = received({
      ...{ name, parts, from, version, response, keeper, gate, progress, error },
      signal: abort.signal,
    });
    const options = { ahead, keeper, gate, abort: () => abort.abort() };
    return new ModelFile(name, version.size, false, chunks, options);
  } catch (error) {
    await keeper?.close();
    throw error;
  }
}

/** @param {ModelSource} source @returns {Part[]} in order; the end of the last is only known where the site tells it */
function partsOf({ url, parts }) {
  if (!parts) return [{ url: /** @type {string} */ (url), start: 0 }];
  let offset = 0;
  return parts.map(({ url, bytes }) => ({ url, start: offset, end: (offset += bytes) }));
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
  let offset = 0;
  try {
    while (keeper && offset < from) {
      const piece = await keeper.read(offset, Math.min(CHUNK, from - offset));
      offset += piece.length;
      sum?.update(piece);
      yield piece;
    }
    for (let failures = 0; ;) {
      const { start, end = size } = partAt(parts, offset);
      let head = new Uint8Array(0);
      try {
        for await (let piece of pieces(response, gate)) {
          if (!offset) {
            piece = head = new Uint8Array([...head, ...piece]);
            if (!begins(head)) throw new Refusal(notAModel(name, response, head));
            if (head.length < MAGIC.length) continue;
            await keeper?.begin(version); // not before: what is kept may be better than what a server says today
          }
          if (end !== undefined && offset + piece.length > end) {
            throw new Refusal(`The download of ${name} brought more bytes than the server had announced.`, start);
          }
          offset += piece.length;
          failures = 0;
          sum?.update(piece);
          await keeper?.append(piece);
          progress(offset);
          yield piece;
        }
        if (!offset && head.length >= (end ?? 0)) throw new Refusal(notAModel(name, response, head));
        if (end === undefined || offset === size) break;
      } catch (problem) {
        if (signal.aborted || problem instanceof Failure) throw problem;
      }
      if (offset !== end) {
        if (failures === RETRY_AFTER.length) throw new Failure(brokenOff(name, offset, size));
        await pause(RETRY_AFTER[failures++], signal);
      }
      response = await ask(name, parts, offset, version, signal);
      if (!continues(response, parts, offset, version)) throw astray(name, parts, offset, response);
    }
    if (sum && sum.digest() !== sha256) {
      throw new Refusal(
        `${name} did not arrive as it should: its sha256 sum is another one. It was not kept; try again.`,
      );
    }
    await keeper?.finish(offset);
  } catch (problem) {
    if (offset && problem instanceof Refusal) await keeper?.cut(problem.good);
    if (!signal.aborted) error?.(/** @type {Error} */ (problem));
    throw problem;
  } finally {
    await keeper?.close();
  }
}

/**
 * @param {string} name
 * @param {Part[]} parts
 * @param {number} offset
 * @param {Response} response that does not go on there
 * @returns {Failure} in which one can't tell whose bytes are those before, of the part
 */
function astray(name, parts, offset, response) {
  const { start } = partAt(parts, offset);
  if (offset === start && isPage(response)) return new Failure(notAModel(name, response, new Uint8Array(0)));
  const message = `The download of ${name} broke off, and its server can't go on where it stopped.`;
  return start ? new Refusal(message, start) : new Failure(message);
}

/** @param {Keeper} keeper @returns {Promise<boolean>} whether what it has is the beginning of a model */
async function isBegun(keeper) {
  try {
    return keeper.length >= MAGIC.length && begins(await keeper.read(0, MAGIC.length));
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

/**
 * @param {string} name
 * @param {Response} response
 * @param {Uint8Array} head what has come of it
 */
function notAModel(name, response, head) {
  const where = response.redirected ? ` (the server sent us on to ${new URL(response.url).host})` : "";
  if (isPage(response))
    return `${name} is a web page, not a model${where}. Was it asked for without signing in? It was not kept.`;
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
 * @param {number} offset
 * @param {number | undefined} size
 */
function brokenOff(name, offset, size) {
  const megabytes = (/** @type {number} */ bytes) => Math.round(bytes / 1e6);
  const part = size === undefined ? `${megabytes(offset)} MB` : `${megabytes(offset)} of ${megabytes(size)} MB`;
  return `The download of ${name} broke off at ${part}. What has arrived is kept where the browser allows it.`;
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
    for (let offset = 0; offset < value.length; offset += CHUNK) yield value.subarray(offset, offset + CHUNK);
  }
}

/**
 * @param {string} path of a file of the site's own
 * @returns {Promise<string>} what it says
 */
export async function text(path) {
  const response = await fetch(address(path));
  if (!response.ok) throw new Failure(`the server answered ${response.status} for ${path}`);
  return response.text();
}
