/**
 * What Python needs of `navigator.gpu` that JavaScript does better: a model step replayed in one call, bytes that go from
 * a stream to the GPU without a stop in Python's memory. Objects of WebGPU stay here; Python holds their numbers.
 */

/**
 * @typedef {object} Options
 * @property {string[]} features optional features to use where the adapter has them
 * @property {string[]} languageFeatures those of WGSL to look for
 * @property {Record<string, number>} defaultLimits the limits to ask more of
 * @property {boolean} raiseLimits ask for as much of them as the adapter has
 *
 * @typedef {object} Chunks a file as it arrives: web/worker/files.js
 * @property {string} name
 * @property {number | undefined} size
 * @property {() => Promise<Uint8Array<ArrayBuffer> | null>} next
 * @property {() => Promise<void>} refuse keep no copy of it: it is not what it should be
 *
 * @typedef {object} PyBuffer a Python object with the buffer protocol, by Pyodide
 * @property {(type: string) => {data: any, release: () => void}} getBuffer
 *
 * @typedef {object} CompileError
 * @property {number} pipeline
 * @property {number} line of the WGSL, from 1 on
 * @property {string} message
 *
 * @typedef {object} Program
 * @property {GPUComputePipeline[]} pipelines
 * @property {GPUBindGroup[]} groups
 * @property {Uint32Array} counts x, y and z of each dispatch
 */

/** Bytes written to the GPU before we wait for it to have taken them: bounds the browser's own copies. */
const IN_TRANSIT = 64 * 2 ** 20;
/**
 * Runs of a program in one command buffer. With more, the browser's GPU process takes longer for each: what it keeps of
 * every dispatch no longer fits its caches.
 */
const RUNS_AT_ONCE = 4;
/** Reads of up to this many bytes share staging buffers. */
const SMALL_READ = 256;

/**
 * @param {Options} options
 * @returns {Promise<Gpu>}
 * @throws {Error} one line that says what is missing
 */
export async function open({ features, languageFeatures, defaultLimits, raiseLimits }) {
  if (!navigator.gpu) throw new Error("this browser has no WebGPU");
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new Error("the browser offers no GPU to this page");
  const limits = Object.fromEntries(
    Object.entries(defaultLimits).map(([name, value]) => [
      name,
      raiseLimits ? /** @type {any} */ (adapter.limits)[name] : value,
    ]),
  );
  const wanted = /** @type {GPUFeatureName[]} */ (features.filter((name) => adapter.features.has(name)));
  const device = await adapter.requestDevice({ requiredFeatures: wanted, requiredLimits: limits });
  const language = languageFeatures.filter((name) => navigator.gpu.wgslLanguageFeatures?.has(name));
  return new Gpu(adapter, device, [...wanted, ...language], limits);
}

export class Gpu {
  #device;
  #queue;
  /** @type {(GPUBuffer | null)[]} */
  #buffers = [];
  /** @type {{layout: GPUBindGroupLayout, module: GPUShaderModule, compiling: Promise<GPUComputePipeline | null>,
   *          pipeline: GPUComputePipeline | null}[]} */
  #pipelines = [];
  /** Pipelines that nobody waits for. @type {Set<number>} */
  #discarded = new Set();
  /** @type {Map<string, GPUBindGroupLayout>} */
  #layouts = new Map();
  /** @type {GPUBuffer[]} */
  #staging = [];
  /** @type {Promise<GPUError | null>[]} of buffers that may not have got their memory */
  #allocating = [];

