/**
 * Every word that the page shows, in English: the other languages have the same ones. Functions take what a sentence is
 * about.
 *
 * @import { Figures } from "../conversation.js"
 * @import { Run } from "../runs.js"
 * @import { Support } from "../../shared/support.js"
 * @import { Done, Stage } from "../../shared/protocol.js"
 *
 * @typedef {typeof words} Words
 */

import { bytes, bytesOf, count, dateOf, decimal, duration, measured, plural } from "../../shared/format.js";

export const words = {
  language: "en",
  direction: "ltr",

  newChat: "New chat",
  close: "Close",
  retry: "Try again",
  toEnd: "Jump to latest",
  update: "A new version of this page is ready.",
  reload: "Reload",
  you: "You",
  conversation: "Conversation",
  messages: "Messages",
  loading: "Loading",
  contextLabel: "Context",
  contextUsed: "Context used",
  cancel: "Cancel",
  undo: "Undo",
  notCopied: "This browser blocked copying.",
  assistant: "Assistant",
  /** @type {(name: string, size: string) => string} */
  file: (name, size) => `${name}, ${size}`,
  notKept: "There is no space left on this device: this conversation will be lost when you close the page.",
  noStorage:
    "This browser does not let the page store anything: this conversation will be lost when you close the page.",
  answeredElsewhere: "This answer is being written in another tab.",
  notThere: "That conversation is no longer on this device.",

  sidebar: {
    label: "Conversations",
    search: "Search conversations",
    toggle: "Show or hide the conversations",
    close: "Hide the conversations",
    none: "Your chats will be kept here, on this device only.",
    noneFound: "Nothing found.",
    unnamed: "Untitled",
    today: "Today",
    yesterday: "Yesterday",
    lastWeek: "Previous 7 days",
    /** @type {(name: string) => string} */
    more: (name) => `More for “${name}”`,
    rename: "Rename",
    asMarkdown: "Export as Markdown",
    asJson: "Export as JSON",
    remove: "Delete",
    /** @type {(name: string) => string} */
    deleted: (name) => `“${name}” was deleted.`,
  },
  transfer: {
    title: "Export and import",
    exportAll: "Export all as JSON",
    import: "Import…",
    fileName: "conversations",
    /** @type {(name: string) => string} */
    unreadable: (name) => `${name} has no conversations that this page can read.`,
    /** @type {(name: string, most: string) => string} */
    tooLarge: (name, most) => `${name} is too large to import. The limit is ${most}.`,
    tooMuch: "That is too much for one file. Export the conversations one by one.",
    /** @type {(count: number) => string} */
    imported: (number) =>
      plural(number, { one: "One conversation was imported.", other: `${count(number)} conversations were imported.` }),
  },
  composer: {
    label: "Your question",
    hint: "Ask anything",
    send: "Send (Enter)",
    stop: "Stop (Escape)",
    attach: "Add files",
    attached: "Attached files",
    /** @type {(name: string) => string} */
    remove: (name) => `Remove ${name}`,
    /** @type {(name: string, most: string) => string} */
    tooLarge: (name, most) => `${name} is too large. The limit is ${most} of text.`,
    /** @type {(name: string) => string} */
    notText: (name) => `${name} is not a text file.`,
  },
  message: {
    copy: "Copy",
    copyCode: "Copy",
    edit: "Edit",
    again: "Regenerate",
    goOn: "Continue",
    more: "More",
    details: "Details",
    inside: "Look inside",
    remove: "Delete from here",
    removed: "Deleted, with everything after it.",
    save: "Save",
    sendAgain: "Send",
    previous: "Previous version",
    next: "Next version",
    /** @type {(at: number, count: number) => string} */
    branch: (index, count) => `${index} / ${count}`,
    /** @type {(seconds: number) => string} */
    thinking: (seconds) => (seconds < 1 ? "Thinking…" : `Thinking… ${duration(seconds)}`),
    /** @type {(seconds: number | undefined) => string} */
    thought: (seconds) =>
      seconds === undefined ? "Thoughts" : `Thought for ${duration(Math.max(1, seconds), "long")}`,
  },
  tools: {
    python: {
      label: "Let the model run Python",
      explained:
        "For calculations, tables and plots. The code runs here in its own Python, without network access, for up to 30 seconds. It " +
        "can’t see this page, your conversations or your files, except those you attach. Small models are not good at it.",
      choices: { off: "Off", ask: "Ask before each run", always: "Always allow" },
    },
    servers: {
      label: "MCP servers",
      explained:
        "Addresses of servers whose tools the model may use, one per line: https, or on this computer. What the " +
        "model sends them leaves your device.",
      /** @type {(line: string) => string} */
      wrong: (line) => `“${line}” is not an https address, nor one on this computer.`,
    },
    consent: {
      label: "Calls to servers",
      explained: "",
      choices: { ask: "Ask before each call", always: "Always allow" },
    },
    site: {
      label: "Tools of this site",
      explained: "The model may use them to answer you.",
      choices: { true: "On", false: "Off" },
    },
    /** @type {(name: string) => string} */
    named: (name) => (name === "python" ? "Python" : name),
    /** @type {(name: string) => string} */
    called: (name) => (name === "python" ? "Python" : `Called ${name}`),
    running: "running…",
    waiting: "wants to run",
    run: "Run",
    decline: "Don’t run",
    /** What the model is told then. */
    declined: "The user did not let this run.",
    notRun: "Not run.",
    stopped: "Stopped.",
    /** @type {(seconds: number) => string} */
    late: (seconds) => `Stopped: it took more than ${duration(seconds, "long")}.`,
    /** @type {(why?: string) => string} */
    notStarted: (why) => `Python did not start${why ? `: ${why}` : ""}.`,
    /** @type {(why: string) => string} */
    brokeDown: (why) => `Python broke down: ${why}.`,
    anew: "[Python was restarted: the variables of earlier runs are gone.]",
    plot: "Plot",
    /** @type {(run: Run) => string} */
    ran: ({ error, seconds }) => {
      if (!seconds) return "";
      return error === undefined ? `ran for ${measured(seconds)}` : `failed after ${measured(seconds)}`;
    },
    /** @type {(shown: number, all: number) => string} */
    rows: (shown, all) => `${count(shown)} of ${count(all)} rows`,
    /** @type {(name: string) => string} */
    unknown: (name) => `There is no function called “${name}”.`,
    noArguments: "The arguments are not an object.",
    /** @type {(server: string, message: string) => string} */
    noServer: (server, message) => `${server} can’t be used: ${message}`,
    noFrames: "the server of this page does not let it have frames",
    noFunction: "each has a name, a description and a function “run”.",
    noCode: "There is no code: it belongs in the text “code”.",
    /** @type {(message: string) => string} */
    broken: (message) => `The tools of this site can’t be used: ${message}`,
  },
  inside: {
    title: "Inside this answer",
    looking: "Looking…",
    notReady: "The model is still loading. Look inside when it is ready.",
    /** @type {(wrote: string, sees: string) => string} */
    another: (wrote, sees) => `${wrote} wrote this; below is what ${sees} makes of it.`,
    tokens: "How sure it was",
    tokensLead:
      "Each piece is a token. The less likely it was, the stronger its tint and line. Choose one, also with the arrow keys, to see what else the model had in mind. Probabilities are the model’s own, before temperature and the like.",
    sure: { high: "likely", middle: "below 50%", low: "below 10%" },
    /** @type {(token: string, share: string) => string} */
    chosen: (token, share) => `${token}, ${share}`,
    instead: "Most likely here",
    token: "Token",
    probability: "Probability",
    taken: "chosen",
    attention: "Where it looked",
    attentionLead:
      "How much one attention head drew on each earlier token. Many heads rest on the first token when they are looking for nothing.",
    layer: "Layer",
    head: "Head",
    everyHead: "average of all",
    noAttention: "This model has no attention layers: it remembers in other ways.",
    most: "Most attended to",
    time: "Where the time goes",
    timeLead:
      "For one token on the GPU. Each kind of step is timed by itself, which takes a little longer than all together.",
    /** @type {(reason: string) => string} */
    noTime: (reason) => `This browser does not say how long the GPU takes (${reason}).`,
    kinds: "Kernels and how often each runs, longest first",
    kind: "Kernel",
    share: "Share",
    /** @type {Record<string, string>} by the beginning of a kernel's name */
    kernels: {
      attention: "attention",
      get_rows: "looks up the token",
      linear_experts: "products with experts",
      linear_attention: "linear attention",
      linear: "products with weights",
      rms_norm: "norms",
      layer_norm: "norms",
      qk_norm: "norms of queries and keys",
      rope_append: "positions and the cache",
      sample: "picks the next token",
      gated: "gates",
      unary: "activation",
      binary: "sums",
      route: "chooses experts",
    },
    python: "Its Python",
    pythonLead:
      "This is the function that makes each token, as it runs. Change it and see what happens: skip a layer, scale what is added, try another activation. It runs only in this page, until the model is reloaded. Only run code that you wrote or understand.",
    run: "Run",
    running: "Trying a step…",
    runs: "It works. The next answer will use it.",
    original: "Back to the original",
    isOriginal: "The original is running.",
    isChanged: "Your version is running.",
    failed: "It does not work, so the version before it is still running.",
    source: "Python of the model",
  },
  full: {
    near: "This conversation is nearly as long as the model can remember.",
    full: "This conversation is as long as the model can remember.",
    dropOldest: "Forget the oldest messages",
    newChat: "New chat",
  },
  models: {
    title: "Models",
    choose: "Choose a model",
    chooseOther: "Choose another model",
    onDevice: "On this device",
    toDownload: "Ready to download",
    ofSite: "Comes with this page",
    helps: "Searches your files; it does not chat",
    purposes: {
      quick: "Very quick, short answers",
      small: "Small tasks on any device",
      languages: "Many languages, still small",
      everyday: "Everyday questions, quick",
      writing: "Writing, many languages",
      work: "Summaries and instructions",
      allRound: "A bit of everything, many languages",
      reasoning: "Thinks things through",
      code: "Thinking, code, many languages",
      knowledge: "Writing and general knowledge",
      long: "Long texts, quick for its size",
      best: "The best answers here",
    },
    /** @type {Record<import("../fits.js").Fit, string>} */
    fit: { fits: "Fits", tight: "Tight", large: "Too large" },
    /** @type {Record<import("../fits.js").Fit, (size: string) => string>} */
    fitWhy: {
      fits: (size) => `Needs about ${size} of GPU memory, which this device should have.`,
      tight: (size) => `Needs about ${size} of GPU memory: this device may not have that much to spare.`,
      large: (size) => `Needs about ${size} of GPU memory: more than this device is likely to have.`,
    },
    /** @type {(size: string) => string} */
    memory: (size) => `needs about ${size} of GPU memory`,
    /** @type {(size: string) => string} */
    uses: (size) => `uses ${size} of GPU memory`,
    inUse: "In use",
    details: "Details",
    /** @type {(part: number, total: number) => string} */
    partly: (part, total) => {
      if (!total) return `${bytes(part)} downloaded`;
      const [loaded, whole] = bytesOf(part, total);
      return `${loaded} of ${whole} downloaded`;
    },
    use: "Use",
    download: "Download",
    resume: "Resume",
    /** @type {(name: string) => string} */
    removeNamed: (name) => `Delete ${name} from this device`,
    /** @type {(name: string) => string} */
    busy: (name) => `${name} is in use in another tab, or is being loaded, so it was not deleted.`,
    find: "Find another model",
    findHint: "A name, owner/repository or https://…",
    search: "Search",
    load: "Load",
    file: "Open a file…",
    explained:
      "Searching asks Hugging Face, and nobody else. A GGUF file of your own is not sent anywhere; you can also drop it on the page.",
    searching: "Asking Hugging Face…",
    /** @type {(query: string) => string} */
    found: (query) => `“${query}” on Hugging Face`,
    /** @type {(query: string) => string} */
    nothing: (query) => `Hugging Face has no GGUF files for “${query}”. Fewer words find more.`,
    clear: "Clear the search",
    /** @type {(number: number) => string} */
    downloads: (number) => plural(number, { one: "1 download a month", other: `${count(number)} downloads a month` }),
    gated: "Only after you agree to its terms on Hugging Face: download it there, then open the file here.",
    files: "Show files",
    /** @type {(name: string) => string} */
    filesOf: (name) => `Show files: ${name}`,
    noFiles: "No file here is a whole model by itself.",
    /** @type {(architecture: string) => string} */
    unsupported: (architecture) => `Models of the kind “${architecture}” do not run here.`,
    storageButton: "Storage…",
    anyway: "Try anyway",
    /** @type {(memory: string) => string} */
    noMemory: (memory) => `It needs about ${memory} of GPU memory, more than this device has free.`,
    /** @type {(size: string, left: string) => string} */
    noStorage: (size, left) =>
      `It takes ${size}, and there is room for ${left} on this device: it could not be kept for your next visit.`,
    /** @type {(name: string) => string} */
    notKept: (name) => `There was no room to keep ${name} on this device. It will be downloaded again next time.`,
    /** @type {(used: string, quota: string) => string} */
    storage: (used, quota) => `This page uses ${used} of the ${quota} that it may use.`,
    pause: "Pause",
    goOn: "Resume",
    paused: "Paused",
    stop: "Cancel",
    /** @type {(name: string) => string} */
    card: (name) => `Details: ${name}`,
    facts: {
      architecture: "Architecture",
      parameters: "Parameters",
      quantization: "Quantization",
      context: "Context",
      vocabulary: "Vocabulary",
      size: "Size",
      memory: "GPU memory in use",
      /** What this GPU computes wrongly with, and so is not used. */
      distrusted: "Not used on this GPU",
      /** @type {(number: number) => string} */
      tokens: (number) => `${count(number)} tokens`,
      types: "Tensors by type",
      type: "Type",
      tensors: "Tensors",
      metadata: "Metadata",
      key: "Key",
      value: "Value",
      template: "Chat template",
      /** @type {(name: string) => string} */
      templateNamed: (name) => `Chat template “${name}”`,
      noTemplate: "None: the model continues your text as it is.",
      /** @type {(number: number) => string} */
      allTensors: (number) => `All ${count(number)} tensors`,
      name: "Name",
      shape: "Shape",
    },
  },
  /** The worker hung: said while the model is loaded again by itself. */
  hung: "The model stopped responding and is being restarted. Your conversation is still here.",
  /** The graphics processor was lost: said while the model is loaded again by itself. */
  lost: "The graphics chip was reset and lost the model. It is being loaded again. Your conversation is still here.",
  settings: {
    locked: "Set by the owner of this site.",
    title: "Settings",
    language: { label: "Language", system: "System" },
    reset: "Reset all settings",
    wasReset: "All settings are back to their defaults.",
    /** @type {(name: string) => string} */
    toDefault: (name) => `Reset ${name}`,
    groups: { general: "General", answers: "Answers", sampling: "Sampling", memory: "Memory", tools: "Tools" },
    scope: {
      label: "These apply to",
      explained: "A conversation keeps its own settings, and takes them along when it is exported.",
      choices: { all: "All conversations", own: "This conversation only" },
      asForAll: "As in all conversations",
    },
    own: {
      label: "Own settings",
      explained: "This conversation has settings of its own",
      reset: "Use the settings for all conversations",
      wasReset: "This conversation now uses the settings for all conversations.",
    },
    presets: {
      label: "Style",
      labels: {
        recommended: "As the model recommends",
        precise: "Precise",
        balanced: "Balanced",
        creative: "Creative",
      },
      own: "Custom",
      /** Where the model's file says something. */
      made: "The recommended values come from the model’s makers.",
      ours: "This model recommends nothing itself; the recommended values suit models of its size.",
    },
    effort: {
      label: "Thinking effort",
      explained: "More effort means better answers to hard questions, and a longer wait.",
      levels: { low: "Low", medium: "Medium", high: "High" },
      /** @type {(level: string | undefined) => string} */
      byItself: (level) => (level ? `Default (${level})` : "Default"),
    },
    /** @type {Record<string, string>} */
    unset: { max_tokens: "no limit", seed: "random" },
    returnKey: {
      label: "The Return key",
      explained: "If it sends, Shift and Return make a new line. If not, Control (or Command) and Return send.",
      choices: { sends: "Sends", breaks: "Makes a new line" },
    },
    theme: { label: "Appearance", choices: { system: "System", light: "Light", dark: "Dark" } },
    system: {
      label: "System prompt",
      explained: "Instructions the model gets before every conversation: who it is, how to answer.",
    },
    thinks: {
      label: "Thinking",
      explained: "The model thinks before it answers: often better, always slower.",
      /** @type {Record<string, string>} */
      choices: { true: "Always", false: "Never" },
      byItself: { on: "Default (on)", off: "Default (off)", free: "Let the model decide" },
    },
    temperature: {
      label: "Temperature",
      explained: "Higher is more varied, lower is more predictable. 0 always takes the most likely word.",
    },
    top_k: { label: "Top-k", explained: "Choose among this many of the most likely tokens. 0 means no limit." },
    top_p: { label: "Top-p", explained: "Choose among the most likely tokens that add up to this probability." },
    min_p: { label: "Min-p", explained: "Skip tokens less likely than this share of the most likely one." },
    repetition_penalty: {
      label: "Repetition penalty",
      explained: "Above 1, the model repeats itself less.",
    },
    max_tokens: { label: "Max. length", explained: "Of an answer, in tokens: four tokens are about three words." },
    seed: { label: "Seed", explained: "The same seed and question give the same answer." },
    context: {
      label: "Context length",
      explained: "How much of a conversation the model can remember, in tokens. Changing it reloads the model.",
    },
    cache_bits: {
      label: "Context precision",
      explained: "8 bit takes half the GPU memory and is slightly less exact. Changing it reloads the model.",
      choices: { 16: "16 bit", 8: "8 bit" },
    },
    stop: { label: "Stop strings", explained: "One per line. The answer ends before the first of them." },
    schema: {
      label: "Answer as JSON",
      explained: "A JSON schema that every answer follows. {} allows any JSON; leave it empty for plain text.",
    },
    noSchema: "This is not a JSON schema: it starts with { and ends with }.",
  },
  shortcuts: {
    title: "Keyboard shortcuts",
    /** @type {[string[], string][]} */
    list: [
      [["Enter"], "Send"],
      [["Shift", "Enter"], "New line"],
      [["Esc"], "Stop the answer"],
      [["↑"], "Edit your last question (in an empty field)"],
      [["/"], "Write a question"],
      [["Ctrl", "Shift", "O"], "New chat"],
      [["Ctrl", "K"], "Search conversations"],
      [["Ctrl", "Shift", "S"], "Show or hide the conversations"],
      [["Ctrl", ","], "Settings"],
      [["?"], "Show this list"],
    ],
  },

  welcome: {
    title: "AI that runs on your own device",
    lead: "There is no server behind this page: you ask, and your own graphics chip writes the answer.",
    private: "What you write stays here",
    offline: "Works offline after the first visit",
    free: "No account, no limits",
    examplesLabel: "Questions to begin with",
    /** @type {[kind: "ask" | "rewrite" | "write" | "ideas", text: string][]} what a small model is good at */
    examples: [
      ["ask", "Why is the sky blue?"],
      ["ideas", "Give me three ideas for a rainy Sunday."],
      ["rewrite", "Make this friendlier: Send me the report."],
      ["write", "Write a short poem about the sea."],
    ],
    /** @type {(name: string) => string} */
    small: (name) => `${name} is a small model: quick, and best at short questions, rewriting and ideas.`,
    /** @type {(name: string, size: string) => string} */
    bigger: (name, size) => `Try a bigger one: ${name}, ${size}`,
  },
  /** Said while a model is downloaded. */
  once: "This happens only once: next time the model opens from this device.",
  waiting: "Will be sent as soon as the model is ready.",
  /** Read out when an answer starts. */
  answering: "Answering",

  /** @type {Record<Stage, string>} */
  stages: {
    runtime: "Starting up",
    packages: "Loading the engine",
    download: "Downloading the model",
    header: "Reading the model",
    weights: "Moving the model to the graphics chip",
    kernels: "Warming up",
  },
  /** @type {(stage: string, loaded: number, total: number) => string} */
  stageBytes: (stage, loaded, total) => {
    if (!total) return `${stage}: ${bytes(loaded)}`;
    const [part, whole] = bytesOf(loaded, total);
    return `${stage}: ${part} of ${whole}`;
  },
  /** @type {(bytesPerSecond: number, secondsLeft: number) => string} */
  speed: (bytesPerSecond, secondsLeft) =>
    secondsLeft >= 1 ? `${bytes(bytesPerSecond)}/s, ${duration(secondsLeft)} left` : `${bytes(bytesPerSecond)}/s`,
  ready: "The model is ready.",

  /** @type {(used: number, length: number) => string} */
  context: (used, length) => `${count(used)} of ${count(length)} tokens`,
  /** @type {(perSecond: number) => string} */
  speedNow: (perSecond) => `${decimal(perSecond)} tokens/s`,
  /** @type {(done: number, total: number) => string} */
  reading: (done, total) => `Reading: ${count(done)} of ${count(total)} tokens`,
  noLongerSent: "The model no longer sees anything above this line.",

  /** @type {Record<Done["reason"], string>} */
  reasons: {
    stop: "",
    tool_calls: "",
    length: "length limit reached",
    stopped: "stopped",
    context: "context full",
  },
  /** @type {(figures: Figures) => string} */
  stats: ({ usage, seconds, tokens_per_second }) => {
    const tokens = count(usage.completion_tokens);
    const parts = [plural(usage.completion_tokens, { one: `${tokens} token`, other: `${tokens} tokens` })];
    if (usage.completion_tokens > 1) parts.push(`${decimal(tokens_per_second.decode)} tokens/s`);
    parts.push(`first token after ${measured(seconds.first_token)}`);
    return parts.join(" · ");
  },
  unanswered: "Not answered. It will be sent with your next question.",
  tooLong: "This is longer than the model can read at once, so it was not sent. Shorten it, or remove files.",

  /** @type {(stage: string, message: string) => string} */
  failed: (stage, message) => {
    const said = /[.!?]$/.test(message) ? message : `${message}.`;
    if (stage === "cancelled") return "No model is loaded. What was downloaded so far is kept for next time.";
    if (stage === "memory") return `${said} Close other pages that use it, or choose a smaller model.`;
    if (stage === "worker") return `The engine stopped unexpectedly: ${said}`;
    if (stage === "runtime") return `Python could not be started: ${said}`;
    if (stage === "site") return `The page could not be loaded: ${said}`;
    return said;
  },

  unsupportedPage: {
    title: "This browser can’t run the model",
    lead: "The model runs on your own graphics chip, through WebGPU. These browsers support it:",
    browsers: [
      "Chrome and Edge 113 or later, on Windows, macOS, ChromeOS and Android",
      "Safari 26 or later, on macOS, iOS and iPadOS",
      "Firefox 141 or later on Windows, 145 or later on macOS",
    ],
    advice:
      "If yours is one of them, update it, make sure that hardware acceleration is on in its settings, and try " +
      "again. On Linux, Chrome may need chrome://flags/#enable-unsafe-webgpu.",
  },
  /** @type {Record<Exclude<Support, "ok">, string>} */
  unsupported: {
    insecure:
      "This page was not opened through a secure address. Browsers offer WebGPU only at https:// and localhost.",
    missing: "This browser has no WebGPU, or it is switched off.",
    "no-adapter": "This browser has WebGPU, but found no graphics chip that it can use.",
  },

  files: {
    /** @type {(name: string, length: number, pages?: number) => string} length in characters */
    attached: (name, length, pages) =>
      pages
        ? `${name}, ${plural(pages, { one: "1 page", other: `${count(pages)} pages` })}`
        : words.file(name, bytes(length)),
    /** @type {(name: string, share: string) => string} */
    reading: (name, share) => `Reading ${name}: ${share}`,
    kept: "Kept with this chat",
    fleeting: "For this question only",
    keepHelp: "Whether these files stay with the chat on this device, or are forgotten after this question.",
    /** @type {(name: string) => string} */
    notKept: (name) => `${name}: not kept`,
    more: "The file goes on from here.",
    /** @type {(name: string, most: string) => string} */
    tooLong: (name, most) => `${name} is too long: up to ${most} characters can be read.`,
    /** @type {(name: string) => string} */
    empty: (name) => `${name} is empty.`,
    /** @type {(name: string) => string} */
    scanned: (name) => `${name} holds no text: its pages are pictures.`,
    /** @type {(name: string) => string} */
    locked: (name) => `${name} is locked with a password. Save a copy without one, and add that.`,
    /** @type {(name: string) => string} */
    broken: (name) => `${name} is damaged and can’t be read.`,
    searching: "Searching the files…",
    sources: "Sources",
    passage: "Passage",
    /** @type {(name: string, where: string) => string} */
    place: (name, where) => `${name}, ${where}`,
    /** @type {(number: number) => string} */
    page: (number) => `page ${number}`,
    /** @type {(number: number) => string} */
    line: (number) => `line ${number}`,
    meaning: {
      /** @type {(size: string) => string} */
      offer: (size) =>
        `Found by their words alone. A small model searches by meaning too (${size} from Hugging Face, once).`,
      accept: "Download it",
      /** @type {(share: string) => string} */
      coming: (share) => `The search model is coming: ${share}`,
      there: "Files are searched by meaning from now on.",
      again: "Answer again",
    },
    gone: "This file was not kept, and neither was the passage.",
    noRoom: "The graphics processor has no memory left for it.",
    /** @type {(why: string) => string} */
    noMeaning: (why) => `Your files are searched by words alone. ${why}`,
  },
  storage: {
    title: "Storage",
    show: "Show…",
    explained: "What this page keeps on your device, how much room it takes, and how to delete it.",
    persistent: "The browser has promised to keep it.",
    temporary: "When the device runs short of room, the browser may delete it.",
    persist: "Keep it for good",
    notPersistent: "The browser does not promise to keep it. It may when the page is installed or bookmarked.",
    model: "Model: used without a download",
    partOfModel: "Model, a part of it: its download can go on from here",
    page: "This page",
    pageExplained: "So that it opens without a network. Deleted, it comes back with the next visit.",
    memory: "Python, started",
    memoryExplained: "So that the next visit begins sooner. Deleted, it comes back with the next visit.",
    /** @type {(number: number) => string} */
    conversations: (number) => plural(number, { one: "1 conversation", other: `${count(number)} conversations` }),
    conversationsExplained: "They are on this device alone.",
    remove: "Delete",
    /** @type {(name: string) => string} */
    removeNamed: (name) => `Delete: ${name}`,
    sure: "Delete for good",
    save: "Save as a file",
  },
  installed: {
    lost: "What was shared with this page could not be read.",
  },
  thinking: {
    label: "Think",
    off: "Don’t think",
    explained: "Think before answering: better answers, a longer wait",
    /** @type {(level: string) => string} */
    level: (level) => `Think: ${level}`,
  },
  library: {
    title: "Assistants and prompts",
    assistantsTitle: "Assistants",
    assistantsLead: "Who you talk to: instructions and settings that a new chat starts with.",
    promptsTitle: "Saved prompts",
    promptsLead: "Type / in an empty message to insert one.",
    begin: "Or start with an assistant",
    more: "Edit…",
    editPrompts: "Edit saved prompts…",
    use: "Chat",
    /** @type {(assistant: string, model: string) => string} */
    meantFor: (assistant, model) => `${assistant} is meant for the model ${model}.`,
    load: "Load it",
    newAssistant: "New assistant",
    newPrompt: "New prompt",
    /** @type {(name: string) => string} */
    edit: (name) => `Edit ${name}`,
    /** @type {(name: string) => string} */
    remove: (name) => `Delete ${name}`,
    /** @type {(name: string) => string} */
    removed: (name) => `“${name}” was deleted.`,
    save: "Save",
    name: "Name",
    nameHelp: "Shown on the start page and at the top of its chats.",
    promptNameHelp: "You find it by this name, or by a word of its text.",
    mark: "Symbol",
    markHelp: "An emoji or a letter. Can be left empty.",
    systemHelp: "Tell it who it is and how to answer. It reads this before every chat.",
    model: "Model",
    modelHelp: "A model that is not on this device is loaded only when you say so.",
    anyModel: "Whichever is in use",
    text: "Text",
    textHelp: "Write {{text}} where something is to be filled in.",
    missing: "This can’t be empty.",
    notKept: "This browser gives the page no room to keep that: it will be gone when the page is closed.",
    import: "Import…",
    export: "Export",
    fileName: "assistants",
    /** @type {(count: number) => string} */
    imported: (number) =>
      number === 0
        ? "Nothing new: all of it was here already."
        : plural(number, { one: "One was imported.", other: `${count(number)} were imported.` }),
    /** @type {(name: string) => string} */
    unreadable: (name) => `${name} has no assistants or prompts that this page can read.`,
    assistants: {
      writer: {
        name: "Writer",
        system:
          "You are a skilled writer and editor. Write in clear, lively language and keep the writer’s own voice. When you are given a text to improve, return the improved text first, and then name the most important changes in a few short points.",
      },
      translator: {
        name: "Translator",
        system:
          "You are a translator. Translate what the user writes into English, or, if it is in English, into the language that the user names. Keep meaning, tone and formatting. Answer with the translation alone.",
      },
      coder: {
        name: "Programmer",
        system:
          "You are an experienced programmer. Answer with short, correct and readable code in a code block, and then explain it in a few sentences. If something important is not clear, say what you assume.",
      },
      tutor: {
        name: "Tutor",
        system:
          "You are a patient tutor. Explain things step by step, in simple words and with one example. End with one short question that shows whether it was understood.",
      },
    },
    prompts: {
      summary: { name: "Summarize", text: "Summarize this text in five short points:\n\n{{text}}" },
      explain: {
        name: "Explain simply",
        text: "Explain {{topic}} as you would to a twelve-year-old, with an example.",
      },
      improve: {
        name: "Improve my writing",
        text: "Correct the mistakes in this text and make it easier to read, without changing what it says:\n\n{{text}}",
      },
      translate: { name: "Translate", text: "Translate this into {{language}}:\n\n{{text}}" },
      reply: {
        name: "Answer an email",
        text: "Write a short, friendly answer to this email. I want to say: {{message}}\n\nThe email:\n\n{{email}}",
      },
      ideas: { name: "Ideas", text: "Give me ten ideas for {{topic}}, each in one sentence." },
    },
  },
  /** What an answer took, at length. */
  details: {
    title: "Details of the answer",
    model: "Model",
    answer: "Length",
    /** @type {(number: number) => string} */
    tokens: (number) => plural(number, { one: `${count(number)} token`, other: `${count(number)} tokens` }),
    speed: "Speed",
    first: "Time to first token",
    thinking: "Time to think",
    /** @type {(seconds: number) => string} */
    seconds: (seconds) => measured(seconds),
    prompt: "Prompt",
    /** @type {(all: number, cached: number) => string} */
    read: (all, cached) =>
      `${words.details.tokens(all)}${cached ? `, ${count(cached)} of them known from before` : ""}`,
    ended: "Ended",
    /** @type {Record<Done["reason"], string>} */
    reasons: {
      stop: "by itself",
      tool_calls: "to call a function",
      length: "at the length limit",
      stopped: "you stopped it",
      context: "the context was full",
    },
    none: "Nothing was measured.",
    show: {
      label: "Numbers under answers",
      explained: "Length, speed and time to first token. You can always find them under Details.",
      choices: { shown: "Show", folded: "Hide" },
    },
  },
  organised: {
    pinned: "Pinned",
    archived: "Archived",
    pin: "Pin",
    unpin: "Unpin",
    move: "Move to folder…",
    newFolder: "New folder…",
    noFolder: "No folder",
    folderName: "Name of the folder",
    renameFolder: "Rename folder",
    deleteFolder: "Delete folder, keep its chats",
    /** @type {(name: string) => string} */
    folderDeleted: (name) => `The folder “${name}” was deleted. Its chats are still here.`,
    archive: "Archive",
    unarchive: "Move out of the archive",
    /** @type {(name: string) => string} */
    wasArchived: (name) => `“${name}” was archived.`,
  },
  share: {
    menu: "Share as a web page…",
    title: "Share this chat",
    lead: "Everything in view becomes one file that opens in any browser, also offline. It goes only where you send it.",
    system: "Include the system prompt",
    systemTitle: "System prompt",
    thoughts: "Include what the model thought",
    save: "Save the file",
    send: "Share…",
    failed: "The file could not be made.",
    /** @type {(models: string, date: Date) => string} models: their names, or nothing */
    about: (models, date) => [models, dateOf(date)].filter(Boolean).join(" · "),
  },
  titles: {
    label: "Titles by the model",
    explained: "After the first answer the model names the chat. It stops at once when you ask something else.",
    choices: { default: "If the model is large enough", on: "Always", off: "Never: use the first words" },
    /** What the model is told. */
    ask: "Write a title for this conversation: at most six words, in the language of the conversation. Answer with the title alone.",
  },
  raw: {
    title: "What the model read",
    json: "This chat as JSON",
    label: "Tokens of the prompt and the answer",
    /** @type {(prompt: number, answer: number) => string} */
    counts: (prompt, answer) =>
      `${count(prompt)} tokens of prompt as the chat template makes it, then ${count(answer)} of answer. Point at one, or use the arrow keys.`,
    /** @type {(before: number) => string} */
    differs: (before) =>
      `When this was answered the prompt had ${count(before)} tokens: settings or the model were others.`,
    /** @type {(text: string, place: number, id: number, bytes: string) => string} */
    token: (text, place, id, bytes) => `${text} · #${place} · id ${id} · bytes ${bytes}`,
    special: "special",
    copyPrompt: "Copy the prompt",
    copyAll: "Copy prompt and answer",
    copyIds: "Copy token ids",
    copyJson: "Copy",
  },
  compare: {
    menu: "Compare with…",
    title: "Compare answers",
    model: "Model",
    settings: "Settings",
    asSet: "As they are",
    run: "Answer",
    stop: "Stop",
    use: "Use this one",
    second: "The other answer",
    lead: "Choose another model or other settings. The same question is asked again, and both answers stand side by side.",
    waiting: "One moment…",
    /** @type {(name: string) => string} */
    notLoaded: (name) => `${name} was not loaded. The first answer is unchanged.`,
  },
  voice: {
    read: "Read aloud",
    stop: "Stop reading",
    none: "This device has no voice for the language of this answer.",
    dictate: "Dictate",
    notAllowed: "The browser does not let this page use the microphone.",
    failed: "That was not understood. Try again.",
  },
};
