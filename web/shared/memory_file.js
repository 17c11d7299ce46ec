/**
 * Where Python's memory is kept on this device (see worker/memory.js): two files in the origin private file system, the
 * bytes and beside them a small JSON file that tells what they are.
 */

import { digest } from "./kept.js";
import { address } from "./site.js";

const FOLDER = "python";

/**
 * @returns {Promise<{folder: FileSystemDirectoryHandle, name: string}>} the name of the bytes, which other sites of this
 *   origin don't use; that of the other file is the same with ".json"
 * @throws {Error} the browser keeps nothing for this page
 */
export async function memoryFiles() {
  const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
  return { folder, name: await digest(new TextEncoder().encode(address("./"))) };
}

/** @returns {Promise<boolean>} whether there is one, which the next visit can begin with */
export async function isMemoryKept() {
  try {
    const { folder, name } = await memoryFiles();
    return (await (await folder.getFileHandle(`${name}.json`)).getFile()).size > 0;
  } catch {
    return false;
  }
}

/** Keep no memory any more. */
export async function forgetMemory() {
  try {
    const { folder, name } = await memoryFiles();
    for (const entry of [`${name}.json`, name]) await folder.removeEntry(entry).catch(() => {});
  } catch {
    // there is none
  }
}
