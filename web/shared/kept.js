/**
 * The copies of models that are kept on this device, in the origin private file system: where they lie, how to find,
 * list and remove them. keeper.js writes them.
 *
 * A copy is two files: the bytes, appended as they arrive, and beside them a small JSON file, its record.
 *
 * @typedef {object} Version what tells one state of a file on a server from another; absent: the server does not say
 * @property {number} [size] bytes
 * @property {string} [etag]
 * @property {string} [modified]
 * @property {string} [sha256] that the bytes are to have, where it was known beforehand
 *
 * @typedef {Version & {url: string, name: string, model: string, whole?: boolean, sums?: string[]}} Kept a record. model:
 *   the address by which the model is known (for one that is split into several files, that of its first); whole: all
 *   bytes are here and have been checked; sums: digests of the bytes as they were written, one of every CHUNK
 *
 * @typedef {object} KeptModel
 * @property {string} url
 * @property {string} name
 * @property {number} bytes that lie here
 * @property {boolean} whole
 */

const FOLDER = "models";
/** Copies are read in pieces of so many bytes, each of which has its digest in the record. */
export const CHUNK = 4 * 2 ** 20;

/**
 * All models of which there is a copy on this device, whole or in part, by name.
 *
 * @returns {Promise<KeptModel[]>}
 */
export async function keptModels() {
  const folder = await storage();
  if (!folder) return [];
  /** @type {Map<string, KeptModel>} */
  const models = new Map();
  for (const [name, record] of await records(folder)) {
    const size = await sizeOf(folder, name);
    const found = models.get(record.model) ?? { url: record.model, name: record.name, bytes: 0, whole: true };
    found.bytes += size;
    found.whole &&= Boolean(record.whole);
    models.set(record.model, found);
  }
  return [...models.values()].sort((a, b) => a.name.localeCompare(b.name));
}

/**
 * Remove the copy of a model from this device, whole or in part.
 *
 * @param {string} url
 * @returns {Promise<boolean>} false: something is just writing it
 */
export async function forget(url) {
  const folder = await storage();
  if (!folder) return true;
  let free = true;
  for (const [name, record] of await records(folder)) {
    if (record.model !== url) continue;
    for (const entry of [name, `${name}.json`]) {
      if (free) await folder.removeEntry(entry).catch(() => (free = false));
    }
  }
  return free;
}

/**
 * @param {FileSystemDirectoryHandle} folder
 * @param {string} url
 * @returns {Promise<{name: string, file: File, record: Kept} | null>} null: no whole copy is there
 */
export async function keptCopy(folder, url) {
  try {
    const name = await keptName(url);
    const record = await readRecord(folder, name);
    const file = await (await folder.getFileHandle(name)).getFile();
    return record?.whole && file.size === record.size ? { name, file, record } : null;
  } catch {
    return null;
  }
}

/** @returns {Promise<FileSystemDirectoryHandle | null>} null: this browser, or this mode of it, has none */
export async function storage() {
  try {
    return await (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
  } catch {
    return null;
  }
}

/**
 * @param {string} url
 * @returns {Promise<string>} a file name of its own for each address, readable all the same
 */
export async function keptName(url) {
  const last = new URL(url).pathname.split("/").at(-1) ?? "";
  return `${await digest(new TextEncoder().encode(url))}-${last.replaceAll(/[^\w.-]/g, "_").slice(-100)}`;
}

/** @param {Uint8Array} bytes @returns {Promise<string>} what tells them from others, in 16 characters */
export async function digest(bytes) {
  const sum = await crypto.subtle.digest("SHA-256", /** @type {Uint8Array<ArrayBuffer>} */ (bytes));
  return Array.from(new Uint8Array(sum, 0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Remove a copy. One that another tab holds stays.
 *
 * @param {FileSystemDirectoryHandle} folder
 * @param {string} name
 */
export async function drop(folder, name) {
  for (const entry of [name, `${name}.json`]) await folder.removeEntry(entry).catch(() => {});
}

/**
 * @param {FileSystemDirectoryHandle} folder
 * @param {string} name
 * @returns {Promise<number>} 0: its bytes are gone
 */
async function sizeOf(folder, name) {
  try {
    return (await (await folder.getFileHandle(name)).getFile()).size;
  } catch {
    return 0;
  }
}

/**
 * @param {FileSystemDirectoryHandle} folder
 * @param {string} name
 * @returns {Promise<Kept | null>} null: there is none, or what is there is none
 */
export async function readRecord(folder, name) {
  try {
    const record = JSON.parse(await (await (await folder.getFileHandle(`${name}.json`)).getFile()).text());
    return [record.url, record.name, record.model].every((text) => typeof text === "string") ? record : null;
  } catch {
    return null;
  }
}

/**
 * @param {FileSystemDirectoryHandle} folder
 * @returns {Promise<[string, Kept][]>} file name and record of each copy
 */
async function records(folder) {
  /** @type {[string, Kept][]} */
  const found = [];
  for await (const entry of folder.keys()) {
    const name = entry.replace(/\.json$/, "");
    const record = name === entry ? null : await readRecord(folder, name);
    if (record) found.push([name, record]);
  }
  return found;
}
