/**
 * Handles of files in the origin private file system, which lock them and write in their place. Workers open them; a page
 * (a notebook may run Python there) leaves that to a worker of its own.
 *
 * @typedef {{[name in "getSize" | "read" | "write" | "truncate" | "flush" | "close"]:
 *   (...given: Parameters<FileSystemSyncAccessHandle[name]>) =>
 *     ReturnType<FileSystemSyncAccessHandle[name]> | Promise<ReturnType<FileSystemSyncAccessHandle[name]>>
 * }} Handle the methods of a FileSystemSyncAccessHandle, whose results may take a while
 */

/**
 * @param {FileSystemFileHandle} file
 * @returns {Promise<Handle>} rejected where it is open already, and where there are no such handles
 */
export async function openHandle(file) {
  if ("createSyncAccessHandle" in file) return file.createSyncAccessHandle();
  const worker = new Worker(URL.createObjectURL(new Blob([`(${serve})()`], { type: "text/javascript" })));
  /** @type {{resolve: (value: any) => void, reject: (error: Error) => void}[]} */
  const asked = []; // and not answered yet, in order
  const fail = (/** @type {Error} */ error) => asked.splice(0).forEach(({ reject }) => reject(error));
  worker.onerror = () => fail(new Error("a worker could not be started"));
  worker.onmessage = ({ data: { value, error } }) => {
    const { resolve, reject } = /** @type {typeof asked[0]} */ (asked.shift());
    if (error) reject(new Error(error));
    else resolve(value);
  };
  const ask = (/** @type {string} */ method, /** @type {unknown[]} */ ...given) =>
    new Promise((resolve, reject) => {
      asked.push({ resolve, reject });
      worker.postMessage({ method, given });
    });
  const close = async () => {
    await ask("close").finally(() => worker.terminate());
  };
  try {
    await ask("open", file);
  } catch (error) {
    worker.terminate();
    throw error;
  }
  return {
    getSize: () => ask("getSize"),
    read: async (bytes, options) => {
      const view = /** @type {Uint8Array} */ (bytes);
      const got = await ask("read", view.length, options);
      view.set(got);
      return got.length;
    },
    write: (bytes, options) => ask("write", bytes, options),
    truncate: (size) => ask("truncate", size),
    flush: () => ask("flush"),
    close,
  };
}

/** What the worker runs: nothing of this file but these lines. */
function serve() {
  /** @type {any} */
  let handle;
  onmessage = async ({ data: { method, given } }) => {
    try {
      let value;
      if (method === "open") handle = await given[0].createSyncAccessHandle();
      else if (method === "read") {
        value = new Uint8Array(given[0]);
        value = value.subarray(0, handle.read(value, given[1]));
      } else value = handle[method](...given);
      postMessage({ value });
    } catch (error) {
      postMessage({ error: String(error) });
    }
  };
}
