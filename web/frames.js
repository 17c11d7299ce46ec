/** DOM work gathered into animation frames: however often it is asked for, it is done once before the next paint. */

/**
 * @param {() => void} work
 * @returns {() => void} asks for `work` to be done in the next frame
 */
export function perFrame(work) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      work();
    });
  };
}

/**
 * Like perFrame, for work that may take long: it never takes more than a fifth of the time.
 *
 * @param {() => void} work
 * @returns {(() => void) & {cancel: () => void}} asks for `work`; `cancel` takes that back
 */
export function paced(work) {
  let asked = false;
  let notBefore = 0;
  const frame = (/** @type {number} */ now) => {
    if (!asked) return;
    if (now < notBefore) return void requestAnimationFrame(frame);
    asked = false;
    const began = performance.now();
    work();
    const ended = performance.now();
    notBefore = ended + 4 * (ended - began);
  };
  const ask = () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(frame);
  };
  return Object.assign(ask, { cancel: () => void (asked = false) });
}
