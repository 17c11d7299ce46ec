/**
 * Finds the file that a reference means (see shared/reference.js), and asks its server how large it is.
 *
 * @import { ModelSource } from "../shared/protocol.js"
 * @import { Place } from "../shared/reference.js"
 */

import { Failure } from "../shared/failure.js";
import { HUB, decoded, hubAddress, meant, nameOf, placeOf, split } from "../shared/reference.js";
import { addressOrNull } from "../shared/site.js";
import { unreachable } from "./reach.js";

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
  const { repository, revision, kind } = place;
  const folder = place.path ? place.path.split("/").slice(0, -1).join("/") : "?recursive=true";
  const response = await ask(`${HUB}/api/models/${repository}/tree/${encodeURIComponent(revision)}/${folder}`, {});
  if (!response.ok) throw new Failure(refusal(response, repository, revision, folder));
  const entries = await listOf(response, repository);
  const models = entries.filter((entry) => entry.path.toLowerCase().endsWith(".gguf"));
  const path = meant(place, models.map((entry) => entry.path)) ?? "";
  return split(path).map((wanted) => {
    const entry = models.find((entry) => entry.path === wanted);
    if (!entry) {
      const names = models.map((entry) => entry.path).join(", ");
      const why = wanted || kind ? `has no ${wanted || `file of the kind ${kind}`}` : "has several files";
      throw new Failure(`${repository} ${why}; its models are: ${names || "none"}.`);
    }
    const url = hubAddress({ repository, revision, path: wanted });
    return { name: nameOf(wanted), url, bytes: entry.lfs?.size ?? entry.size, sha256: entry.lfs?.oid };
  });
}

/**
 * Why Hugging Face lists no files. It says the same of what never was, what is gone and what is private, so as to give
 * nothing away.
 *
 * @param {Response} response
 * @param {string} repository
 * @param {string} revision
 * @param {string} folder
 */
function refusal({ status, headers }, repository, revision, folder) {
  const code = headers.get("x-error-code");
  const isBusy = status === 429 || status >= 500;
  if (isBusy) return `Hugging Face is busy or out of order: it answered ${status}. Try again later.`;
  if (code === "RevisionNotFound") return `${repository} on Hugging Face has no revision ${revision}.`;
  if (code === "EntryNotFound" || (status === 404 && folder && !code)) {
    return `${repository} on Hugging Face has no folder ${folder}, or is gone itself.`;
  }
  if (code === "GatedRepo" || status === 403) {
    return `${repository} is for those who have agreed to its terms on Hugging Face: download it there, and choose its file here.`;
  }
  if (status === 401 || status === 404) {
    return `Hugging Face has no ${repository} for everyone: it was renamed, deleted or made private, or never was.`;
  }
  return `Hugging Face shows no files of ${repository}: it answered ${status}.`;
}

/**
 * @param {Response} response
 * @param {string} repository
 * @returns {Promise<{path: string, size: number, lfs?: {oid: string, size: number}}[]>}
 */
async function listOf(response, repository) {
  const entries = await response.json().catch(() => null);
  if (Array.isArray(entries)) return entries;
  throw new Failure(`Instead of the files of ${repository} came something else: is there a network that wants you to sign in?`);
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
