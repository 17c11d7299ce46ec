/** What the visitor takes away as a file. */

import { strings } from "./strings.js";
import { toast } from "./toasts.js";

/**
 * @param {string} name
 * @param {() => string} write
 */
export function saveText(name, write) {
  let text;
  try {
    text = write();
  } catch {
    return toast(strings.transfer.tooMuch); // for a string
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser has begun to read it by then
}
