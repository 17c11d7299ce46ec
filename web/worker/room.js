/** Whether the GPU has the memory that a model needs: tried out, since WebGPU tells it no other way. */

const PIECE = 2 ** 28;
/** More than any device has. */
const MOST = 2 ** 42;

/**
 * @param {number} bytes
 * @returns {Promise<boolean>} false if the GPU does not give so much; all of it is given back
 */
export async function hasRoom(bytes) {
  if (typeof bytes !== "number" || !(bytes >= 0)) throw new TypeError("bytes is not a size");
  if (bytes > MOST) return false;
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  const device = await adapter?.requestDevice();
  if (!device) return false;
  let enough = true;
  for (let left = bytes; enough && left > 0; left -= PIECE) {
    device.pushErrorScope("out-of-memory");
    const size = Math.ceil(Math.min(PIECE, left) / 4) * 4;
    device.createBuffer({ size, usage: GPUBufferUsage.STORAGE });
    enough = !(await device.popErrorScope());
  }
  device.destroy();
  return enough;
}
