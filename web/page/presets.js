/**
 * Ways of answering, each a few numbers that go together.
 *
 * @import { Sampled } from "./settings_values.js"
 *
 * @typedef {"recommended" | "precise" | "balanced" | "creative"} Preset
 */

/** What a preset sets, all of it: what one leaves out is the model's default. */
export const PRESET_NAMES = /** @type {const} */ (["temperature", "top_k", "top_p", "min_p", "repetition_penalty"]);

/** @type {Record<Preset, Partial<Record<Sampled, number>>>} */
export const PRESETS = {
  recommended: {},
  precise: { temperature: 0.2, top_k: 20, top_p: 0.9, min_p: 0.05 },
  balanced: { temperature: 0.7, top_k: 40, top_p: 0.95, min_p: 0.05 },
  creative: { temperature: 1.1, top_k: 0, top_p: 1, min_p: 0.05 },
};

/**
 * @param {Partial<Record<Sampled, number | null>>} values
 * @returns {Preset | undefined} the one that they are
 */
export function presetOf(values) {
  const presets = /** @type {Preset[]} */ (Object.keys(PRESETS));
  return presets.find((preset) => PRESET_NAMES.every((name) => (values[name] ?? undefined) === PRESETS[preset][name]));
}
