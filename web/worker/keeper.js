/**
 * Writes a model's kept copy (see kept.js) while it downloads, through a handle that locks it.
 *
 * @import { Handle } from "./handle.js"
 * @import { Kept, Version } from "../shared/kept.js"
 */

import { Failure } from "../shared/failure.js";
import { openHandle } from "./handle.js";
import { CHUNK, digest, drop, keptName, readRecord } from "../shared/kept.js";

/** Appends a download to its copy. Holds the file's lock: another tab that loads the same model meanwhile keeps none. */
export class Keeper {
  #folder;
  #name;
  /** @type {Handle | null} */
  #handle;
  /** @type {Kept} */
  record;
  /** Bytes of the record's version that the copy has. */
  length;
  /** Of its pieces so far. @type {string[]} */
  #sums = [];

  /**
   * @param {FileSystemDirectoryHandle} folder
   * @param {Pick<Kept, "url" | "name" | "model" | "sha256">} wanted
   * @returns {Promise<Keeper | null>} null: this browser can't keep it now
   */
  static async open(folder, wanted) {
    try {
      const name = await keptName(wanted.url);
      const handle = await locked(await folder.getFileHandle(name, { create: true }));
      const old = await readRecord(folder, name);
      const differs = old?.sha256 && wanted.sha256 && old.sha256 !== wanted.sha256;
      const sha256 = wanted.sha256 ?? old?.sha256;
      const record = { ...(differs ? null : old), ...wanted, sha256, whole: false };
      return new Keeper(folder, name, handle, await handle.getSize(), record);
    } catch {
      return null;
    }
  }

  /**
   * @param {FileSystemDirectoryHandle} folder
   * @param {string} name
   * @param {Handle} handle
   * @param {number} length of what lies there
   * @param {Kept} record
   */
  constructor(folder, name, handle, length, record) {
    this.#folder = folder;
    this.#name = name;
    this.#handle = handle;
    this.record = record;
    const { size, etag, modified, sha256 } = record;
    // Bytes that can't be told from another version's, or that are as many as there should be and yet have been found
    // outdated, are of no use.
    this.length = (etag || modified || sha256) && size !== undefined && length < size ? length : 0;
  }

  /** Whether the copy has all bytes, checked. */
  get complete() {
    return this.record.whole ?? false;
  }

  /**
   * Start over, with another version.
   *
   * @param {Version} version
   */
  async begin(version) {
    try {
      await this.#handle?.truncate(0);
      this.length = 0;
      this.#sums = [];
      const { url, name, model } = this.record;
      await this.#write({ url, name, model, ...version });
    } catch {
      await this.discard();
    }
  }

  /**
   * @param {number} offset
   * @param {number} count
   * @returns {Promise<Uint8Array>}
   * @throws {Failure} they are not there any more: the next time begins anew
   */
  async read(offset, count) {
    const bytes = new Uint8Array(count);
    if ((await this.#handle?.read(bytes, { at: offset })) === count) return bytes;
    await this.#handle?.truncate(0);
    throw new Failure("What was kept of the model can't be read: it has to be downloaded from its beginning.");
  }

  /**
   * Without room for them, nothing is kept any more.
   *
   * @param {Uint8Array} bytes
   */
  async append(bytes) {
    if (!this.#handle) return;
    try {
      const view = /** @type {Uint8Array<ArrayBuffer>} */ (bytes);
      const written = await this.#handle.write(view, { at: this.length });
      // With its storage full, Chromium does not throw: it returns an error code as if so many bytes had been written.
      if (written !== bytes.length) return this.discard();
      this.length += written;
      await this.#sumUp();
    } catch {
      await this.discard();
    }
  }

  /**
   * The download has ended well.
   *
   * @param {number} size
   */
  async finish(size) {
    if (!this.#handle || this.length !== size) return;
    try {
      await this.#handle.flush();
      await this.#sumUp(true);
      await this.#write({ ...this.record, size, sums: this.#sums, whole: true });
    } catch {
      await this.discard();
    }
  }

  /** Of what lies here, as it can be read again. @param {boolean} [toEnd] of the last piece too, which may be smaller */
  async #sumUp(toEnd) {
    for (let offset; (offset = CHUNK * this.#sums.length) + (toEnd ? 1 : CHUNK) <= this.length;) {
      this.#sums.push(await digest(await this.read(offset, Math.min(CHUNK, this.length - offset))));
    }
  }

  /**
   * Keep the first bytes alone: those after them are no part of it.
   *
   * @param {number} length
   */
  async cut(length) {
    if (!length) return this.discard();
    try {
      await this.#handle?.truncate(length);
      this.length = length;
      this.#sums.splice(Math.floor(length / CHUNK));
    } catch {
      await this.discard();
    }
  }

  async close() {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close();
  }

  /** Keep nothing of it. */
  async discard() {
    try {
      await this.#handle?.truncate(0);
    } catch {
      // it is removed
    }
    await this.close();
    this.record.whole = false;
    await drop(this.#folder, this.#name);
  }

  /** @param {Kept} record */
  async #write(record) {
    this.record = record;
    const file = await this.#folder.getFileHandle(`${this.#name}.json`, { create: true });
    const handle = await openHandle(file);
    try {
      await handle.truncate(0);
      await handle.write(new TextEncoder().encode(JSON.stringify(record)), { at: 0 });
    } finally {
      await handle.close();
    }
  }
}

/**
 * A page that was just left holds its lock for a moment longer.
 *
 * @param {FileSystemFileHandle} file
 * @returns {Promise<Handle>}
 */
export async function locked(file) {
  for (let tries = 5; ; tries--) {
    try {
      return await openHandle(file);
    } catch (error) {
      if (tries === 1) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
