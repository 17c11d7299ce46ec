/**
 * Conversations as files of the visitor's: saved, and read back.
 *
 * @import { Store } from "./store.js"
 */

import { bytes } from "../shared/format.js";
import { strings } from "./strings.js";
import { toast } from "./toasts.js";
import { fromFile } from "./transfer.js";

/** Of a file, in bytes: a browser's string can't be much longer, so no export is either. */
const LARGEST = 500e6;

/**
 * @param {string} name
 * @param {() => string} write
 */
export function saveText(name, write) {
  let text;
  try {
    text = write();
  } catch {
    return toast(strings.transfer.tooMuch); // for a string
  }
  save(new File([text], name, { type: "text/plain" }));
}

/** @param {File} file */
export function save(file) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser has begun to read it by then
}

/** @param {string} name of a conversation @returns {string} a file's, without its suffix */
export function fileName(name) {
  return (
    name
      .replaceAll(/[^\p{L}\p{M}\p{N} _-]/gu, "")
      .trim()
      .slice(0, 50) || strings.transfer.fileName
  );
}

/**
 * Let the visitor choose files to import.
 *
 * @param {Store} store
 * @param {() => unknown} done something may have been added
 */
export function chooseImports(store, done) {
  const input = document.createElement("input");
  Object.assign(input, { type: "file", multiple: true, accept: ".json,.md,.markdown" });
  input.addEventListener("change", async () => {
    let count = 0;
    for (const file of input.files ?? []) count += await importFile(store, file);
    if (count) toast(strings.transfer.imported(count));
    done();
  });
  input.click();
}

/**
 * @param {Store} store
 * @param {File} file
 * @returns {Promise<number>} conversations that it had; what is wrong with it has been told
 */
async function importFile(store, file) {
  if (file.size > LARGEST) {
    toast(strings.transfer.tooLarge(file.name, bytes(LARGEST)));
    return 0;
  }
  let count = 0;
  try {
    for (const record of fromFile(await file.text())) {
      await store.save(record);
      count++;
    }
  } catch {
    toast(strings.transfer.unreadable(file.name));
  }
  return count;
}
