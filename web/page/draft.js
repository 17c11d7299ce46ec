/**
 * What was typed and not yet sent outlives a reload of its tab: for another language, a new version of the page, or the
 * visitor's own.
 *
 * @import { AttachedFile } from "./attached.js"
 *
 * @typedef {{text: string, files: AttachedFile[]}} Draft
 */

const KEY = `py_wgml draft ${new URL("./", location.href).pathname}`;

/**
 * Keep it when the page goes.
 *
 * @param {() => Draft} draft as it is then
 * @returns {Draft | null} what an earlier page of this tab has kept
 */
export function keepDraft(draft) {
  addEventListener("pagehide", () => {
    const { text, files } = draft();
    if (!text && !files.length) return;
    for (const some of [files, []]) {
      try {
        return sessionStorage.setItem(KEY, JSON.stringify({ text, files: some }));
      } catch {
        // without the files, if they are too much; or this mode of the browser has no storage
      }
    }
  });
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    sessionStorage.removeItem(KEY);
    return typeof kept?.text === "string" && Array.isArray(kept.files) ? kept : null;
  } catch {
    return null;
  }
}
