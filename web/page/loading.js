/**
 * The loading panel: one bar over everything, what is being done in words, bytes and speed. It stands in the welcome as
 * long as that is in view, where the mark's tiles fill with it, and above the composer else.
 *
 * @import { Progress, Stage } from "../shared/protocol.js"
 */

import { byId } from "./dom.js";
import { perFrame } from "./frames.js";
import { strings } from "./strings.js";

/** What part of the whole each stage is, roughly as long as it takes. The header is read within the download. */
const SHARE = { runtime: 0.15, packages: 0.1, download: 0.5, weights: 0.15, kernels: 0.1 };

/** The download's speed is an average over this time, in milliseconds. */
const WINDOW = 4000;

export class LoadingPanel {
  #stage = byId("status");
  #detail = byId("detail");
  #bar = byId("overall", HTMLProgressElement);
  #tiles = document.querySelectorAll("#mark rect");
  #announce;
  /** @type {Map<Stage, Progress>} */
  #progress = new Map();
  /** @type {{time: number, loaded: number}[]} */
  #samples = [];
  #announced = "";
  #paused = false;
  #draw = perFrame(() => this.#render());

  /** @param {(text: string) => void} announce tells those who don't see the panel of each stage, once */
  constructor(announce) {
    this.#announce = announce;
  }

  /** A new start. */
  reset() {
    this.#progress.clear();
    this.#samples = [];
    this.#announced = "";
    this.#paused = false;
    this.#bar.value = 0;
    this.#draw();
  }

  /** @param {boolean} inWelcome there is room for it there */
  place(inWelcome) {
    const place = inWelcome ? byId("welcome-loading") : /** @type {HTMLElement} */ (document.querySelector(".dock"));
    if (byId("loading").parentElement !== place) place.prepend(byId("loading"));
  }

  /** @param {boolean} paused the download rests */
  set paused(paused) {
    this.#paused = paused;
    this.#draw();
  }

  /** @param {Progress} progress */
  update(progress) {
    this.#progress.set(progress.stage, progress);
    if (progress.stage === "download") {
      const time = performance.now();
      this.#samples.push({ time, loaded: progress.loaded });
      while (this.#samples.length > 2 && this.#samples[0].time < time - WINDOW) this.#samples.shift();
    }
    this.#draw();
  }

  #render() {
    const stage = this.#current();
    const { loaded = 0, total = 0 } = this.#progress.get(stage) ?? {};
    const name = strings.stages[stage];
    const inBytes = (stage === "download" || stage === "weights") && loaded > 0;
    this.#stage.textContent = inBytes ? strings.stageBytes(name, loaded, total) : name;
    const speed = () => (this.#paused ? strings.models.paused : this.#speed(loaded, total));
    this.#detail.textContent = stage === "download" ? speed() : "";
    this.#bar.value = Math.max(this.#bar.value, this.#overall());
    byId("once").hidden = stage !== "download";
    const now = Math.floor(this.#bar.value * this.#tiles.length);
    for (const [index, tile] of this.#tiles.entries()) tile.classList.toggle("now", index === now);
    for (const [index, tile] of this.#tiles.entries()) tile.classList.toggle("empty", index > now);
    if (name !== this.#announced) this.#announce(name);
    this.#announced = name;
  }

  /** A download is what takes longest, so it is what is shown while it runs; else the furthest stage. @returns {Stage} */
  #current() {
    const download = this.#progress.get("download");
    if (download && !finished(download)) return "download";
    /** @type {Stage[]} */
    const order = ["kernels", "weights", "header", "packages", "runtime"];
    return order.find((stage) => this.#progress.has(stage)) ?? "runtime";
  }

  #overall() {
    const weights = fraction(this.#progress.get("weights"));
    return Object.entries(SHARE).reduce((sum, [stage, share]) => {
      const progress = this.#progress.get(/** @type {Stage} */ (stage));
      // A kept copy is not downloaded: then its way to the GPU stands for both.
      return sum + share * (stage === "download" && !progress ? weights : fraction(progress));
    }, 0);
  }

  /**
   * @param {number} loaded
   * @param {number} total
   */
  #speed(loaded, total) {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last.time - first.time < 500) return "";
    const perSecond = (1000 * (last.loaded - first.loaded)) / (last.time - first.time);
    return strings.speed(perSecond, total && perSecond ? (total - loaded) / perSecond : 0);
  }
}

/** @param {Progress | undefined} progress */
function fraction(progress) {
  return progress?.total ? Math.min(1, progress.loaded / progress.total) : 0;
}

/** @param {Progress} progress */
function finished({ loaded, total }) {
  return total > 0 && loaded >= total;
}
