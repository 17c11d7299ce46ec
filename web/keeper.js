/**
 * Writes a model's kept copy (see kept.js) while it downloads. Worker only: synchronous handles exist nowhere else.
 *
 * @import { Kept, Version } from "./kept.js"
 */

import { Failure } from "./failure.js";
import { keptName, readRecord } from "./kept.js";

/** Appends a download to its copy. Holds the file's lock: another tab that loads the same model meanwhile keeps none. */
export class Keeper {
  #folder;
  #name;
  /** @type {FileSystemSyncAccessHandle | null} */
  #handle;
  /** @type {Kept} */
  record;
  /** Bytes of the record's version that the copy has. */
  length;

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
      const other = old?.sha256 && wanted.sha256 && old.sha256 !== wanted.sha256;
      return new Keeper(folder, name, handle, { ...(other ? null : old), ...wanted, whole: false });
    } catch {
      return null;
    }
  }

  /**
   * @param {FileSystemDirectoryHandle} folder
   * @param {string} name
   * @param {FileSystemSyncAccessHandle} handle
   * @param {Kept} record
   */
  constructor(folder, name, handle, record) {
    this.#folder = folder;
    this.#name = name;
    this.#handle = handle;
    this.record = record;
    const { size, etag, modified, sha256 } = record;
    const length = handle.getSize();
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
      this.#handle?.truncate(0);
      this.length = 0;
      const { url, name, model } = this.record;
      await this.#write({ url, name, model, ...version });
    } catch {
      await this.discard();
    }
  }

  /**
   * @param {number} at
   * @param {number} count
   * @returns {Uint8Array}
   */
  read(at, count) {
    const bytes = new Uint8Array(count);
    if (this.#handle?.read(bytes, { at }) !== count) throw new Failure("The kept part of the model can't be read.");
    return bytes;
  }

  /**
   * Without room for them, nothing is kept any more.
   *
   * @param {Uint8Array} bytes
   */
  async append(bytes) {
    try {
      const view = /** @type {Uint8Array<ArrayBuffer>} */ (bytes);
      const written = this.#handle?.write(view, { at: this.length });
      // With its storage full, Chromium does not throw: it returns an error code as if so many bytes had been written.
      if (written === bytes.length) this.length += written;
      else await this.discard();
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
    this.#handle.flush();
    await this.#write({ ...this.record, size, whole: true });
  }

  close() {
    this.#handle?.close();
    this.#handle = null;
  }

  /** Keep nothing of it. */
  async discard() {
    if (!this.#handle) return;
    this.#handle.truncate(0);
    this.close();
    for (const name of [this.#name, `${this.#name}.json`]) await this.#folder.removeEntry(name).catch(() => {});
  }

  /** @param {Kept} record */
  async #write(record) {
    this.record = record;
    const file = await this.#folder.getFileHandle(`${this.#name}.json`, { create: true });
    const handle = await file.createSyncAccessHandle();
    try {
      handle.truncate(0);
      handle.write(new TextEncoder().encode(JSON.stringify(record)), { at: 0 });
    } finally {
      handle.close();
    }
  }
}

/**
 * A page that was just left holds its lock for a moment longer.
 *
 * @param {FileSystemFileHandle} file
 * @returns {Promise<FileSystemSyncAccessHandle>}
 */
async function locked(file) {
  for (let tries = 5; ; tries--) {
    try {
      return await file.createSyncAccessHandle();
    } catch (error) {
      if (tries === 1) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
