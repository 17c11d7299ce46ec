/** The storage that the browser gives the page: how much, what lies there, and for how long. */

import { memoryFiles } from "../shared/memory_file.js";

/**
 * Whether the browser promises to keep what lies here; a worker can't ask for that.
 *
 * @param {boolean} [please] ask for it, which may ask the visitor
 */
export async function persistent(please) {
  try {
    return (await (please ? navigator.storage?.persist?.() : navigator.storage?.persisted?.())) ?? false;
  } catch {
    return false;
  }
}

/** @returns {Promise<{usage: number, quota: number}>} bytes that this site uses, and may use; 0 where the browser tells none */
export async function room() {
  try {
    const { usage = 0, quota = 0 } = (await navigator.storage?.estimate?.()) ?? {};
    return { usage, quota };
  } catch {
    return { usage: 0, quota: 0 };
  }
}

/** Sites in other folders of this origin have caches of their own: see sw.js. */
const family = `py_wgml ${new URL("./", location.href).pathname} `;

/** @returns {Promise<number>} bytes of the page's own files that the service worker keeps */
export async function keptPage() {
  let sum = 0;
  try {
    for (const name of await caches.keys()) {
      if (!name.startsWith(family)) continue;
      const cache = await caches.open(name);
      for (const request of await cache.keys()) sum += (await (await cache.match(request))?.blob())?.size ?? 0;
    }
  } catch {
    // site data are blocked: there are none
  }
  return sum;
}

/** Keep the page for no visit without a network, until the next one with it. */
export async function forgetPage() {
  try {
    await (await navigator.serviceWorker.getRegistration())?.unregister();
    for (const name of await caches.keys()) if (name.startsWith(family)) await caches.delete(name);
  } catch {
    // there was nothing
  }
}

/** @returns {Promise<number>} bytes of Python's memory (see shared/memory_file.js) */
export async function keptMemory() {
  try {
    const { folder, name } = await memoryFiles();
    return (await (await folder.getFileHandle(name)).getFile()).size;
  } catch {
    return 0;
  }
}
