/**
 * A model for Python in a page that is not this project's, a notebook say: found by its name, and read by the same ways
 * as here, with a copy on this device. py_wgml/gguf_model/browser.py runs it.
 *
 * @import { ModelSource } from "../shared/protocol.js"
 * @import { ModelFile } from "./files.js"
 */

import * as files from "./files.js";
import { CHECK_WITHIN } from "./http.js";
import { resolve } from "./resolve.js";
import { keptCopy, keptModels, storage } from "../shared/kept.js";
import { addressOf, decoded, hubAddress, meant, placeOf, split } from "../shared/reference.js";

/**
 * @param {string} reference as for `resolve`
 * @returns {Promise<ModelSource[]>} its files
 * @throws {Failure} it is none, or its server does not have it, and nothing is kept
 */
export async function find(reference) {
  const kept = await keptFiles(reference);
  const found = resolve(reference).then(({ rest = [], ...first }) => [first, ...rest]);
  if (!kept) return found;
  const late = new Promise((resolve) => setTimeout(resolve, CHECK_WITHIN));
  return Promise.race([found.catch(() => kept), late.then(() => kept)]);
}

/**
 * @param {ModelSource} source
 * @returns {Promise<ModelFile>} as `files.open`
 */
export async function open(source) {
  return files.open(source);
}

/**
 * @param {File} file
 * @returns {Promise<ModelFile>}
 */
export async function openFile(file) {
  return files.open({ name: file.name ?? "the model", file });
}

/**
 * @param {string} reference
 * @returns {Promise<ModelSource[] | null>} null: not all of it is kept
 */
async function keptFiles(reference) {
  const url = addressOf(reference) ?? (await keptOf(reference));
  const folder = url && (await storage());
  if (!folder) return null;
  const copies = await Promise.all(split(url).map((part) => keptCopy(folder, part)));
  const sources = copies.map(
    (copy) => copy && { name: copy.record.name, url: copy.record.url, model: copy.record.model },
  );
  return sources.every((source) => source !== null) ? sources : null;
}

/**
 * @param {string} reference
 * @returns {Promise<string | null>} the address of what is kept of the repository that it names, if that is meant
 */
async function keptOf(reference) {
  const place = placeOf(reference.trim());
  if (!place) return null;
  const start = hubAddress({ ...place, path: "" });
  const urls = (await keptModels()).map(({ url }) => url).filter((url) => url.startsWith(start));
  const path = meant(
    place,
    urls.map((url) => decoded(url.slice(start.length))),
  );
  return path ? hubAddress({ ...place, path }) : null;
}
