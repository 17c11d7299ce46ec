/** Which messages are being written, in whatever tab: so that two don't go on with the same one. */

/**
 * @param {string} id of a message that is written from now on
 * @returns {() => void} it is no longer
 */
export function writing(id) {
  let end = () => {};
  const ended = new Promise((resolve) => (end = () => resolve(undefined)));
  // Without locks (an old browser, blocked site data) no other tab knows.
  try {
    navigator.locks.request(nameOf(id), () => ended).catch(() => {});
  } catch {}
  return end;
}

/** @param {string} id */
export async function isWritten(id) {
  try {
    const { held } = await navigator.locks.query();
    return Boolean(held?.some(({ name }) => name === nameOf(id)));
  } catch {
    return false;
  }
}

/** @param {string} id */
function nameOf(id) {
  return `written ${id}`;
}
