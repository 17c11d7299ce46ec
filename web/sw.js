/**
 * The service worker: keeps every file of one version of the site, so that it opens without a network.
 *
 * The version is in its own address (`sw.js?version=...`, see offline.js): another version is another service worker,
 * which gathers its files while the old one goes on, and waits until the visitor lets it take over. Models are not
 * kept here but in the origin private file system (files.js): the build leaves them out of `files`.
 *
 * @import { Site } from "./protocol.js"
 */

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));

const version = new URL(location.href).searchParams.get("version") ?? "";
/** Caches are shared by all sites of an origin: the name tells ours from those of other folders. */
const family = `py_wgml ${new URL("./", location.href).pathname} `;
const cacheName = family + version;

worker.addEventListener("install", (event) => event.waitUntil(gather()));

worker.addEventListener("activate", (event) => event.waitUntil(removeOthers()));

worker.addEventListener("message", (event) => {
  if (event.data === "take over") event.waitUntil(worker.skipWaiting());
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  const ours = url.href.startsWith(new URL("./", location.href).href);
  if (request.method === "GET" && ours && request.cache !== "no-store") event.respondWith(answer(request));
});

/** Fetch all files of this version. Fails, to be tried again at the next visit, if the server has another by now. */
async function gather() {
  const response = await fetch("site.json", { cache: "no-store" });
  const site = /** @type {Site} */ (await response.clone().json());
  if (site.version !== version) throw new Error(`The site is at version ${site.version} by now, not ${version}.`);
  const cache = await caches.open(cacheName);
  // no-cache: what the browser has from the page's own start is used, after the server has confirmed it.
  const files = site.files.filter((file) => file !== "site.json");
  await cache.addAll(files.map((file) => new Request(file, { cache: "no-cache" })));
  await cache.put("site.json", response);
}

async function removeOthers() {
  const old = (await caches.keys()).filter((name) => name.startsWith(family) && name !== cacheName);
  await Promise.all(old.map((name) => caches.delete(name)));
}

/** @param {Request} request */
async function answer(request) {
  const url = new URL(request.url);
  if (url.pathname.endsWith("/")) url.pathname += "index.html";
  const cache = await caches.open(cacheName);
  return (await cache.match(url.href, { ignoreSearch: true })) ?? fetch(request);
}
