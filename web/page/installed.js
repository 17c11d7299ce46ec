/**
 * The page as an installed app: what other apps share with it, files that are opened with it, its shortcuts, and the badge
 * of an answer that nobody has seen. What the system brings is taken as if it had been dropped on the page by hand.
 *
 * @import { App } from "./app.js"
 *
 * @typedef {{files: FileSystemFileHandle[]}} Launch
 */

import { byId } from "./dom.js";
import { strings } from "./strings.js";

/** Where the service worker puts what another app has shared: sw.js has the same name. */
const sharedCache = `py_wgml-shared ${new URL("./", location.href).pathname}`;

/** @param {App} app */
export function mount(app) {
  const opened = new URLSearchParams(location.search);
  const { launchQueue } = /** @type {{launchQueue?: {setConsumer: (take: (launch: Launch) => void) => void}}} */ (
    /** @type {unknown} */ (window)
  );
  launchQueue?.setConsumer(async ({ files }) => {
    if (files?.length) take(app, await Promise.all(files.map((file) => file.getFile())));
  });
  if (opened.has("shared")) takeShared(app);
  if (opened.get("open") === "models") byId("models-button").click();
  for (const name of ["shared", "open"]) opened.delete(name);
  const rest = opened.size ? `?${opened}` : "";
  if (rest !== location.search) history.replaceState(null, "", location.pathname + rest + location.hash);

  app.addEventListener("answered", () => document.hidden && badge(true));
  document.addEventListener("visibilitychange", () => !document.hidden && badge(false));
}

/** @param {boolean} shown an answer waits to be seen */
function badge(shown) {
  const { setAppBadge, clearAppBadge } = navigator;
  (shown ? setAppBadge : clearAppBadge)?.call(navigator).catch(() => {}); // the system has none
}

/** What the service worker has put aside (see sw.js). @param {App} app */
async function takeShared(app) {
  try {
    const cache = await caches.open(sharedCache);
    /** @type {File[]} */
    const files = [];
    let text = "";
    for (const request of await cache.keys()) {
      const response = await cache.match(request);
      const name = new URL(request.url).searchParams.get("name");
      if (name === null) text = (await response?.text()) ?? "";
      else if (response)
        files.push(new File([await response.blob()], name, { type: response.headers.get("content-type") ?? "" }));
    }
    await caches.delete(sharedCache);
    if (text) write(text);
    take(app, files);
  } catch {
    app.toast(strings.installed.lost);
  }
}

/** Into the composer, behind what stands there. @param {string} text */
function write(text) {
  const prompt = byId("prompt", HTMLTextAreaElement);
  prompt.value = [prompt.value, text].filter(Boolean).join("\n\n");
  prompt.dispatchEvent(new Event("input"));
  prompt.focus();
}

/**
 * @param {App} app
 * @param {File[]} files
 */
async function take(app, files) {
  if (!app.site) await new Promise((resolve) => app.addEventListener("site", resolve, { once: true }));
  const isModel = ({ name = "" }) => name.toLowerCase().endsWith(".gguf");
  for (const some of [files.filter(isModel), files.filter((file) => !isModel(file))]) {
    if (!some.length) continue;
    const data = new DataTransfer();
    for (const file of some) data.items.add(file);
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  }
}