  /**
   * @param {GPUAdapter} adapter
   * @param {GPUDevice} device
   * @param {string[]} features
   * @param {Record<string, number>} limits
   */
  constructor(adapter, device, features, limits) {
    this.#device = device;
    this.#queue = device.queue;
    const {
      vendor,
      architecture,
      device: name,
      description,
      subgroupMinSize,
      subgroupMaxSize,
      isFallbackAdapter,
    } = /** @type {any} */ (adapter.info);
    this.info = {
      ...{ vendor, architecture, device: name, description, subgroupMinSize, subgroupMaxSize },
      // Older browsers have it on the adapter itself.
      isFallbackAdapter: isFallbackAdapter ?? /** @type {any} */ (adapter).isFallbackAdapter ?? false,
    };
    this.features = features;
    this.limits = limits;
    const outOfMemory = new Promise((resolve) => {
      device.addEventListener("uncapturederror", ({ error }) => {
        console.error(error.message);
        if (error instanceof GPUOutOfMemoryError) resolve({ reason: "out-of-memory", message: error.message });
      });
    });
    /**
     * Resolves when the device is of no more use: lost, with the reason as the browser words it, or "out-of-memory"
     * (what was not given is missing from now on).
     */
    this.lost = Promise.race([device.lost.then(({ reason, message }) => ({ reason, message })), outOfMemory]);
  }

  /** Free everything. */
  close() {
    this.#device.destroy();
  }

  /**
   * @param {number} size in bytes
   * @param {string} label
   * @returns {number} of the new buffer
   */
  buffer(size, label) {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    this.#device.pushErrorScope("out-of-memory");
    const buffer = this.#device.createBuffer({ size, usage, label });
    this.#allocating.push(this.#device.popErrorScope());
    return this.#buffers.push(buffer) - 1;
  }

