/** The storage that the browser gives the page: how much, and for how long. */

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
