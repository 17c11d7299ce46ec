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
 * @typedef {Version & {url: string, name: string, model: string, whole?: boolean}} Kept a record. model: the address by
 *   which the model is known (for one that is split into several files, that of its first); whole: all bytes are here
 *   and have been checked
 *
 * @typedef {object} KeptModel
 * @property {string} url
 * @property {string} name
 * @property {number} bytes that lie here
 * @property {boolean} whole
 */

const FOLDER = "models";

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
    const { size } = await (await folder.getFileHandle(name)).getFile();
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
 * @returns {Promise<{file: File, record: Kept} | null>} null: no whole copy is there
 */
export async function keptCopy(folder, url) {
  try {
    const name = await keptName(url);
    const record = await readRecord(folder, name);
    const file = await (await folder.getFileHandle(name)).getFile();
    return record?.whole && file.size === record.size ? { file, record } : null;
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
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(url));
  const hex = Array.from(new Uint8Array(digest, 0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const last = new URL(url).pathname.split("/").at(-1) ?? "";
  return `${hex}-${last.replaceAll(/[^\w.-]/g, "_").slice(-100)}`;
}

/**
 * @param {FileSystemDirectoryHandle} folder
 * @param {string} name
 * @returns {Promise<Kept | null>}
 */
export async function readRecord(folder, name) {
  try {
    return JSON.parse(await (await (await folder.getFileHandle(`${name}.json`)).getFile()).text());
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
