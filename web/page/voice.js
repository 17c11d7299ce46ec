/**
 * Voice, as far as this device has it: answers read aloud by its own voices, questions dictated where the browser
 * understands them here. What a server would have to do is not offered.
 *
 * @import { App } from "./app.js"
 * @import { MessageAction } from "./messages.js"
 */

import { byId, iconButton } from "./dom.js";
import { strings } from "./strings.js";

const words = strings.voice;

/** @param {App} app */
export function mount(app) {
  if (globalThis.speechSynthesis) new Aloud(app, speechSynthesis);
  offerDictation(app);
}

/** Reads one answer at a time. */
class Aloud {
  #app;
  #speech;
  /** What is read, and the button that ends it. */
  #stop = iconButton("stop", words.stop, () => this.#end());
  #isOffered = false;
  /** What is spoken: held, lest it is collected before it tells of its end. @type {Set<SpeechSynthesisUtterance>} */
  #spoken = new Set();
  /** Counts what is read: what an earlier one has left to say is not said. */
  #reading = 0;

  /**
   * @param {App} app
   * @param {SpeechSynthesis} speech
   */
  constructor(app, speech) {
    this.#app = app;
    this.#speech = speech;
    this.#stop.classList.add("speaking");
    speech.addEventListener?.("voiceschanged", () => this.#offer());
    this.#offer();
    for (const event of ["entered", "model"]) app.addEventListener(event, () => this.#end());
    addEventListener("pagehide", () => this.#end());
  }

  /** Those of this device: a server would be sent what they read. */
  get #voices() {
    return this.#speech.getVoices().filter(({ localService }) => localService);
  }

  /** Voices come late in some browsers. */
  #offer() {
    if (this.#isOffered || !this.#voices.length) return;
    this.#isOffered = true;
    /** @type {MessageAction} */
    const action = {
      icon: "speak",
      label: words.read,
      role: "assistant",
      rare: true,
      act: ({ root }) => this.#read(root),
    };
    this.#app.actions.splice(-1, 0, action); // the last one deletes
  }

  /** @param {HTMLElement} message */
  async #read(message) {
    this.#end();
    const mine = ++this.#reading;
    const { languageOf, paragraphsOf, sentencesOf } = await import("./spoken.js");
    if (mine !== this.#reading) return;
    const text = message.querySelector(":scope > .content > .text");
    const paragraphs = text ? paragraphsOf(text) : [];
    const language = languageOf(paragraphs.join(" "), strings.language);
    const voice = this.#voiceFor(language);
    if (!voice) return this.#app.toast(words.none);
    const sentences = paragraphs.flatMap((paragraph) => sentencesOf(paragraph, language));
    const next = () => {
      if (mine !== this.#reading) return;
      this.#spoken.clear();
      const sentence = sentences.shift();
      if (!sentence || !this.#stop.isConnected) return this.#end(); // at its end, or nobody could end it any more
      const utterance = new SpeechSynthesisUtterance(sentence);
      Object.assign(utterance, {
        voice,
        lang: voice.lang,
        onend: next,
        onerror: () => mine === this.#reading && this.#end(),
      });
      this.#spoken.add(utterance);
      this.#speech.speak(utterance);
    };
    message.querySelector(".actions")?.prepend(this.#stop);
    this.#stop.focus();
    next();
  }

  /** @param {string} language */
  #voiceFor(language) {
    const fitting = this.#voices.filter(({ lang }) => lang.toLowerCase().replace("_", "-").split("-")[0] === language);
    const own = fitting.find(({ lang }) => navigator.languages.includes(lang.replace("_", "-")));
    return own ?? fitting.find((voice) => voice.default) ?? fitting[0];
  }

  #end() {
    this.#reading++;
    this.#speech.cancel();
    const hadFocus = document.activeElement === this.#stop;
    const beside = /** @type {HTMLElement | null} */ (this.#stop.nextElementSibling);
    this.#stop.remove();
    if (hadFocus) beside?.focus();
  }
}

/** @param {App} app */
async function offerDictation(app) {
  const { SpeechRecognition, webkitSpeechRecognition } = /** @type {any} */ (globalThis);
  const Recognition = SpeechRecognition ?? webkitSpeechRecognition;
  const here = { langs: [navigator.language], processLocally: true };
  const found = await Recognition?.available?.(here).catch(() => "unavailable");
  if (found !== "available") return;
  const prompt = byId("prompt", HTMLTextAreaElement);
  /** @type {any} */
  let listening = null;
  /** The field changes by what was said, not by what was typed. */
  let isHeard = false;
  const end = () => {
    listening?.abort();
    listening = null;
    toggle.setAttribute("aria-pressed", "false");
  };
  const begin = () => {
    const recognition = new Recognition();
    Object.assign(recognition, {
      lang: navigator.language,
      processLocally: true,
      continuous: true,
      interimResults: true,
    });
    const before = prompt.value && !/\s$/.test(prompt.value) ? `${prompt.value} ` : prompt.value;
    recognition.onresult = (/** @type {any} */ { results }) => {
      if (listening !== recognition) return;
      prompt.value = before + Array.from(results, (/** @type {any} */ [best]) => best.transcript).join("");
      isHeard = true;
      prompt.dispatchEvent(new Event("input", { bubbles: true }));
      isHeard = false;
    };
    recognition.onerror = (/** @type {any} */ { error }) => {
      if (listening === recognition && error !== "aborted")
        app.toast(error === "not-allowed" ? words.notAllowed : words.failed);
    };
    recognition.onend = () => listening === recognition && end();
    listening = recognition;
    toggle.setAttribute("aria-pressed", "true");
    recognition.start();
  };
  const toggle = iconButton("mic", words.dictate, () => {
    if (listening) end();
    else begin();
    prompt.focus();
  });
  toggle.id = "dictate";
  toggle.setAttribute("aria-pressed", "false");
  byId("send").before(toggle);
  byId("composer").addEventListener("submit", end);
  prompt.addEventListener("keydown", ({ key }) => key === "Escape" && end());
  prompt.addEventListener("input", () => !isHeard && listening && end()); // else it would write over that
}
