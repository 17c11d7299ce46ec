/**
 * What the dialog of storage shows. Loaded when it is opened first.
 *
 * @import { App } from "./app.js"
 */

import { forgetChoice } from "./choice.js";
import { button, element } from "./dom.js";
import { bytes } from "../shared/format.js";
import { forget, keptModels } from "../shared/kept.js";
import { forgetMemory } from "../shared/memory_file.js";
import { saveText } from "./saving.js";
import { forgetPage, keptMemory, keptPage, persistent, room } from "./storage.js";
import { Store } from "./store.js";
import { strings } from "./strings.js";
import { toJson } from "./transfer.js";

const words = strings.storage;

/** Its own connection: the page hears of what is deleted as if another tab had done it. @type {Store | undefined} */
let store;

/**
 * @typedef {object} Row
 * @property {string} name
 * @property {string} explained
 * @property {number} size
 * @property {() => Promise<unknown>} remove
 * @property {() => void} [save] it first: there is no other copy
 */

/**
 * @param {App} app
 * @param {() => void} redraw
 * @returns {Promise<HTMLElement[]>}
 */
export async function rowsOf(app, redraw) {
  const [{ usage, quota }, isPersistent, rows] = await Promise.all([room(), persistent(), found(app)]);
  const parts = [];
  if (quota) {
    const meter = element("div", "track");
    const fill = element("span", "fill");
    fill.style.width = `${Math.min(100, (100 * usage) / quota)}%`;
    meter.append(fill);
    parts.push(element("p", "used", strings.models.storage(bytes(usage), bytes(quota))), meter);
  }
  const promise = element("p", "hint", isPersistent ? words.persistent : words.temporary);
  const persist = async () => {
    if (!(await persistent(true))) app.toast(words.notPersistent);
    redraw();
  };
  if (!isPersistent) promise.append(" ", button("link", words.persist, persist));
  const list = element("ul", "stored");
  list.append(...rows.map((row) => drawn(row, redraw)));
  return [...parts, promise, list];
}

/** @param {App} app @returns {Promise<Row[]>} the largest first */
async function found(app) {
  store ??= new Store({ changed: () => {}, notKept: () => {}, opened: () => {} });
  const [models, page, memory, records] = await Promise.all([keptModels(), keptPage(), keptMemory(), store.loadAll()]);
  const removeAll = () => Promise.all(records.map(({ id }) => store?.delete(id)));
  /** @type {Row[]} */
  const rows = models.map(({ name, url, bytes: size, whole }) => ({
    ...{ name, size, explained: whole ? words.model : words.partOfModel },
    remove: async () => {
      if (!(await forget(url))) app.toast(strings.models.busy(name));
      else if (app.model?.url === url) forgetChoice();
    },
  }));
  rows.push(
    { name: words.page, explained: words.pageExplained, size: page, remove: forgetPage },
    { name: words.memory, explained: words.memoryExplained, size: memory, remove: forgetMemory },
    {
      ...{ name: words.conversations(records.length), explained: words.conversationsExplained, remove: removeAll },
      size: records.reduce((sum, record) => sum + new Blob([JSON.stringify(record)]).size, 0),
      save: () => saveText(`${strings.transfer.fileName}.json`, () => toJson(records)),
    },
  );
  return rows.filter(({ size }) => size > 0).sort((a, b) => b.size - a.size);
}

/**
 * @param {Row} row
 * @param {() => void} redraw
 */
function drawn({ name, explained, size, remove, save }, redraw) {
  const made = element("li", "");
  const text = element("div", "about");
  const acts = element("div", "acts");
  text.append(element("p", "name", name), element("p", "hint", explained));
  const removed = async () => {
    await remove();
    redraw();
  };
  /** What there is no other copy of is deleted by a second click, beside the way to save it. */
  const ask = () => {
    const sure = button("quiet", words.sure, removed);
    acts.replaceChildren(
      ...(save ? [button("quiet", words.save, save)] : []),
      sure,
      button("quiet", strings.cancel, redraw),
    );
    sure.focus();
  };
  const act = button("quiet", words.remove, save ? ask : removed);
  act.setAttribute("aria-label", words.removeNamed(name));
  acts.append(act);
  made.append(text, element("p", "size", bytes(size)), acts);
  return made;
}
