/**
 * What Hugging Face tells everyone: the files of a repository, how its model is best sampled, and the repositories that
 * have models. Asked only when the visitor names one, or searches.
 *
 * @import { HubRepository, ModelSource } from "../shared/protocol.js"
 * @import { Place } from "../shared/reference.js"
 */

import { Failure } from "../shared/failure.js";
import { HUB, hubAddress, nameOf, placeOf, split } from "../shared/reference.js";
import { unreachable } from "./reach.js";

/** So many repositories are shown. */
const FOUND = 20;

/**
 * @param {string} query
 * @returns {Promise<HubRepository[]>} those with GGUF files that have it in their name, downloaded most first
 * @throws {Failure}
 */
export async function search(query) {
  const order = { sort: "downloads", direction: "-1", limit: String(FOUND) };
  const wanted = new URLSearchParams({ search: query, filter: "gguf", ...order });
  for (const more of ["downloads", "gated", "tags"]) wanted.append("expand[]", more);
  const response = await ask(`${HUB}/api/models?${wanted}`);
  if (!response.ok)
    throw new Failure(busy(response) ?? `Hugging Face could not search: it answered ${response.status}.`);
  const found = await listOf(response, "what was found");
  return found.flatMap(({ id, downloads, gated, tags }) => {
    if (typeof id !== "string") return [];
    const license = (Array.isArray(tags) ? tags : []).find((tag) => String(tag).startsWith("license:"));
    const about = { name: id, downloads: Number(downloads) || 0, gated: Boolean(gated) };
    return [license ? { ...about, license: String(license).slice("license:".length) } : about];
  });
}

/**
 * @param {string} repository
 * @returns {Promise<{architecture?: string, models: ModelSource[]}>} those that lie in one file each, the smallest first
 * @throws {Failure}
 */
export async function browse(repository) {
  const place = { repository, revision: "main", path: "" };
  const [entries, about] = await Promise.all([filesAt(place, "?recursive=true"), aboutRepository(repository)]);
  const models = entries
    .filter(({ path }) => !/(mmproj|imatrix)[^/]*$/i.test(path) && split(path).length === 1)
    .map((entry) => sourceOf(place, entry))
    .sort((a, b) => (a.bytes ?? 0) - (b.bytes ?? 0));
  return { ...about, models };
}

/** @param {string} repository @returns {Promise<{architecture?: string}>} nothing where the hub does not know */
async function aboutRepository(repository) {
  try {
    const response = await ask(`${HUB}/api/models/${repository}?${new URLSearchParams({ "expand[]": "gguf" })}`);
    const architecture = (await response.json()).gguf?.architecture;
    return typeof architecture === "string" ? { architecture } : {};
  } catch {
    return {}; // the file itself says so when it is loaded
  }
}

/**
 * How its makers would have a model sampled, as generation_config.json says: the repository's own, or where it has none
 * that of the model it was made of.
 * https://huggingface.co/docs/transformers/main_classes/text_generation#transformers.GenerationConfig
 *
 * @param {string} repository
 * @returns {Promise<Record<string, unknown>>} what there is in it, by its names; nothing, where there is none for everyone
 * @throws {Failure} the hub could not be asked, or did not answer
 */
export async function generationConfig(repository) {
  const own = await configOf(repository);
  if (own) return own;
  const origin = await originOf(repository);
  return (origin && (await configOf(origin))) || {};
}

/** @param {string} repository @returns {Promise<Record<string, unknown> | null>} null: it has none for everyone */
async function configOf(repository) {
  const response = await ask(hubAddress({ repository, revision: "main", path: "generation_config.json" }));
  return objectOf(response, `how ${repository} is sampled`);
}

/** @param {string} repository @returns {Promise<string | undefined>} the one whose model it has in another form */
async function originOf(repository) {
  const response = await ask(`${HUB}/api/models/${repository}?${new URLSearchParams({ "expand[]": "cardData" })}`);
  const about = await objectOf(response, `what is known of ${repository}`);
  const [name] = [Object(about?.cardData).base_model].flat();
  const place = typeof name === "string" ? placeOf(name) : null;
  return place?.path === "" ? place.repository : undefined;
}

/** @typedef {{path: string, size: number, lfs?: {oid: string, size: number}}} Entry a file */

/**
 * @param {Place} place
 * @param {string} folder of the repository, or "?recursive=true"
 * @returns {Promise<Entry[]>} the GGUF files there
 * @throws {Failure}
 */
export async function filesAt({ repository, revision }, folder) {
  const response = await ask(`${HUB}/api/models/${repository}/tree/${encodeURIComponent(revision)}/${folder}`);
  if (!response.ok) throw new Failure(refusal(response, repository, revision, folder));
  const entries = await listOf(response, `the files of ${repository}`);
  return entries.filter(({ path }) => typeof path === "string" && path.toLowerCase().endsWith(".gguf"));
}

/**
 * @param {Place} place its repository and revision
 * @param {Entry} entry
 * @returns {ModelSource & {url: string}}
 */
export function sourceOf({ repository, revision }, { path, size, lfs }) {
  const url = hubAddress({ repository, revision, path });
  return { name: nameOf(path), url, bytes: lfs?.size ?? size, sha256: lfs?.oid };
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
function refusal(response, repository, revision, folder) {
  const { status, headers } = response;
  const code = headers.get("x-error-code");
  if (busy(response)) return /** @type {string} */ (busy(response));
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

/** @param {Response} response */
function busy({ status }) {
  const isBusy = status === 429 || status >= 500;
  return isBusy ? `Hugging Face is busy or out of order: it answered ${status}. Try again later.` : null;
}

/**
 * @param {Response} response
 * @param {string} what was to come
 * @returns {Promise<any[]>}
 */
async function listOf(response, what) {
  const entries = await response.json().catch(() => null);
  if (Array.isArray(entries)) return entries.filter((entry) => entry && typeof entry === "object");
  throw new Failure(somethingElse(what));
}

/**
 * @param {Response} response
 * @param {string} what was to come
 * @returns {Promise<any>} null: there is none for everyone
 */
async function objectOf(response, what) {
  if (busy(response)) throw new Failure(/** @type {string} */ (busy(response)));
  if (!response.ok) return null;
  const found = await response.json().catch(() => null);
  if (found && typeof found === "object" && !Array.isArray(found)) return found;
  throw new Failure(somethingElse(what));
}

/** @param {string} what was to come */
function somethingElse(what) {
  return `Instead of ${what} came something else: is there a network that wants you to sign in?`;
}

/**
 * @param {string} url
 * @param {RequestInit} [options]
 */
export async function ask(url, options) {
  try {
    return await fetch(url, { ...options, cache: "no-store" });
  } catch {
    throw new Failure(`${new URL(url).host} could not be asked: ${await unreachable(url)}.`);
  }
}
