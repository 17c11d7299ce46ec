/**
 * Whether this browser can run a model at all. Works in the page and in a worker.
 *
 * @typedef {"ok" | "insecure" | "missing" | "no-adapter"} Support
 *   insecure: browsers give WebGPU only to https:// and localhost; missing: this browser has no WebGPU;
 *   no-adapter: it has, and finds no graphics processor to use
 *
 * @returns {Promise<Support>}
 */
export async function support() {
  if (!isSecureContext) return "insecure";
  if (!navigator.gpu) return "missing";
  const adapter = await navigator.gpu.requestAdapter().catch(() => null);
  return adapter ? "ok" : "no-adapter";
}
