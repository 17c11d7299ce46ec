/**
 * Finds the file that a reference means (see shared/reference.js), and asks its server how large it is.
 *
 * @import { ModelSource } from "../shared/protocol.js"
 * @import { Place } from "../shared/reference.js"
 */

import { Failure } from "../shared/failure.js";
import { decoded, meant, nameOf, placeOf, split } from "../shared/reference.js";
import { addressOrNull } from "../shared/site.js";
import { ask, filesAt, sourceOf } from "./hub.js";

/**
 * @param {string} reference an address (`https://...`, or relative with `./` or `/` before it), or
 *   `owner/repository/file.gguf` with `@revision` behind it if that is not `main`; of a split model, any of its files; or
 *   `owner/repository`, with `:` and a kind of numbers behind it or the usual one
 * @returns {Promise<ModelSource>} with size and sha256 as far as its server tells them
 * @throws {Failure} it is none, or its server does not have it
 */
export async function resolve(reference) {
  const [first, ...rest] = await filesOf(reference.trim());
  for (const file of rest) file.model = first.url;
  return rest.length ? { ...first, rest } : first;
}

/**
 * @param {string} text
 * @returns {Promise<ModelSource[]>}
 */
async function filesOf(text) {
  const place = placeOf(text);
  if (place) return onHub(place);
  const url = /^(https?:\/|\.?\/)/i.test(text) ? addressOrNull(text) : null;
  if (url) return onServer(url);
  throw new Failure("That is neither an address (https://…) nor a file on Hugging Face (owner/repository/file.gguf).");
}

/**
 * @param {Place} place
 * @returns {Promise<ModelSource[]>}
 */
async function onHub(place) {
  const { repository, kind } = place;
  const folder = place.path ? place.path.split("/").slice(0, -1).join("/") : "?recursive=true";
  const models = await filesAt(place, folder);
  const path =
    meant(
      place,
      models.map((entry) => entry.path),
    ) ?? "";
  return split(path).map((wanted) => {
    const entry = models.find((entry) => entry.path === wanted);
    if (!entry) {
      const names = models.map((entry) => entry.path).join(", ");
      const why = wanted || kind ? `has no ${wanted || `file of the kind ${kind}`}` : "has several files";
      throw new Failure(`${repository} ${why}; its models are: ${names || "none"}.`);
    }
    return sourceOf(place, entry);
  });
}

/**
 * @param {string} first
 * @returns {Promise<ModelSource[]>}
 */
async function onServer(first) {
  return Promise.all(
    split(first).map(async (url) => {
      const response = await ask(url, { method: "HEAD" });
      if (response.status === 404 || response.status === 410) throw new Failure(`The server has no ${url}.`);
      const length = response.ok && !response.headers.has("content-encoding") && response.headers.get("content-length");
      return { name: nameOf(decoded(new URL(url).pathname)), url, bytes: length ? Number(length) : undefined };
    }),
  );
}
