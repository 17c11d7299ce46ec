/**
 * What a person means who names a model: an address, or a file on the Hugging Face Hub.
 *
 * @typedef {{repository: string, revision: string, path: string, kind?: string}} Place on the hub; path is "" for one that is
 *   still to be found, of the kind of numbers that is named
 */

export const HUB = "https://huggingface.co";
const HOST = String.raw`(?:https?:\/\/)?(?:www\.)?(?:huggingface\.co|hf\.co)\/`;
const REPOSITORY = String.raw`((?!(?:datasets|spaces)\/)\w[\w.-]*\/\w[\w.-]*)`;
/** A file on the hub, as py_wgml/reference.py has it: tests/data/references.json has the cases of both. */
const FILE = new RegExp(
  String.raw`^(?:(${HOST})|hf:(?:\/\/)?)?${REPOSITORY}\/(?:(?:blob|raw|resolve)\/([^/]+)\/)?([^?#@]+\.gguf)(?:@([^?#]+))?(?:[?#].*)?$`,
  "i",
);
const ALL_OF_IT = new RegExp(
  String.raw`^(?:${HOST}|hf:(?:\/\/)?)?${REPOSITORY}(?:\/tree\/([^/?#]+))?\/?(?::([\w.-]+))?(?:@([^?#]+))?(?:[?#].*)?$`,
  "i",
);
/** How the files of a split model are called: https://github.com/ggml-org/llama.cpp/tree/master/tools/gguf-split */
const SPLIT = /-(\d{5})-of-(\d{5})\.gguf$/i;

/** @param {string} text @returns {Place | null} what on the hub it names */
export function placeOf(text) {
  const found = FILE.exec(text);
  if (found) {
    const [, host, repository, shown, path, revision] = found;
    return { repository, revision: revision ?? decoded(shown ?? "main"), path: host ? decoded(path) : path };
  }
  const [, repository, shown, kind, revision] = ALL_OF_IT.exec(text) ?? [];
  return repository ? { repository, revision: revision ?? decoded(shown ?? "main"), path: "", kind } : null;
}

/** What is taken where no kind is named, the first that there is, as py_wgml/downloads/hub.py has it. */
const USUAL = ["Q4_K_M", "Q4_0", "Q4_K_S", "Q4_1", "Q5_K_M", "Q8_0"];

/**
 * @param {Place} place
 * @param {string[]} paths of the repository's models
 * @returns {string | undefined} the one that is meant, of a split model its first file; undefined: none, or any
 */
export function meant({ path, kind }, paths) {
  if (path) return path;
  const found = paths.filter((path) => !/(mmproj|imatrix)[^/]*$/i.test(path) && split(path)[0] === path);
  for (const wanted of kind ? [kind] : USUAL) {
    const stands = new RegExp(`(^|[-_./])${wanted.replaceAll(".", "\\.")}[-_./]`, "i");
    const fitting = found.filter((path) => stands.test(path)).sort((a, b) => a.length - b.length);
    if (fitting.length) return fitting[0];
  }
  return kind || found.length !== 1 ? undefined : found[0];
}

/** @param {string} reference @returns {string | null} where the file lies that it names; null: it is no address */
export function addressOf(reference) {
  const text = reference.trim();
  const place = placeOf(text);
  return place?.path ? hubAddress(place) : /^https?:\/\//i.test(text) ? text : null;
}

/** @param {Place} place */
export function hubAddress({ repository, revision, path }) {
  return `${HUB}/${repository}/resolve/${encodeURIComponent(revision)}/${path.split("/").map(encodeURIComponent).join("/")}`;
}

/** @param {string} text of an address */
export function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // it has a % that begins nothing
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
