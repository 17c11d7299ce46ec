/**
 * What came of a function that a model has called: for the visitor, and as the model reads it.
 *
 * @typedef {{columns: string[], rows: string[][], count: number}} Table count: of all its rows
 * @typedef {{svg: string} | Table} Shown
 *
 * @typedef {object} Run
 * @property {string} output what was printed
 * @property {string} [value] of the last expression, or what the function returned
 * @property {string} [error] why there is no value
 * @property {Shown[]} shown
 * @property {number} seconds
 */

/** Of a text of a run: what the sandbox sends is within that. */
const MOST_TEXT = 25_000;
const MOST_SHOWN = 8;
const MOST_SVG = 300_000;
const MOST_ROWS = 100;
/** The model reads so many characters of a run's output, and so many rows of a table: its context is small. */
const READ = 4000;
const ROWS_READ = 20;

/**
 * @param {any} given of unknown making
 * @returns {Run | undefined} what of it is a run, within bounds
 */
export function runOf(given) {
  if (given === null || typeof given !== "object") return undefined;
  const { output, value, error, shown, seconds } = given;
  const text = (/** @type {unknown} */ some) => String(some).slice(0, MOST_TEXT);
  return {
    output: text(output ?? ""),
    ...(value !== undefined && { value: text(value) }),
    ...(error !== undefined && { error: text(error) }),
    shown: shownOf(shown),
    seconds: Number(seconds) || 0,
  };
}

/** @param {unknown} given @returns {Shown[]} */
function shownOf(given) {
  /** @type {Shown[]} */
  const found = [];
  for (const item of Array.isArray(given) ? given.slice(0, MOST_SHOWN) : []) {
    const { svg, columns, rows, count } = Object(item);
    const cells = (/** @type {any[]} */ row) => row.map(String);
    if (typeof svg === "string" && svg.length <= MOST_SVG) found.push({ svg });
    else if (Array.isArray(columns) && Array.isArray(rows) && rows.every(Array.isArray)) {
      found.push({
        columns: cells(columns),
        rows: rows.slice(0, MOST_ROWS).map(cells),
        count: Number(count) || rows.length,
      });
    }
  }
  return found;
}

/**
 * @param {Run} run
 * @returns {string} what the model is told of it
 */
export function forModel({ output, value, error, shown }) {
  const parts = [short(output.trimEnd()), ...shown.map(described), value === undefined ? "" : short(value)];
  if (error !== undefined) parts.push(short(error));
  return parts.filter(Boolean).join("\n") || "Done. It printed nothing.";
}

/** @param {Shown} shown */
function described(shown) {
  if ("svg" in shown) return "[A plot is shown to the user.]";
  const { columns, rows, count } = shown;
  const lines = [...(columns.length ? [columns] : []), ...rows.slice(0, ROWS_READ)].map((row) => row.join("\t"));
  const left = count - Math.min(rows.length, ROWS_READ);
  return short([...lines, ...(left > 0 ? [`[${left} more rows]`] : [])].join("\n"));
}

/** @param {string} text @returns {string} its beginning and its end, where it is long */
function short(text) {
  return text.length <= READ ? text : `${text.slice(0, READ / 2)}\n[…]\n${text.slice(-READ / 2)}`;
}
