/** sha256, of bytes as they come. */

import "../lib/sha256.umd.min.js"; // is no module: it leaves its functions in a global object

/** @returns {Promise<{update: (bytes: Uint8Array) => void, digest: () => string}>} the digest in hexadecimal */
export async function startSum() {
  const { createSHA256 } = /** @type {any} */ (globalThis).hashwasm;
  const sum = await createSHA256();
  sum.init();
  return sum;
}