  /** @returns {Promise<boolean>} whether all buffers made since the last time have got their memory */
  async allocated() {
    const errors = await Promise.all(this.#allocating.splice(0));
    return errors.every((error) => !error);
  }

  /** @param {number} buffer */
  destroyBuffer(buffer) {
    this.#at(buffer).destroy();
    this.#buffers[buffer] = null;
  }

  /**
   * @param {number} buffer
   * @param {number} offset
   * @param {PyBuffer} data
   */
  write(buffer, offset, data) {
    const view = data.getBuffer("u8");
    this.#queue.writeBuffer(this.#at(buffer), offset, view.data);
    view.release();
  }

  /**
   * @param {number} source
   * @param {number} target
   * @param {number} size
   * @param {number} offset in the target
   */
  copy(source, target, size, offset) {
    const encoder = this.#device.createCommandEncoder();
    encoder.copyBufferToBuffer(this.#at(source), 0, this.#at(target), offset, size);
    this.#queue.submit([encoder.finish()]);
  }

  /**
   * @param {string} code WGSL with the entry point `main`
   * @param {string[]} access of each binding of group 0: "uniform", "read" or "read_write"
   * @param {number[]} sizes that its buffer must at least have, in bytes; 0: checked at each dispatch
   * @param {string} label
   * @returns {number} of the pipeline, which compiles from now on
   */
  pipeline(code, access, sizes, label) {
    const layout = this.#layout(access, sizes);
    const module = this.#device.createShaderModule({ code, label });
    const compiling = this.#device
      .createComputePipelineAsync({
        label,
        layout: this.#device.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: { module, entryPoint: "main" },
      })
      .catch(() => null); // `compiled` tells why
    const entry = { layout, module, compiling, pipeline: /** @type {GPUComputePipeline | null} */ (null) };
    compiling.then((pipeline) => (entry.pipeline = pipeline));
    return this.#pipelines.push(entry) - 1;
  }

  /** Nobody waits for it any more. @param {number} pipeline */
  discardPipeline(pipeline) {
    this.#discarded.add(pipeline);
  }

  /** @returns {Promise<CompileError | undefined>} once all pipelines are compiled: the first error, if there is one */
  async compiled() {
    for (const [number, { module, compiling }] of this.#pipelines.entries()) {
      if (this.#discarded.has(number) || (await compiling)) continue;
      const { messages } = await module.getCompilationInfo();
      const error = messages.find(({ type }) => type === "error");
      return { pipeline: number, line: error?.lineNum ?? 1, message: error?.message ?? "the pipeline can't be made" };
    }
  }

  /**
   * @param {PyBuffer} dispatches i32, for each dispatch: its pipeline; x, y and z; how many buffers; the buffers
   * @returns {Program}
   */
  program(dispatches) {
    const view = dispatches.getBuffer("i32");
    const list = /** @type {Int32Array} */ (view.data);
    /** @type {Program} */
    const program = { pipelines: [], groups: [], counts: new Uint32Array(0) };
    const counts = [];
    for (let i = 0; i < list.length;) {
      const { layout, pipeline } = this.#pipelines[list[i]];
      if (!pipeline) throw new Error("a program runs before its pipelines are compiled");
      counts.push(list[i + 1], list[i + 2], list[i + 3]);
      const buffers = list.subarray(i + 5, i + 5 + list[i + 4]);
      program.pipelines.push(pipeline);
      program.groups.push(
        this.#device.createBindGroup({
          layout,
          entries: Array.from(buffers, (buffer, binding) => ({ binding, resource: { buffer: this.#at(buffer) } })),
        }),
      );
      i += 5 + buffers.length;
    }
    view.release();
    program.counts = Uint32Array.from(counts);
    return program;
  }

  /** @param {Program} program */
  run(program) {
    this.#queue.submit([this.#encode(program, 1).finish()]);
  }

  /**
   * Run a program some times over, then read a buffer.
   *
   * @param {Program} program
   * @param {number} times
   * @param {number} buffer
   * @param {number} offset
   * @param {number} size a multiple of 4
   * @returns {Promise<Uint8Array>}
   */
  runAndRead(program, times, buffer, offset, size) {
    const bytes = this.#read(this.#encode(program, times), buffer, offset, size);
    bytes.catch(() => {}); // who has stopped does not look at them any more
    return bytes;
  }

  /**
   * Run a program some times over, shared out evenly among passes.
   *
   * @param {Program} program
   * @param {number} times
   * @param {number} passes
   * @returns {Promise<Uint8Array>} nanoseconds (u64) at which each pass began and ended, by the GPU's clock
   */
  timestamps(program, times, passes) {
    const count = 2 * passes;
    const querySet = this.#device.createQuerySet({ type: "timestamp", count });
    const usage = GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC;
    const clock = this.#buffers.push(this.#device.createBuffer({ size: 8 * count, usage })) - 1;
    const encoder = this.#device.createCommandEncoder();
    const share = (times * program.pipelines.length) / passes;
    for (let i = 0; i < passes; i++) {
      const timestampWrites = { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 };
      encodePass(encoder, program, i * share, (i + 1) * share, timestampWrites);
    }
    encoder.resolveQuerySet(querySet, 0, count, this.#at(clock), 0);
    return this.#read(encoder, clock, 0, 8 * count).finally(() => {
      querySet.destroy();
      this.destroyBuffer(clock);
    });
  }

  /**
   * @param {number} buffer
   * @param {number} offset
   * @param {number} size a multiple of 4
   * @returns {Promise<Uint8Array>} once all work submitted so far is done
   */
  read(buffer, offset, size) {
    return this.#read(this.#device.createCommandEncoder(), buffer, offset, size);
  }

  /**
   * Write parts of a file to buffers as it arrives. It is read to its end, whatever follows the last part: only then it
   * has been checked.
   *
   * @param {Chunks} file
   * @param {PyBuffer} segments f64, in file order, for each: offset in the file; bytes; buffer; offset in the buffer
   * @param {(loaded: number, total: number) => void} progress
   * @throws {Error} the file ends early, or is not what it should be
   */
  async upload(file, segments, progress) {
    const view = segments.getBuffer("f64");
    const table = Float64Array.from(view.data);
    view.release();
    let row = 0; // of the table
    let done = 0; // bytes of that segment
    let position = 0; // in the file
    let inTransit = 0;
    const word = new Uint8Array(4); // writes take whole words: what a chunk leaves of one
    let filled = 0; // bytes of `word`
    for (let chunk; (chunk = await file.next());) {
      const end = position + chunk.length;
      while (row < table.length && table[row] < end) {
        const [offset, size, buffer, target] = table.subarray(row, row + 4);
        const gpuBuffer = this.#at(buffer);
        let piece = chunk.subarray(offset + done - position, offset + size - position);
        const start = target + done - filled;
        done += piece.length;
        const fill = filled ? Math.min(4 - filled, piece.length) : 0;
        word.set(piece.subarray(0, fill), filled);
        filled += fill;
        piece = piece.subarray(fill);
        const isLast = done === size;
        if (filled === 4 || (filled && isLast)) {
          word.fill(0, filled);
          this.#queue.writeBuffer(gpuBuffer, start, word);
          filled = 0;
        }
        const words = piece.length & ~3;
        const from = target + done - piece.length;
        if (words) this.#queue.writeBuffer(gpuBuffer, from, piece, 0, words);
        if (piece.length > words) {
          filled = piece.length - words;
          word.set(piece.subarray(words));
          if (isLast) {
            word.fill(0, filled);
            this.#queue.writeBuffer(gpuBuffer, from + words, word);
            filled = 0;
          }
        }
        if (!isLast) break;
        row += 4;
        done = 0;
      }
      position = end;
      inTransit += chunk.length;
      if (inTransit >= IN_TRANSIT) {
        await this.#queue.onSubmittedWorkDone();
        inTransit = 0;
      }
      progress(position, file.size ?? 0);
    }
    if (row < table.length) {
      await file.refuse();
      throw new Error(`${file.name} is truncated: it ends at byte ${position}`);
    }
    await this.#queue.onSubmittedWorkDone();
  }

  /** @param {number} buffer */
  #at(buffer) {
    return /** @type {GPUBuffer} */ (this.#buffers[buffer]);
  }

  /**
   * @param {string[]} access
   * @param {number[]} sizes
   */
  #layout(access, sizes) {
    const key = [...access, ...sizes].join();
    let layout = this.#layouts.get(key);
    if (!layout) {
      /** @type {Record<string, GPUBufferBindingType>} */
      const types = { uniform: "uniform", read: "read-only-storage", read_write: "storage" };
      layout = this.#device.createBindGroupLayout({
        entries: access.map((kind, binding) => ({
          binding,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type: types[kind], minBindingSize: sizes[binding] },
        })),
      });
      this.#layouts.set(key, layout);
    }
    return layout;
  }

