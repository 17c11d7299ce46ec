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
