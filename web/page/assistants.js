/**
 * Assistants, where a conversation begins: a row of them on the first page, and the ways to what is loaded when it is first
 * wanted: saved prompts, and the dialog in which both are changed.
 *
 * @import { App } from "./app.js"
 * @import { Assistant } from "./library.js"
 */

import { siteModels } from "./choice.js";
import { button, byId, element } from "./dom.js";
import { emblem } from "./emblem.js";
import { keptModels } from "../shared/kept.js";
import { once } from "./libraries.js";
import { library } from "./library.js";
import { strings } from "./strings.js";

const words = strings.library;

/** @param {App} app */
export function mount(app) {
  const row = element("section", "assistants");
  const title = element("h3", "", words.begin);
  const list = element("div", "row-of");
  title.id = "assistants-begin";
  row.setAttribute("aria-labelledby", title.id);
  row.append(title, list);
  byId("welcome").append(row);

  const open = async (/** @type {import("./library.js").Kind} */ kind = "assistants") => {
    const { openLibrary } = await import("./library_dialog.js");
    openLibrary(app, kind, (assistant) => begin(app, assistant));
  };
  const show = () => {
    const { name } = app.conversation.record.settings?.assistant ?? {};
    const chips = library.assistants.map((assistant) => {
      const isChosen = assistant.name === name;
      const chip = button("quiet", assistant.name, () => (isChosen ? leave(app) : begin(app, assistant)));
      chip.prepend(emblem(assistant));
      chip.setAttribute("aria-pressed", String(isChosen));
      return chip;
    });
    row.hidden = app.settings.isFixed("system"); // they would say nothing
    const at = [...list.children].findIndex((chip) => chip === document.activeElement);
    list.replaceChildren(
      ...chips,
      button("link", words.more, () => open()),
    );
    /** @type {HTMLElement | undefined} */ (list.children[at])?.focus();
  };
  const field = byId("prompt", HTMLTextAreaElement);
  const prompts = once(async () => {
    const { offerPrompts } = await import("./prompts.js");
    field.removeEventListener("input", typed);
    offerPrompts(app);
  });
  const typed = () => field.value.startsWith("/") && prompts();
  field.addEventListener("input", typed);
  byId("assistants-button").addEventListener("click", () => open());
  library.addEventListener("open", () => open("prompts"));
  library.addEventListener("change", show);
  app.settings.addEventListener("change", show);
  app.addEventListener("entered", show);
  show();
}

/**
 * Begin a conversation with an assistant, or the one in view, if nothing is said in it yet.
 *
 * @param {App} app
 * @param {Assistant} assistant
 */
async function begin(app, { name, mark, settings, model }) {
  if (!app.conversation.isEmpty) app.newChat();
  app.settings.setOwn(app.conversation, { ...settings, assistant: { name, mark } });
  byId("prompt").focus();
  if (!model || model.url === app.model?.url) return;
  const source = (app.site ? siteModels(app.site) : []).find(({ url }) => url === model.url) ?? model;
  const isHere = (await keptModels()).some(({ url, whole }) => whole && url === model.url);
  if (isHere) app.load(source);
  else app.toast(words.meantFor(name, model.name), { label: words.load, act: () => app.load(source) });
}

/** Go on without one. @param {App} app */
function leave({ conversation, settings }) {
  settings.setOwn(conversation, undefined);
}