  /**
   * All but the last runs are submitted at once.
   *
   * @param {Program} program
   * @param {number} times
   */
  #encode(program, times) {
    for (; times > RUNS_AT_ONCE; times -= RUNS_AT_ONCE) {
      this.#queue.submit([this.#encode(program, RUNS_AT_ONCE).finish()]);
    }
    const encoder = this.#device.createCommandEncoder();
    encodePass(encoder, program, 0, times * program.pipelines.length);
    return encoder;
  }

  /**
   * @param {GPUCommandEncoder} encoder
   * @param {number} buffer
   * @param {number} offset
   * @param {number} size
   */
  async #read(encoder, buffer, offset, size) {
    const isSmall = size <= SMALL_READ;
    const staging =
      (isSmall && this.#staging.pop()) ||
      this.#device.createBuffer({
        size: isSmall ? SMALL_READ : size,
        usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
      });
    encoder.copyBufferToBuffer(this.#at(buffer), offset, staging, 0, size);
    this.#queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ, 0, size);
    const bytes = new Uint8Array(staging.getMappedRange(0, size).slice(0));
    staging.unmap();
    if (isSmall) this.#staging.push(staging);
    else staging.destroy();
    return bytes;
  }
}

/**
 * A pass of the dispatches `first` up to `end` of a program that is repeated without end.
 *
 * @param {GPUCommandEncoder} encoder
 * @param {Program} program
 * @param {number} first
 * @param {number} end
 * @param {GPUComputePassTimestampWrites} [timestampWrites]
 */
function encodePass(encoder, { pipelines, groups, counts }, first, end, timestampWrites) {
  const pass = encoder.beginComputePass({ timestampWrites });
  for (let index = first; index < end; index++) {
    const i = index % pipelines.length;
    pass.setPipeline(pipelines[i]);
    pass.setBindGroup(0, groups[i]);
    pass.dispatchWorkgroups(counts[3 * i], counts[3 * i + 1], counts[3 * i + 2]);
  }
  pass.end();
}
