/**
 * Finds the file that a reference means (see shared/reference.js), and asks its server how large it is.
 *
 * @import { ModelSource } from "../shared/protocol.js"
 * @import { Place } from "../shared/reference.js"
 */

import { Failure } from "../shared/failure.js";
import { HUB, decoded, hubAddress, nameOf, placeOf, split } from "../shared/reference.js";
import { addressOrNull } from "../shared/site.js";
import { unreachable } from "./reach.js";

/**
 * @param {string} reference an address (`https://...`, or relative with `./` or `/` before it), or
 *   `owner/repository/file.gguf` with `@revision` behind it if that is not `main`; of a split model, any of its files
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
async function onHub({ repository, revision, path }) {
  const folder = path.split("/").slice(0, -1).join("/");
  const response = await ask(`${HUB}/api/models/${repository}/tree/${encodeURIComponent(revision)}/${folder}`, {});
  if (!response.ok) throw new Failure(`Hugging Face shows no ${repository} to everyone: it answered ${response.status}.`);
  /** @type {{path: string, size: number, lfs?: {oid: string, size: number}}[]} */
  const entries = await response.json();
  const models = entries.filter((entry) => entry.path.toLowerCase().endsWith(".gguf"));
  return split(path).map((wanted) => {
    const entry = models.find((entry) => entry.path === wanted);
    if (!entry) {
      const names = models.map((entry) => entry.path).join(", ");
      throw new Failure(`${repository} ${path ? `has no ${wanted}` : "has several files"}; its models are: ${names || "none"}.`);
    }
    const url = hubAddress({ repository, revision, path: wanted });
    return { name: nameOf(wanted), url, bytes: entry.lfs?.size ?? entry.size, sha256: entry.lfs?.oid };
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
      if (response.status === 404) throw new Failure(`The server has no ${url}.`);
      const length = response.ok && !response.headers.has("content-encoding") && response.headers.get("content-length");
      return { name: nameOf(decoded(new URL(url).pathname)), url, bytes: length ? Number(length) : undefined };
    }),
  );
}

/**
 * @param {string} url
 * @param {RequestInit} options
 */
async function ask(url, options) {
  try {
    return await fetch(url, { ...options, cache: "no-store" });
  } catch {
    throw new Failure(`${new URL(url).host} could not be asked: ${await unreachable(url)}.`);
  }
}
