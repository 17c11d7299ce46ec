/** Keeps the site on this device by its service worker, and tells of a newer one. */

import { workerAddress } from "./trusted.js";
import { address } from "../shared/site.js";

/**
 * @param {(reload: () => void) => void} [onUpdate] a newer version lies ready; it takes over only by `reload`
 * @returns {Promise<boolean>} true once the whole site is kept, false if this browser won't or there is no network
 */
export async function keepOffline(onUpdate = () => {}) {
  try {
    const container = navigator.serviceWorker;
    // The service worker leaves no-store requests alone: this is the server's site.json, not the kept one.
    const site = await (await fetch(address("site.json"), { cache: "no-store" })).json();
    const registration = await container.register(workerAddress(`sw.js?version=${encodeURIComponent(site.version)}`));
    const announce = (/** @type {ServiceWorker} */ worker) =>
      onUpdate(() => {
        if (worker.state === "activated") return location.reload(); // another tab has let it take over
        container.addEventListener("controllerchange", () => location.reload(), { once: true });
        worker.postMessage("take over");
      });
    if (registration.active && registration.waiting) announce(registration.waiting);
    registration.onupdatefound = () => watch(registration, announce);
    watch(registration, announce);
    const first = registration.active ? null : (registration.installing ?? registration.waiting);
    return first ? await activated(first) : true;
  } catch {
    return isKept();
  }
}

/** Whether an earlier visit has left a service worker. */
async function isKept() {
  try {
    return Boolean((await navigator.serviceWorker.getRegistration())?.active);
  } catch {
    return false; // site data are blocked
  }
}

/**
 * @param {ServiceWorker} worker
 * @returns {Promise<boolean>} false if it could not gather its files
 */
function activated(worker) {
  return new Promise((resolve) => {
    const look = () => {
      if (worker.state === "activated") resolve(true);
      else if (worker.state === "redundant") resolve(false);
    };
    worker.addEventListener("statechange", look);
    look();
  });
}

/**
 * @param {ServiceWorkerRegistration} registration
 * @param {(worker: ServiceWorker) => void} announce
 */
function watch({ installing, active }, announce) {
  if (!installing || !active) return; // the first of its kind takes over by itself
  installing.onstatechange = () => installing.state === "installed" && announce(installing);
}
