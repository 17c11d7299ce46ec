/**
 * Search by meaning, beside that by words: a small model that makes vectors of texts. It is the site's own, or comes from
 * Hugging Face when the visitor asks for it; it is loaded beside the chat model when files are searched, and its vectors
 * stay with the file.
 *
 * @import { App } from "./app.js"
 * @import { AttachedFile } from "./attached.js"
 * @import { ModelSource, Ready } from "../shared/protocol.js"
 */

import { searchModel } from "./choice.js";
import { documentOf } from "./passages.js";
import { percent } from "../shared/format.js";
import { keptModels } from "../shared/kept.js";
import { strings } from "./strings.js";
import { toast } from "./toasts.js";

/** Its download, about. */
export const BYTES = 25e6;
/** What it takes on the GPU, with all that it computes with. */
const MEMORY = 100e6;
/** Passages whose vectors are made at once: between two such lots one can stop. */
const AT_ONCE = 48;

class Meaning {
  /** Whose vectors count: its address. */
  model = "";
  /** Beside which chat model it was loaded, or could not be: the next one takes its room. @type {Ready | null} */
  #beside = null;
  #isLoaded = false;

  /** @param {App} app @returns {ModelSource} */
  #source({ site }) {
    const source = searchModel(site);
    this.model = source.url ?? "";
    return source;
  }

  /** Whether it can be had without a download that nobody asked for. @param {App} app */
  async isThere(app) {
    const { url } = this.#source(app);
    if (app.site?.embedding || (this.#isLoaded && this.#beside === app.ready)) return true;
    return (await keptModels()).some((model) => model.url === url && model.whole);
  }

  /**
   * Load it: download it, if need be.
   *
   * @param {App} app
   * @param {(share: number) => void} tell how much of it has come, from 0 to 1
   * @param {boolean} [again] even if that has failed before
   * @returns {Promise<boolean>} whether it is loaded; it is told if not
   */
  async load(app, tell, again = false) {
    const { engine, ready } = app;
    if (!engine || !ready) return false;
    if (this.#beside === ready && (this.#isLoaded || !again)) return this.#isLoaded;
    this.#beside = ready;
    this.#isLoaded = false;
    try {
      if (!(await engine.hasRoom(MEMORY))) throw new Error(strings.files.noRoom);
      await engine.load(this.#source(app), { beside: true }, ({ stage, loaded, total }) => {
        if (stage === "download") tell(loaded / (total || BYTES));
      });
      this.#isLoaded = true;
    } catch (error) {
      toast(strings.files.noMeaning(/** @type {Error} */ (error).message));
    }
    return this.#isLoaded;
  }

  /**
   * Have the vectors of all passages of some files.
   *
   * @param {App} app
   * @param {AttachedFile[]} files
   * @param {AbortSignal} signal
   * @param {(state: string) => void} tell what is being done
   * @returns {Promise<boolean>} whether there are any
   */
  async learn(app, files, signal, tell) {
    if (!(await this.isThere(app)) || !(await this.load(app, () => {}))) return false;
    const missing = files.filter(({ vectors }) => vectors?.model !== this.model);
    try {
      for (const file of missing)
        await this.#read(app, file, signal, (share) => tell(strings.files.reading(file.name, percent(share))));
    } catch (error) {
      if (!signal.aborted) toast(strings.files.noMeaning(/** @type {Error} */ (error).message));
      return false;
    }
    return true;
  }

  /**
   * @param {App} app
   * @param {AttachedFile} file
   * @param {AbortSignal} signal
   * @param {(share: number) => void} tell
   */
  async #read({ engine }, file, signal, tell) {
    if (!engine) return;
    const texts = await engine.passages(documentOf(file));
    const lots = [];
    for (let start = 0; start < texts.length; start += AT_ONCE) {
      signal.throwIfAborted();
      tell(Math.round((100 * start) / texts.length) / 100);
      const { vectors, width } = await engine.embed(texts.slice(start, start + AT_ONCE), null, true);
      lots.push(smaller(new Float32Array(vectors.slice().buffer), width));
    }
    file.vectors = { model: this.model, data: lots.join("") };
  }
}

export const meaning = new Meaning();

/**
 * @param {Float32Array} vectors one behind the other
 * @param {number} width
 * @returns {string} each number in a byte, in base64. (Lots of 48 vectors can be joined: their bytes are a multiple of 3.)
 */
function smaller(vectors, width) {
  const bytes = new Int8Array(vectors.length);
  for (let start = 0; start < vectors.length; start += width) {
    const vector = vectors.subarray(start, start + width);
    const scale =
      127 /
      Math.max(
        1e-9,
        vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0),
      );
    for (const [index, value] of vector.entries()) bytes[start + index] = Math.round(value * scale);
  }
  return btoa(Array.from(new Uint8Array(bytes.buffer), (byte) => String.fromCharCode(byte)).join(""));
}
