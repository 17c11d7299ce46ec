/** Every word that the page shows, in one place. Functions take what a sentence is about. */

import { bytes, bytesOf, count, decimal, duration } from "./format.js";

/**
 * @import { Support } from "./support.js"
 * @import { Done, Stage } from "./protocol.js"
 */

export const strings = {
  language: "en",
  direction: "ltr",

  newChat: "New chat",
  close: "Close",
  retry: "Try again",
  toEnd: "Jump to the end",
  update: "A new version of this page is ready.",
  reload: "Reload",
  you: "You",
  conversation: "Conversation",
  messages: "Messages",
  loading: "Loading",
  contextLabel: "Context",
  contextUsed: "Context used",
  sidebar: {
    label: "Conversations",
    search: "Search conversations",
    toggle: "Show or hide the conversations",
    close: "Hide the conversations",
  },
  composer: {
    label: "Your question",
    hint: "Ask something",
    send: "Send (Enter)",
    stop: "Stop (Escape)",
    attach: "Add text files",
    attached: "Files that go with the question",
  },
  models: {
    title: "Models",
    choose: "Choose a model",
  },
  transfer: { title: "Export and import" },
  settings: { title: "Settings" },
  shortcuts: { title: "Keyboard shortcuts" },

  welcome:
    "A language model that runs in this page, on your own graphics processor. What you write stays on this device.",
  examplesLabel: "Questions to begin with",
  examples: [
    "What is the capital of France?",
    "Why is the sky blue?",
    "Write a short poem about the sea.",
    "Give me three ideas for a rainy Sunday.",
  ],
  waiting: "Will be sent when the model is ready.",
  /** Read out when an answer starts. */
  answering: "Answering",

  /** @type {Record<Stage, string>} */
  stages: {
    runtime: "Starting Python",
    packages: "Loading packages",
    download: "Downloading model",
    header: "Reading model",
    weights: "Moving model to the graphics processor",
    kernels: "Preparing the graphics processor",
  },
  /** @type {(stage: string, loaded: number, total: number) => string} */
  stageBytes: (stage, loaded, total) => `${stage}: ${total ? bytesOf(loaded, total) : bytes(loaded)}`,
  /** @type {(bytesPerSecond: number, secondsLeft: number) => string} */
  speed: (bytesPerSecond, secondsLeft) =>
    `${bytes(bytesPerSecond)}/s` + (secondsLeft >= 1 ? `, ${duration(secondsLeft)} left` : ""),
  ready: "The model is ready.",

  /** @type {(used: number, length: number) => string} */
  context: (used, length) => `${count(used)} of ${count(length)} tokens`,

  /** @type {Record<Done["reason"], string>} */
  reasons: {
    stop: "",
    length: "length limit reached",
    stopped: "stopped",
    context: "context full: start a new chat to go on",
  },
  /** @type {(done: Done) => string} */
  stats: ({ reason, usage, seconds, tokens_per_second }) => {
    const parts = [`${count(usage.completion_tokens)} ${usage.completion_tokens === 1 ? "token" : "tokens"}`];
    if (usage.completion_tokens > 1) parts.push(`${decimal(tokens_per_second.decode)} tokens/s`);
    if (usage.completion_tokens > 0) parts.push(`first after ${decimal(seconds.first_token)} s`);
    if (strings.reasons[reason]) parts.push(strings.reasons[reason]);
    return parts.join(" · ");
  },
  unanswered: "Not answered.",

  /** @type {(stage: string, message: string) => string} */
  failed: (stage, message) => {
    const said = /[.!?]$/.test(message) ? message : `${message}.`;
    if (stage === "download") return said;
    if (stage === "worker") return `The engine stopped unexpectedly: ${said}`;
    if (stage === "site") return `The page could not be loaded: ${said}`;
    return said;
  },

  unsupportedPage: {
    title: "This browser can’t run the model",
    lead: "The model runs on your own graphics processor, through WebGPU. These browsers have it:",
    browsers: [
      "Chrome and Edge 113 or later, on Windows, macOS, ChromeOS and Android",
      "Safari 26 or later, on macOS, iOS and iPadOS",
      "Firefox 141 or later on Windows, 145 or later on macOS",
    ],
    advice:
      "If yours is among them, update it, check that hardware acceleration is switched on in its settings, and try " +
      "again. On Linux, Chrome may need chrome://flags/#enable-unsafe-webgpu.",
  },
  /** @type {Record<Exclude<Support, "ok">, string>} */
  unsupported: {
    insecure: "This page was not opened through a secure address. Browsers offer WebGPU only at https:// and localhost.",
    missing: "This browser has no WebGPU, or it is switched off.",
    "no-adapter": "This browser has WebGPU, but found no graphics processor that it may use.",
  },
};
