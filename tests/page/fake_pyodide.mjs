/**
 * A test double of Pyodide: a `Session` that loads models one after the other, as that of py_wgml/worker.py, but looks at
 * nothing that is in them. Between their last byte and "ready" lies a moment, as kernels take one.
 */

const KERNELS = 500; // milliseconds

const ready = {
  type: "ready",
  model: {
    name: "Fake 1M", architecture: "llama", parameters: 1e6, file_bytes: 9e6, context_length: 2048,
    vocab_size: 49152, quantization: "Q4_1",
  },
  adapter: {
    vendor: "fake", architecture: "", device: "", description: "", features: [], limits: {},
    trial: { device: "fake", version: "", distrusted: {}, tried: {}, timed: {} },
  },
  seconds: { header: 0.1, weights: 0.2 },
  gpu_bytes: 1e6,
  sampling: { temperature: 0, top_k: 40, top_p: 0.95, min_p: 0.05, repetition_penalty: 1.1 },
};

function session(files, answer) {
  let busy = Promise.resolve();
  let loaded = false;
  const post = (reply) => answer({ toJs: () => reply });
  const load = async ({ id, model, options }) => {
    try {
      const opened = [];
      for (const source of [model, ...(model.rest ?? [])]) opened.push(await files.open(source));
      for (const file of opened) {
        let at = 0;
        for (let piece; (piece = await file.next()); ) at += piece.length;
        if (file.size && at < file.size) throw new Error(`${file.name} is truncated`);
      }
      post({ type: "progress", stage: "kernels", loaded: 0, total: 1 });
      await new Promise((resolve) => setTimeout(resolve, KERNELS));
      loaded = true;
      const context_length = options?.context ?? ready.model.context_length;
      post({ ...ready, id, model: { ...ready.model, context_length } });
    } catch ({ message }) {
      post({ type: "error", stage: "load", id, message, loaded });
    }
  };
  return { handle: (request) => (busy = busy.then(() => load(request))) };
}

export async function loadPyodide() {
  const micropip = { install: { callKwargs: async () => {} }, destroy() {} };
  const modules = { micropip, "py_wgml.worker": { Session: session, prepare() {} } };
  return {
    FS: { writeFile() {}, unlink() {} },
    pyimport: (name) => modules[name],
    ...{ toPy: (value) => Object.assign(value, { destroy() {} }), runPython() {}, registerJsModule() {} },
    ...{ _api: {}, _module: { HEAPU8: new Uint8Array(1) } },
  };
}
