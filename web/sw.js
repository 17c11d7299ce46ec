/**
 * The service worker: keeps every file of one version of the site, so that it opens without a network.
 *
 * The version is in its own address (`sw.js?version=...`, see offline.js): another version is another service worker,
 * which gathers its files while the old one goes on, and waits until the visitor lets it take over. A tab that the
 * visitor leaves open goes on with the files of the version that it was opened with: their cache is removed when the
 * last such tab has gone. Models are not kept here but in the origin private file system (files.js): the build leaves
 * them out of `files`.
 *
 * @import { Site } from "./shared/site.js"
 */

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));

const version = new URL(location.href).searchParams.get("version") ?? "";
/** Caches are shared by all sites of an origin: the name tells ours from those of other folders. */
const family = `py_wgml ${new URL("./", location.href).pathname} `;
const cacheName = family + version;
/** What another app has shared lies there: installed.js has the same name. */
const shared = `py_wgml-shared ${new URL("./", location.href).pathname}`;
/** In the cache: which tabs and workers were opened with which earlier version. A service worker forgets; this stays. */
const OLDER = "older-clients.json";

/** The cache of the version that was in force when this one took over. */
let before = "";
/** The ids of clients that run an earlier version, and the names of its cache: OLDER, once it has been read. */
let older = /** @type {Promise<Map<string, string>> | null} */ (null);

worker.addEventListener("install", (event) => event.waitUntil(gather()));

worker.addEventListener("activate", (event) => event.waitUntil(takeOver()));

worker.addEventListener("message", (event) => {
  const { active } = worker.registration;
  if (event.data !== "take over" || active?.scriptURL === location.href) return; // it has, for another tab
  before = active ? family + new URL(active.scriptURL).searchParams.get("version") : "";
  event.waitUntil(worker.skipWaiting());
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  const ours = url.href.startsWith(new URL("./", location.href).href);
  const isShare = request.method === "POST" && url.href === new URL("./share", location.href).href;
  if (isShare) return event.respondWith(putAside(request));
  if (request.method === "GET" && ours && request.cache !== "no-store") event.respondWith(answer(event));
});

/**
 * Another app shares something with the page: keep it for the page (installed.js), which opens now. No server sees it.
 *
 * @param {Request} request
 */
async function putAside(request) {
  const form = await request.formData();
  const texts = ["title", "text", "url"].map((name) => String(form.get(name) ?? "").trim());
  await caches.delete(shared);
  const cache = await caches.open(shared);
  await cache.put("share?text", new Response([...new Set(texts)].filter(Boolean).join("\n")));
  const files = form.getAll("files").filter((file) => file instanceof File);
  for (const [index, file] of files.entries()) {
    const headers = { "content-type": file.type || "application/octet-stream" };
    await cache.put(
      `share?${new URLSearchParams({ index: String(index), name: file.name })}`,
      new Response(file, { headers }),
    );
  }
  return Response.redirect("./?shared", 303);
}

/** Fetch all files of this version. Fails, to be tried again at the next visit, if the server has another by now. */
async function gather() {
  const response = await siteNow();
  const site = /** @type {Site} */ (await response.clone().json());
  const cache = await caches.open(cacheName);
  // no-cache: what the browser has from the page's own start is used, after the server has confirmed it.
  const files = site.files.filter((file) => file !== "site.json");
  await cache.addAll(files.map((file) => new Request(file, { cache: "no-cache" })));
  await siteNow(); // what has come is of this version, all of it
  await cache.put("site.json", response);
}

/** @returns {Promise<Response>} the server's site.json, of this version */
async function siteNow() {
  const response = await fetch("site.json", { cache: "no-store" });
  const site = /** @type {Site} */ (await response.clone().json());
  if (site.version !== version) throw new Error(`The site is at version ${site.version} by now, not ${version}.`);
  return response;
}

/** From now on this version answers those that are opened; those that are open stay with theirs. */
async function takeOver() {
  const clients = before ? await readOlder(before) : new Map();
  for (const { id } of before ? await worker.clients.matchAll({ type: "all" }) : []) {
    if (!clients.has(id)) clients.set(id, before);
  }
  older = Promise.resolve(clients);
  await prune(clients);
}

/**
 * @param {string} name of a cache
 * @returns {Promise<Map<string, string>>}
 */
async function readOlder(name) {
  const kept = await (await caches.open(name)).match(OLDER);
  return new Map(kept ? await kept.json() : []);
}

/** @param {Map<string, string>} clients */
async function writeOlder(clients) {
  await (await caches.open(cacheName)).put(OLDER, new Response(JSON.stringify([...clients])));
}

/**
 * Forget who has gone, and remove the versions that nobody runs any more.
 *
 * @param {Map<string, string>} clients
 */
async function prune(clients) {
  for (const id of [...clients.keys()]) if (!(await worker.clients.get(id))) clients.delete(id);
  const used = new Set([cacheName, ...clients.values()]);
  for (const name of await caches.keys()) {
    if (name.startsWith(family) && !used.has(name)) await caches.delete(name);
  }
  await writeOlder(clients);
}

/** @param {FetchEvent} event */
async function answer(event) {
  const { request, clientId, resultingClientId } = event;
  const url = new URL(request.url);
  if (url.pathname.endsWith("/")) url.pathname += "index.html";
  const clients = await (older ??= readOlder(cacheName));
  const opens = request.mode === "navigate"; // a page anew, which gets this version
  const own = opens ? undefined : clients.get(clientId);
  if (own && resultingClientId) {
    await writeOlder(clients.set(resultingClientId, own)); // a worker that an older page starts
  } else if (opens && clients.size) {
    event.waitUntil(prune(clients)); // beside the answer: it waits for clients that wait for theirs
  }
  const cache = await caches.open(own ?? cacheName);
  return (await cache.match(url.href, { ignoreSearch: true })) ?? fetch(request);
}
