/** What the browser promises of the storage that it gives the page; a worker can't ask for it. */

/**
 * Whether the browser promises to keep what lies here.
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
