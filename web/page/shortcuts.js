/** The keyboard: what a key does, and the list of them that `?` shows. */

import { Dialog } from "./dialog.js";
import { element } from "./dom.js";
import { strings } from "./strings.js";

const isApple = /Mac|iPhone|iPad/.test(navigator.platform);

/**
 * @typedef {object} Actions
 * @property {() => void} newChat
 * @property {() => void} search
 * @property {() => void} sidebar
 * @property {() => void} settings
 * @property {() => void} focus go to the field for the question
 * @property {() => boolean} stop false: there was nothing to stop
 */

/** @param {Actions} actions */
export function listenToKeys(actions) {
  const dialog = new Dialog("shortcuts", strings.shortcuts.title, {
    opened: () => dialog.body.replaceChildren(list()),
  });

  /** @type {Record<string, () => void>} with Control, or Command on Apple's */
  const withControl = {
    k: actions.search,
    ",": actions.settings,
    "shift+o": actions.newChat,
    "shift+s": actions.sidebar,
  };
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return;
    const key = event.key.toLowerCase();
    const control = isApple ? event.metaKey : event.ctrlKey;
    const writing = event.target instanceof Element && event.target.matches("input, textarea, select");
    /** @type {(() => unknown) | undefined} */
    let action;
    if (control && !event.altKey) action = withControl[event.shiftKey ? `shift+${key}` : key];
    else if (event.altKey || event.ctrlKey || event.metaKey) action = undefined;
    else if (key === "?" && !writing) action = () => dialog.open();
    else if (key === "/" && !writing) action = actions.focus;
    else if (key === "escape" && actions.stop()) action = () => {};
    if (!action) return;
    event.preventDefault();
    action();
  });
}

function list() {
  const root = element("dl", "keys");
  for (const [keys, what] of strings.shortcuts.list) {
    const term = element("dt", "");
    for (const key of keys) term.append(element("kbd", "", key === "Ctrl" && isApple ? "⌘" : key));
    root.append(term, element("dd", "", what));
  }
  return root;
}
