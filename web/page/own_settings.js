/**
 * The way to the settings; and beside the model's name, that the conversation in view has settings of its own, and whose
 * they are. Keeps them with it when they have changed.
 *
 * @import { App } from "./app.js"
 * @import { Conversation } from "./conversation.js"
 * @import { Group } from "./settings.js"
 */

import { button, byId, element, iconButton } from "./dom.js";
import { emblem } from "./emblem.js";
import { icon } from "./icons.js";
import { strings } from "./strings.js";

const words = strings.settings.own;

/** @param {App} app */
export function mount(app) {
  const root = element("span", "own-settings");
  const name = button("", "", () => app.settings.open("answers"));
  root.append(
    name,
    iconButton("close", words.reset, () => reset(app)),
  );
  byId("model-button").after(root);
  const show = () => {
    const { assistant } = app.conversation.record.settings ?? {};
    root.hidden = !app.settings.hasOwn(app.conversation);
    name.replaceChildren(
      assistant ? emblem(assistant) : icon("settings"),
      element("span", "", assistant?.name ?? words.label),
    );
    name.title = words.explained;
  };
  byId("settings-button").addEventListener("click", () => app.settings.open());
  app.settings.addEventListener("open", async (event) => {
    const { openSettings } = await import("./settings_dialog.js");
    openSettings(app, /** @type {CustomEvent<Group | undefined>} */ (event).detail);
  });
  app.addEventListener("entered", show);
  app.settings.addEventListener("change", (event) => {
    const conversation = /** @type {CustomEvent<Conversation | undefined>} */ (event).detail;
    if (conversation && !conversation.isEmpty) app.changed(conversation);
    show();
  });
  show();
}

/** What is set for all is taken again; that of thinking stays, which is not told of here. @param {App} app */
function reset({ conversation, settings, toast }) {
  const before = conversation.record.settings;
  const { thinks, effort } = before ?? {};
  settings.setOwn(conversation, { thinks, effort });
  toast(words.wasReset, { label: strings.undo, act: () => settings.setOwn(conversation, before) });
  byId("model-button").focus();
}
