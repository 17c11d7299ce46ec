/**
 * What a person means who names a model: an address, or a file on the Hugging Face Hub.
 *
 * @import { ModelSource } from "./protocol.js"
 *
 * @typedef {{repository: string, revision: string, path: string}} Place on the hub
 */

import { Failure } from "./failure.js";
import { unreachable } from "./reach.js";
import { address } from "./site.js";

const HUB = "https://huggingface.co";
const HOST = String.raw`(?:https?:\/\/)?(?:www\.)?(?:huggingface\.co|hf\.co)\/`;
const REPOSITORY = String.raw`((?!(?:datasets|spaces)\/)\w[\w.-]*\/\w[\w.-]*)`;
/** A file on the hub, as py_wgml/reference.py has it: tests/data/references.json has the cases of both. */
const FILE = new RegExp(
  String.raw`^(?:(${HOST})|hf:(?:\/\/)?)?${REPOSITORY}\/(?:(?:blob|raw|resolve)\/([^/]+)\/)?([^?#@]+\.gguf)(?:@([^?#]+))?(?:[?#].*)?$`,
  "i",
);
const ALL_OF_IT = new RegExp(String.raw`^(?:${HOST}|hf:(?:\/\/)?)?${REPOSITORY}(?:\/tree\/([^/?#]+))?\/?(?:@([^?#]+))?(?:[?#].*)?$`, "i");
/** How the files of a split model are called: https://github.com/ggml-org/llama.cpp/tree/master/tools/gguf-split */
const SPLIT = /-(\d{5})-of-(\d{5})\.gguf$/i;

/**
 * @param {string} reference an address (`https://...`, or relative with `./` or `/` before it), or
 *   `owner/repository/file.gguf` with `@revision` behind it if that is not `main`; of a split model, any of its files
 * @returns {Promise<ModelSource>} with size and sha256 as far as its server tells them
 * @throws {Failure} it is none, or its server does not have it
 */
export async function resolve(reference) {
  const text = reference.trim();
  const [first, ...rest] = await filesOf(text);
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
  const [, repository, shown, revision] = ALL_OF_IT.exec(text) ?? [];
  if (repository) return onHub({ repository, revision: revision ?? decoded(shown ?? "main"), path: "" });
  if (/^(https?:\/|\.?\/)/i.test(text)) return onServer(address(text));
  throw new Failure("That is neither an address (https://…) nor a file on Hugging Face (owner/repository/file.gguf).");
}

/** @param {string} text @returns {Place | null} the file on the hub that it names */
function placeOf(text) {
  const found = FILE.exec(text);
  if (!found) return null;
  const [, host, repository, shown, path, revision] = found;
  return { repository, revision: revision ?? decoded(shown ?? "main"), path: host ? decoded(path) : path };
}

/** @param {string} reference @returns {string | null} where the file lies that it names; null: it is no address */
export function addressOf(reference) {
  const text = reference.trim();
  const place = placeOf(text);
  return place ? hubAddress(place) : /^https?:\/\//i.test(text) ? text : null;
}

/** @param {Place} place */
function hubAddress({ repository, revision, path }) {
  return `${HUB}/${repository}/resolve/${encodeURIComponent(revision)}/${path.split("/").map(encodeURIComponent).join("/")}`;
}

/** @param {string} text of an address */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // it has a % that begins nothing
  }
}

/**
 * @param {Place} place
 * @returns {Promise<ModelSource[]>}
 */
async function onHub({ repository, revision, path }) {
  const folder = path.split("/").slice(0, -1).join("/");
  const response = await reach(`${HUB}/api/models/${repository}/tree/${encodeURIComponent(revision)}/${folder}`, {});
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
 * @param {string} address
 * @returns {Promise<ModelSource[]>}
 */
async function onServer(address) {
  return Promise.all(
    split(address).map(async (url) => {
      const response = await reach(url, { method: "HEAD" });
      if (response.status === 404) throw new Failure(`The server has no ${url}.`);
      const length = response.ok && !response.headers.has("content-encoding") && response.headers.get("content-length");
      return { name: nameOf(decodeURI(new URL(url).pathname)), url, bytes: length ? Number(length) : undefined };
    }),
  );
}

/**
 * @param {string} url
 * @param {RequestInit} options
 */
async function reach(url, options) {
  try {
    return await fetch(url, { ...options, cache: "no-store" });
  } catch {
    throw new Failure(`${new URL(url).host} could not be asked: ${await unreachable(url)}.`);
  }
}

/**
 * @param {string} path of a file, or an address
 * @returns {string[]} it, or all files of the split model that it is part of
 */
export function split(path) {
  const count = Number(SPLIT.exec(path)?.[2] ?? 1);
  if (count === 1) return [path];
  const number = (/** @type {number} */ index) => String(index + 1).padStart(5, "0");
  return Array.from({ length: count }, (_, index) => path.replace(SPLIT, `-${number(index)}-of-$2.gguf`));
}

/** @param {string} path */
export function nameOf(path) {
  return (path.split("/").at(-1) ?? path).replace(SPLIT, "").replace(/\.gguf$/i, "");
}
