/**
 * What can be set, in which ranges, and what of something that was kept or imported is good. What is left out is the
 * model's default.
 *
 * @import { LoadOptions, Sampling } from "../shared/protocol.js"
 *
 * @typedef {"low" | "medium" | "high"} Level
 * @typedef {{stop?: string[], system?: string, schema?: string, thinks?: boolean, effort?: Level}} Told
 * @typedef {"temperature" | "top_k" | "top_p" | "min_p" | "repetition_penalty" | "max_tokens" | "seed"} Sampled
 * @typedef {Pick<Sampling, Sampled> & Pick<LoadOptions, "context" | "cache_bits"> & Told} Values
 *
 * @typedef {Omit<Values, "context" | "cache_bits"> & {assistant?: Face}} OwnValues of one conversation: null, of a number, is
 *   the model's default whatever is set for all
 * @typedef {{name: string, mark: string}} Face of the assistant that they come from
 *
 * @typedef {object} Field
 * @property {Sampled | "context"} name
 * @property {number} min
 * @property {number} max
 * @property {number} step
 * @property {[number, number]} [reach] of its slider
 */

/** @type {Record<Sampled | "context", Field>} the numbers, in the ranges that the engine takes */
export const NUMBERS = {
  temperature: { name: "temperature", min: 0, max: 5, step: 0.05, reach: [0, 2] },
  top_k: { name: "top_k", min: 0, max: 10000, step: 1, reach: [0, 100] },
  top_p: { name: "top_p", min: 0, max: 1, step: 0.01, reach: [0, 1] },
  min_p: { name: "min_p", min: 0, max: 1, step: 0.01, reach: [0, 0.5] },
  repetition_penalty: { name: "repetition_penalty", min: 0.5, max: 2, step: 0.01, reach: [0.8, 1.5] },
  max_tokens: { name: "max_tokens", min: 1, max: 1e6, step: 1 },
  seed: { name: "seed", min: 0, max: 2 ** 32 - 1, step: 1 },
  context: { name: "context", min: 64, max: 1e7, step: 1 },
};
const LEVELS = /** @type {const} */ (["low", "medium", "high"]);
/** Names are cut there: they stand in rows. */
const LONGEST_NAME = 60;

/**
 * @param {unknown} kept by this version of the page or by another
 * @returns {Values} what of it is what it should be
 */
export function valuesOf(kept) {
  const { cache_bits, thinks, effort, system, schema, stop, ...numbers } = Object(kept);
  const isText = (/** @type {unknown} */ line) => typeof line === "string" && line !== "";
  return {
    ...numbersOf(numbers, false),
    ...(cache_bits === 8 && { cache_bits }),
    ...(typeof thinks === "boolean" && { thinks }),
    ...(LEVELS.includes(effort) && { effort }),
    ...(isText(system) && { system }),
    ...(isText(schema) && isSchema(schema) && { schema }),
    ...(Array.isArray(stop) && stop.length && stop.every(isText) && { stop }),
  };
}

/**
 * @param {unknown} kept likewise, of one conversation
 * @returns {OwnValues | undefined} nothing: it has none of its own
 */
export function ownValuesOf(kept) {
  const { context: _, cache_bits: __, ...values } = valuesOf(kept);
  const { context: ___, ...numbers } = numbersOf(Object(kept), true);
  const face = faceOf(Object(kept).assistant);
  const own = { ...values, ...numbers, ...(face && { assistant: face }) };
  return Object.keys(own).length ? own : undefined;
}

/** @param {unknown} kept @returns {Face | undefined} */
export function faceOf(kept) {
  const { name, mark } = Object(kept);
  if (typeof name !== "string" || !name.trim()) return undefined;
  return { name: name.trim().slice(0, LONGEST_NAME), mark: typeof mark === "string" ? firstCharacter(mark) : "" };
}

/** What a reader takes for one character: an emoji may be made of many. @param {string} text */
export function firstCharacter(text) {
  return [...new Intl.Segmenter().segment(text.trim())][0]?.segment ?? "";
}

/**
 * @param {any} kept
 * @param {boolean} withNull null is good too
 * @returns {Partial<Record<Sampled | "context", any>>}
 */
function numbersOf(kept, withNull) {
  const isGood = (/** @type {Field} */ { min, max, step }, /** @type {unknown} */ value) =>
    (withNull && value === null) ||
    (typeof value === "number" && value >= min && value <= max && (step !== 1 || Number.isInteger(value)));
  const good = Object.values(NUMBERS).filter((field) => isGood(field, kept[field.name]));
  return Object.fromEntries(good.map(({ name }) => [name, kept[name]]));
}

/**
 * Whether nothing is asked for, or JSON that may be a schema: what it says, the engine looks at.
 *
 * @param {string} text
 */
export function isSchema(text) {
  if (!text.trim()) return true;
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === "object" && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** @param {string} text @returns {string[] | undefined} its lines */
export function listed(text) {
  const lines = text.split("\n").filter(Boolean);
  return lines.length ? lines : undefined;
}
