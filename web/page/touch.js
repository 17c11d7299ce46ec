/**
 * What differs where one writes on the screen: no field takes the focus by itself, for that brings up a keyboard, and
 * Return makes a new line, unless the visitor has set it to send.
 */

import { recall, remember } from "./remembered.js";

const KEY = "return";

/** The device is touched, in the main. */
const coarse = matchMedia("(pointer: coarse)");

export const isTouched = () => coarse.matches;

/** Whether Return sends what is written. */
export function returnSends() {
  const chosen = recall(KEY);
  return chosen ? chosen === "sends" : !isTouched();
}

/** @param {boolean} sends */
export function setReturnSends(sends) {
  remember(KEY, sends === !isTouched() ? null : sends ? "sends" : "breaks");
  dispatchEvent(new Event("return"));
}

/**
 * Keep the page above the keyboard on the screen, where the browser lays that over it (Safari). A page that is zoomed
 * into stays as it is.
 */
export function stayAboveKeyboard() {
  const { visualViewport: seen } = window;
  if (!seen) return;
  const fit = () => {
    const isCovered = seen.scale === 1 && seen.height < innerHeight - 1;
    document.body.style.height = isCovered ? `${seen.height}px` : "";
    if (isCovered) scrollTo(0, 0);
  };
  seen.addEventListener("resize", fit);
}
