/**
 * Small things that this browser remembers between visits. Where it gives no storage (site data are blocked, a mode
 * without them, a full device), nothing is remembered, and nothing else happens.
 */

/** @param {string} key @returns {string | null} */
export function recall(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/**
 * @param {string} key
 * @param {string | null} value null: forget it
 */
export function remember(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // it lasts as long as the page does
  }
}

/** @param {string} key @param {() => void} act when another tab has changed what it is */
export function whenChanged(key, act) {
  addEventListener("storage", (event) => event.key === key && act());
}

/** @param {string} key @returns {unknown} what was remembered as JSON; null where that is none */
export function recallJson(key) {
  try {
    return JSON.parse(recall(key) ?? "null");
  } catch {
    return null;
  }
}
