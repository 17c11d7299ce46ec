/** DOM work gathered into animation frames: however often it is asked for, it is done once before a paint. */

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
 * Of each frame so much goes into work that is done in steps, in milliseconds: the rest is the browser's, to paint it.
 * It is done between two frames, not in one: to lay out what was drawn is then a task of its own.
 */
const SHARE = 8;

/** @typedef {boolean | "next frame"} Progress whether there is more to do, perhaps not in this frame */
/** @typedef {{step: () => Progress, isLast: boolean, notBefore: number}} Work */

/** Asked for and not done; the last one asked goes first. @type {Work[]} */
const waiting = [];

/**
 * For work that may take long: in steps, as many in a frame as there is time for. It is not begun again before four
 * times as long has gone by as its last step took, so that it never takes more than a fifth of the time.
 *
 * @param {() => Progress} step does a little of it, and tells whether there is more
 * @param {boolean} [isLast] it waits until there is no other work
 * @returns {(now?: boolean) => void} asks for it; now: as much of it as a frame has room for is done at once
 */
export function inSteps(step, isLast = false) {
  /** @type {Work} */
  const work = { step, isLast, notBefore: 0 };
  return (now = false) => {
    if (!waiting.includes(work)) waiting.push(work);
    if (now) doSteps();
    else afterFrame();
  };
}

let isAsked = false;

function afterFrame() {
  if (isAsked) return;
  isAsked = true;
  const then = () => {
    isAsked = false;
    doSteps();
  };
  requestAnimationFrame(() => setTimeout(then));
}

function doSteps() {
  const now = performance.now();
  const end = now + SHARE;
  for (const work of waiting.toReversed()) {
    if (now < work.notBefore || (work.isLast && waiting.some((other) => !other.isLast))) continue;
    for (let progress = /** @type {Progress} */ (true); progress === true && performance.now() < end;) {
      const began = performance.now();
      progress = attempt(work);
      if (progress) continue;
      waiting.splice(waiting.indexOf(work), 1);
      work.notBefore = performance.now() + 4 * (performance.now() - began);
    }
  }
  if (waiting.length) afterFrame();
}

/**
 * A step that fails ends its own work, and no other's.
 *
 * @param {Work} work
 * @returns {Progress}
 */
function attempt(work) {
  try {
    return work.step();
  } catch (error) {
    reportError(error);
    return false;
  }
}
