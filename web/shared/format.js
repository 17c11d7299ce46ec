/** Numbers as people read them. */

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const oneDecimal = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const rough = new Intl.NumberFormat("en", { maximumSignificantDigits: 2 });
const twoDecimals = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** @param {number} value an integer */
export const count = (value) => whole.format(value);

/** @param {number} value @returns {string} with about three digits: 0.31, 4.2, 118 */
export function decimal(value) {
  if (value < 1) return twoDecimals.format(value);
  return value < 100 ? oneDecimal.format(value) : whole.format(value);
}

/** @param {number} value in bytes */
function unitOf(value) {
  if (value >= 1e9) return { unit: "GB", scale: 1e9, number: value < 1e10 ? twoDecimals : oneDecimal };
  if (value >= 1e6) return { unit: "MB", scale: 1e6, number: value < 1e7 ? oneDecimal : whole };
  return { unit: "kB", scale: 1e3, number: whole };
}

/** @param {number} value in bytes */
export function bytes(value) {
  const { unit, scale, number } = unitOf(value);
  return `${number.format(value / scale)} ${unit}`;
}

/** @param {number} value in bytes, not known exactly @returns {string} with two digits */
export const about = (value) => {
  const { unit, scale } = unitOf(value);
  return `${rough.format(value / scale)} ${unit}`;
};

/**
 * Both in the unit of the whole: "41 of 98 MB".
 *
 * @param {number} part in bytes
 * @param {number} total in bytes
 */
export function bytesOf(part, total) {
  const { unit, scale, number } = unitOf(total);
  return `${number.format(part / scale)} of ${number.format(total / scale)} ${unit}`;
}

/** @param {number} seconds */
export function duration(seconds) {
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}
