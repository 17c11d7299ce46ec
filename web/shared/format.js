/** Numbers, sizes, times and dates as people read them: in English, until `speak` names another language. */

let locale = "en";
/** @type {Map<string, Intl.NumberFormat>} by their options */
const formats = new Map();

/** @param {string} language of all that is formatted from now on, as Intl knows it */
export function speak(language) {
  locale = `${language}-u-nu-latn`; // the digits of code, of names of models and of fields for numbers
  formats.clear();
}

/** @param {Intl.NumberFormatOptions} options */
function number(options) {
  const key = JSON.stringify(options);
  const format = formats.get(key) ?? new Intl.NumberFormat(locale, options);
  formats.set(key, format);
  return format;
}

/** @param {number} digits behind the point, always so many */
const fixed = (digits) => ({ minimumFractionDigits: digits, maximumFractionDigits: digits });

/** @param {number} value an integer */
export const count = (value) => number(fixed(0)).format(value);

/** @param {number} value @returns {{minimumFractionDigits: number, maximumFractionDigits: number}} for about three digits */
const threeDigits = (value) => fixed(value < 1 ? 2 : value < 100 ? 1 : 0);

/** @param {number} value @returns {string} with about three digits: 0.31, 4.2, 118 */
export const decimal = (value) => number(threeDigits(value)).format(value);

/** @param {number} share from 0 to 1 @returns {string} in percent */
export const percent = (share) => number({ style: "percent", maximumSignificantDigits: 3 }).format(share);

/**
 * The words that go with a number, where languages have other ones for one, for two, for few.
 *
 * @param {number} value
 * @param {Partial<Record<Intl.LDMLPluralRule, string>> & {other: string}} forms
 */
export const plural = (value, forms) => forms[new Intl.PluralRules(locale).select(value)] ?? forms.other;

/** @param {number} value in bytes @returns {{unit: string, scale: number, digits: number}} what it is told in */
function unitOf(value) {
  if (value >= 1e9) return { unit: "gigabyte", scale: 1e9, digits: value < 1e10 ? 2 : 1 };
  if (value >= 1e6) return { unit: "megabyte", scale: 1e6, digits: value < 1e7 ? 1 : 0 };
  return { unit: "kilobyte", scale: 1e3, digits: 0 };
}

/** @param {string} unit @param {"short" | "narrow"} [display] of its name: "0.31 sec" or "0.31s" */
const inUnits = (unit, display = "short") => /** @type {const} */ ({ style: "unit", unit, unitDisplay: display });

/** @param {number} value in bytes */
export function bytes(value) {
  const { unit, scale, digits } = unitOf(value);
  return number({ ...inUnits(unit), ...fixed(digits) }).format(value / scale);
}

/** @param {number} value in bytes, not known exactly @returns {string} with two digits */
export function about(value) {
  const { unit, scale } = unitOf(value);
  return number({ ...inUnits(unit), maximumSignificantDigits: 2 }).format(value / scale);
}

/**
 * Both in the unit of the whole, which alone names it: "41" and "98 MB".
 *
 * @param {number} part in bytes
 * @param {number} whole in bytes
 * @returns {[string, string]}
 */
export function bytesOf(part, whole) {
  const { scale, digits } = unitOf(whole);
  return [number(fixed(digits)).format(part / scale), bytes(whole)];
}

/**
 * @param {number} seconds
 * @param {"short" | "long"} [display] of the unit's name
 */
export function duration(seconds, display = "short") {
  const [value, unit] = seconds < 90 ? [seconds, "second"] : [seconds / 60, "minute"];
  return number({ style: "unit", unit, unitDisplay: display, maximumFractionDigits: 0 }).format(value);
}

/** @param {number} seconds as they were measured, with about three digits */
export const measured = (seconds) =>
  number({ ...inUnits("second", "narrow"), ...threeDigits(seconds) }).format(seconds);

/** @param {number} seconds far less than one */
export const microseconds = (seconds) =>
  number({ ...inUnits("microsecond"), ...threeDigits(1e6 * seconds) }).format(1e6 * seconds);

/** @param {number} time in milliseconds since 1970 @returns {string} its month and year */
export const monthOf = (time) => new Intl.DateTimeFormat(locale, { month: "long", year: "numeric" }).format(time);

/** @param {Date} date @returns {string} the day */
export const dateOf = (date) => new Intl.DateTimeFormat(locale, { dateStyle: "long" }).format(date);
