/**
 * The copies of models that are kept on this device, in the origin private file system: where they lie, how to find
 * one and how to remove it. keeper.js writes them.
 *
 * A copy is two files: the bytes, appended as they arrive, and beside them a small JSON file that says which version
 * of the server's file they belong to. It is whole when it is as long as that says.
 *
 * @typedef {object} Version what tells one state of a file on a server from another; absent: the server does not say
 * @property {number} [size] bytes
 * @property {string} [etag]
 * @property {string} [modified]
 */

const FOLDER = "models";

/**
 * Remove the copy of a model from this device, whole or in part.
 *
 * @param {string} url
 * @returns {Promise<void>}
 */
export async function forget(url) {
  const folder = await storage();
  const name = await keptName(url);
  for (const entry of [name, `${name}.json`]) await folder?.removeEntry(entry).catch(() => {}); // was not there
}

/**
 * @param {FileSystemDirectoryHandle} folder
 * @param {string} url
 * @returns {Promise<{file: File, version: Version} | null>} null: no whole copy is there
 */
export async function keptCopy(folder, url) {
  try {
    const name = await keptName(url);
    const version = await readVersion(folder, name);
    const file = await (await folder.getFileHandle(name)).getFile();
    return version && file.size === version.size ? { file, version } : null;
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
 * @returns {Promise<Version | null>}
 */
export async function readVersion(folder, name) {
  try {
    return JSON.parse(await (await (await folder.getFileHandle(`${name}.json`)).getFile()).text());
  } catch {
    return null;
  }
}
