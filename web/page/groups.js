/**
 * How the list of conversations is arranged: what is pinned, the folders, the rest by when it was changed, and at the end
 * what is archived.
 *
 * @import { Found } from "./store.js"
 *
 * @typedef {object} Group
 * @property {"pinned" | "folder" | "time" | "archived"} kind
 * @property {string} title
 * @property {Found[]} entries
 * @property {boolean} isFolded its entries are not shown
 */

import { monthOf } from "../shared/format.js";
import { recallJson, remember } from "./remembered.js";
import { strings } from "./strings.js";

/** Which groups the visitor has folded or unfolded: those that are not as they are at first. */
const KEY = "folded";
const kept = recallJson(KEY);
/** @type {Set<unknown>} */
const differing = new Set(Array.isArray(kept) ? kept : []);

/**
 * @param {Found[]} entries the last changed one first
 * @param {boolean} isSearched what was found is shown, wherever it lies
 * @returns {Group[]} those with something in them
 */
export function grouped(entries, isSearched) {
  /** @type {Map<string, Group>} */
  const groups = new Map();
  for (const entry of entries) {
    const { kind, title } = placeOf(entry);
    const key = keyOf(kind, title);
    const isFolded = !isSearched && isGroupFolded(kind, title);
    if (!groups.has(key)) groups.set(key, { kind, title, entries: [], isFolded });
    groups.get(key)?.entries.push(entry);
  }
  const of = (/** @type {Group["kind"]} */ wanted) => [...groups.values()].filter(({ kind }) => kind === wanted);
  const folders = of("folder").sort((a, b) => collator.compare(a.title, b.title));
  return [...of("pinned"), ...folders, ...of("time"), ...of("archived")];
}

/** @param {Found[]} entries @returns {string[]} the folders that there are, by name */
export function foldersOf(entries) {
  return [...new Set(entries.map(({ folder }) => folder ?? ""))].filter(Boolean).sort(collator.compare);
}

/** @param {Group} group */
export function fold({ kind, title }) {
  const key = keyOf(kind, title);
  if (!differing.delete(key)) differing.add(key);
  remember(KEY, JSON.stringify([...differing]));
}

/** What they are called: to find that out takes longer than all else. @type {Map<number, string>} */
const months = new Map();
const collator = new Intl.Collator(strings.language, { numeric: true });

/** @param {Found} entry @returns {Pick<Group, "kind" | "title">} */
function placeOf({ pinned, archived, folder, changed }) {
  if (archived) return { kind: "archived", title: strings.organised.archived };
  if (pinned) return { kind: "pinned", title: strings.organised.pinned };
  return folder ? { kind: "folder", title: folder } : { kind: "time", title: period(changed) };
}

/**
 * @param {Group["kind"]} kind
 * @param {string} title
 */
function isGroupFolded(kind, title) {
  if (kind !== "folder" && kind !== "archived") return false;
  return differing.has(keyOf(kind, title)) !== (kind === "archived");
}

/**
 * @param {Group["kind"]} kind
 * @param {string} title
 */
const keyOf = (kind, title) => (kind === "folder" ? `folder ${title}` : kind === "time" ? `time ${title}` : kind);

/**
 * @param {number} time in milliseconds since 1970
 * @returns {string} how long ago that is, as a heading
 */
function period(time) {
  const midnight = new Date().setHours(0, 0, 0, 0);
  const days = Math.ceil((midnight - time) / 86_400_000);
  const { today, yesterday, lastWeek } = strings.sidebar;
  if (days < 1) return today;
  if (days < 2) return yesterday;
  if (days < 8) return lastWeek;
  const date = new Date(time);
  const month = 12 * date.getFullYear() + date.getMonth();
  if (!months.has(month)) months.set(month, monthOf(time));
  return months.get(month) ?? "";
}
