/**
 * Repositories on Hugging Face that a search has found, and the files of one. Loaded when the visitor searches first.
 *
 * @import { App } from "./app.js"
 * @import { Offer } from "./offers.js"
 * @import { HubRepository } from "../shared/protocol.js"
 *
 * @typedef {object} On
 * @property {(...parts: HTMLElement[]) => void} show in the place for what was found
 * @property {(offer: Offer) => void} choose
 * @property {() => void} close
 */

import { button, element, iconButton } from "./dom.js";
import { icon } from "./icons.js";
import { keptModels } from "../shared/kept.js";
import { sizeAndFit } from "./offers.js";
import { strings } from "./strings.js";

const words = strings.models;

/** How the numbers of a file are kept, as its name tells. */
const KIND = /(?:^|[-_.])((?:UD-)?(?:I?Q\d\w*|TQ\d_\d|MXFP4\w*|NVFP4\w*|BF16|F16|F32))$/i;

/**
 * @param {App} app
 * @param {string} query
 * @param {On} on
 */
export async function searchHub(app, query, on) {
  on.show(line(words.searching, "status"));
  try {
    const found = await app.workingEngine.search(query);
    const head = element("div", "found-head");
    head.append(element("h3", "", words.found(query)), iconButton("close", words.clear, on.close));
    const list = element("ul", "offers");
    list.append(...found.map((repository) => row(app, repository, on)));
    on.show(head, found.length ? list : line(words.nothing(query), "status"));
  } catch (error) {
    on.show(line(/** @type {Error} */ (error).message, "alert"));
  }
}

/**
 * @param {App} app
 * @param {HubRepository} repository
 * @param {On} on
 */
function row(app, { name, downloads, license, gated }, on) {
  const made = element("li", "offer");
  const text = element("div", "about");
  const files = element("div", "files");
  const acts = element("div", "acts");
  text.append(
    element("p", "name", name),
    element("p", "facts", [words.downloads(downloads), license].filter(Boolean).join(" · ")),
  );
  files.hidden = true;
  made.append(text, acts, files);
  if (gated) {
    text.append(element("p", "facts", words.gated));
    return made;
  }
  const open = button("quiet details", words.files, async () => {
    files.hidden = !files.hidden;
    open.setAttribute("aria-expanded", String(!files.hidden));
    if (files.hidden || files.querySelector("ul")) return;
    files.replaceChildren(line(words.searching, "status"));
    files.replaceChildren(await contents(app, name, on));
  });
  open.setAttribute("aria-expanded", "false");
  open.setAttribute("aria-label", words.filesOf(name));
  open.append(icon("down"));
  acts.append(open);
  return made;
}

/**
 * @param {App} app
 * @param {string} repository
 * @param {On} on
 */
async function contents(app, repository, on) {
  try {
    const { architecture, models } = await app.workingEngine.browse(repository);
    const supported = app.site?.architectures;
    if (architecture && supported && !supported.includes(architecture))
      return line(words.unsupported(architecture), "status");
    if (!models.length) return line(words.noFiles, "status");
    const here = (await keptModels()).filter(({ whole }) => whole).map(({ url }) => url);
    const list = element("ul", "");
    list.setAttribute("aria-label", repository);
    for (const model of models) {
      const item = element("li", "");
      const verb = here.includes(model.url ?? "") ? words.use : words.download;
      const act = button("quiet", verb, () => on.choose({ ...model, source: async () => model }));
      act.setAttribute("aria-label", `${verb}: ${model.name}`);
      const kind = element("p", "kind", KIND.exec(model.name)?.[1] ?? model.name);
      kind.title = model.name;
      item.append(kind, ...sizeAndFit(model), act);
      list.append(item);
    }
    return list;
  } catch (error) {
    return line(/** @type {Error} */ (error).message, "alert");
  }
}

/**
 * @param {string} text
 * @param {"status" | "alert"} role
 */
function line(text, role) {
  const made = element("p", role === "alert" ? "why" : "hint", text);
  made.setAttribute("role", role);
  return made;
}
