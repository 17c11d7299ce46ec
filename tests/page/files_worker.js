/** Reads a model through files.js in a worker and says what it saw. */

import { open, prefetch } from "./worker/files.js";
import { Gpu } from "./worker/gpu.js";

/** As much of a device as an upload needs. */
const device = {
  queue: { writeBuffer() {}, onSubmittedWorkDone: async () => {} },
  ...{ addEventListener() {}, pushErrorScope() {}, popErrorScope: async () => null, createBuffer: () => ({}) },
  lost: new Promise(() => {}),
};

/** Gives a file's first `bytes` to gpu.js, as Python does with the tensors; `closeAt`: gives up when so many have come. */
async function upload({ source, bytes, closeAt = Infinity }) {
  const gpu = new Gpu({ info: {} }, device, [], {});
  const file = await open(source);
  const table = { getBuffer: () => ({ data: [0, bytes, gpu.buffer(bytes, ""), 0], release() {} }) };
  await gpu.upload(file, table, (at) => at >= closeAt && file.close());
  return { kept: file.kept };
}

const hex = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function read({ source, rewindAfter, closeAfter, pauseFor, watch }) {
  const progress = [];
  const errors = [];
  if (watch) {
    const watcher = { progress: (loaded, total) => progress.push([loaded, total]), error: (e) => errors.push(e.message) };
    prefetch(source, watcher).catch(() => {});
  }
  const file = await open(source);
  const parts = [];
  let arrived;
  if (pauseFor) {
    file.pause(true);
    await wait(300); // what was on its way has come
    arrived = progress.length;
    await wait(pauseFor);
    arrived = progress.length - arrived; // during the pause
    file.pause(false);
  }
  for (let chunk; (chunk = await file.next()) !== null; ) {
    parts.push(chunk);
    if (parts.length === closeAfter) {
      file.close();
      return { closed: true };
    }
    if (parts.length === rewindAfter) {
      file.rewind();
      parts.length = 0;
      rewindAfter = -1;
    }
  }
  const { name, size, cached, kept } = file;
  const sha256 = hex(await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer()));
  const largest = Math.max(...parts.map((part) => part.length));
  return { name, size, cached, kept, sha256, largest, progress, errors, arrived };
}

onmessage = ({ data }) => (data.bytes ? upload : read)(data).then(postMessage, (error) => postMessage({ error: error.message }));
