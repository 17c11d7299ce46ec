/**
 * A look inside an answer: how sure the model was of each token, what else it had in mind, where it looked, what a token's
 * time goes to, and the Python that makes it. Loaded when it is first opened.
 *
 * @import { App } from "./app.js"
 * @import { Message } from "./conversation.js"
 * @import { AskedAnswer, Engine } from "./engine.js"
 * @import { Attending, Inspected, SeenToken } from "../shared/protocol.js"
 */

import { Dialog } from "./dialog.js";
import { element, styleSheet } from "./dom.js";
import { select } from "./fields.js";
import { bars, fill, HALF, problem, seen, shareOf, Tokens } from "./inside_parts.js";
import { rawOf, textOf } from "./raw.js";
import { Rewriting } from "./rewriting.js";
import { strings } from "./strings.js";
import { toJson } from "./transfer.js";
import { microseconds } from "../shared/format.js";

const words = strings.inside;

/** So many tokens are named that weigh most. */
const MOST = 8;

const dialog = new Dialog("inside", words.title);
const styled = styleSheet("inside.css");
/** Counts what is opened: what comes late for something else is not shown. */
let opening = 0;

/**
 * @param {App} app
 * @param {Message} message an answer
 */
export async function open(app, message) {
  const { engine, ready } = app;
  if (!engine || !ready) return app.toast(words.notReady);
  if (!message.content && !message.reasoning && !message.calls) return app.toast(strings.unanswered);
  const mine = ++opening;
  const status = element("p", "looking", words.looking);
  status.setAttribute("role", "status");
  const answer = askedFor(app, message);
  const record = app.conversation.record;
  const raw = [
    folded(strings.raw.title, () => rawOf(engine, answer, message)),
    folded(strings.raw.json, () => textOf(toJson([record]))),
  ];
  dialog.body.replaceChildren(status, ...raw);
  await styled;
  dialog.open();
  try {
    const found = await engine.inspect(answer);
    if (mine !== opening) return;
    const wrote = message.model;
    const note =
      wrote && app.model && wrote !== app.model.name
        ? [element("p", "lead", words.another(wrote, app.model.name))]
        : [];
    status.replaceWith(...note, ...sections(engine, answer, found));
  } catch (error) {
    if (mine === opening)
      status.replaceWith(
        problem(error),
        folded(words.python, () => new Rewriting(engine).root),
      );
  }
}

/**
 * @param {App} app
 * @param {Message} message
 * @returns {AskedAnswer} as it was asked for: what it calls, and what came of that, is no part of its text
 */
function askedFor({ conversation, settings, tools }, message) {
  const messages = conversation.prompt(message, settings.system(conversation));
  const last = messages.findLastIndex(({ role }) => role === "assistant");
  const { role, content, reasoning_content } = messages[last];
  const said = { role, content: content ?? "", ...(reasoning_content && { reasoning_content }) };
  const { chat_template_kwargs } = settings.sampling(conversation);
  return {
    messages: [...messages.slice(0, last), said],
    options: { ...(chat_template_kwargs && { chat_template_kwargs }), ...(tools.length && { tools }) },
    drop_oldest: conversation.record.dropOldest ?? false,
  };
}

/**
 * @param {Engine} engine
 * @param {AskedAnswer} answer
 * @param {Inspected} found
 */
function sections(engine, answer, found) {
  const detail = element("div", "detail");
  detail.setAttribute("aria-live", "polite");
  const tokens = new Tokens(
    words.tokens,
    found.answer.map(({ text }) => text),
  );
  for (const [index, { logprob }] of found.answer.entries())
    tokens.shade(index, 1 - Math.exp(logprob), sureness(logprob));
  const attention = new Attention(engine, answer, found);
  tokens.onShown = (index) => detail.replaceChildren(...told(found.answer[index]));
  tokens.onChosen = (index) => attention.show(index);
  tokens.choose(0);
  const first = section(words.tokens, words.tokensLead);
  first.append(legend(), tokens.root, detail);
  return [
    first,
    attention.root,
    folded(words.time, () => timeOf(engine)),
    folded(words.python, () => new Rewriting(engine).root),
  ];
}

/** @param {number} logprob @returns {"high" | "middle" | "low"} */
function sureness(logprob) {
  const share = Math.exp(logprob);
  return share < 0.1 ? "low" : share < 0.5 ? "middle" : "high";
}

function legend() {
  const root = element("p", "legend");
  for (const [sure, text] of Object.entries(words.sure)) {
    const sample = element("span", "token", text);
    sample.dataset.sure = sure;
    fill(sample, { high: 0, middle: 0.65, low: 0.95 }[sure] ?? 0);
    root.append(sample);
  }
  return root;
}

/** @param {SeenToken} token */
function told({ text, logprob, likeliest }) {
  const came = likeliest.find((likely) => Math.abs(likely.logprob - logprob) < 1e-6) ?? { text, logprob };
  const rows = [...new Set([...likeliest, came])].map((likely) => ({
    name: seen(likely.text),
    note: likely === came ? words.taken : "",
    share: Math.exp(likely.logprob),
    value: shareOf(Math.exp(likely.logprob)),
  }));
  return [
    element("p", "of-token", words.chosen(seen(text), shareOf(Math.exp(logprob)))),
    bars(words.instead, [words.token, words.probability], rows),
  ];
}

/** Where the model looked when it chose a token: of a layer and a head that the visitor chooses. */
class Attention {
  root = section(words.attention, words.attentionLead);
  #engine;
  #answer;
  #found;
  #tokens;
  #list = element("div", "detail");
  #layer = select(words.layer);
  #head = select(words.head);
  #token = 0;
  #asked = 0;
  /** When the one that was asked for last is shown. @type {Promise<void> | undefined} */
  #shown;

  /**
   * @param {Engine} engine
   * @param {AskedAnswer} answer
   * @param {Inspected} found
   */
  constructor(engine, answer, found) {
    this.#engine = engine;
    this.#answer = answer;
    this.#found = found;
    this.#tokens = element("div", "tokens");
    this.#tokens.tabIndex = 0; // it scrolls
    this.#tokens.setAttribute("role", "region");
    this.#tokens.setAttribute("aria-label", words.attention);
    const { attending } = found;
    if (!attending.length) {
      this.root.append(element("p", "", words.noAttention));
      return;
    }
    this.#layer.field.append(...attending.map(({ layer }) => option(String(layer), layer)));
    this.#layer.field.value = String(attending[Math.floor(attending.length / 2)].layer);
    this.#layer.field.addEventListener("change", () => (this.#offerHeads(attending), this.show(this.#token)));
    this.#head.field.addEventListener("change", () => this.show(this.#token));
    this.#offerHeads(attending);
    const choices = element("div", "choices");
    choices.append(this.#layer.root, this.#head.root);
    this.root.append(choices, this.#tokens, this.#list);
  }

  /** @param {Attending[]} attending */
  #offerHeads(attending) {
    const { heads } = attending.find(({ layer }) => String(layer) === this.#layer.field.value) ?? { heads: 0 };
    const before = this.#head.field.value;
    this.#head.field.replaceChildren(
      option(words.everyHead, ""),
      ...Array.from({ length: heads }, (_, i) => option(String(i), i)),
    );
    this.#head.field.value = Number(before) < heads ? before : "";
  }

  /** @param {number} token of the answer */
  async show(token) {
    this.#token = token;
    if (!this.#found.attending.length) return;
    const asked = ++this.#asked;
    await this.#shown; // one is asked for at a time, and then what is wanted by then
    if (asked === this.#asked) await (this.#shown = this.#ask(token));
  }

  /** @param {number} token */
  async #ask(token) {
    const asked = this.#asked;
    const head = this.#head.field.value === "" ? null : Number(this.#head.field.value);
    try {
      const weights = await this.#engine.attend(this.#answer, { token, layer: Number(this.#layer.field.value), head });
      if (asked === this.#asked) this.#draw(token, weights);
    } catch (error) {
      if (asked === this.#asked) this.#list.replaceChildren(problem(error));
    }
  }

  /**
   * @param {number} token
   * @param {number[]} weights
   */
  #draw(token, weights) {
    const { prompt, answer } = this.#found;
    const texts = [...prompt, ...answer.slice(0, token).map(({ text }) => text)];
    const most = Math.max(...weights);
    const drawn = texts.map((text, index) => {
      const made = element("span", "token", text || HALF);
      fill(made, Math.sqrt(weights[index] / most)); // by their squares small ones would not be seen
      made.title = `${seen(text)}: ${shareOf(weights[index])}`;
      return made;
    });
    const here = element("span", "token here", answer[token].text || HALF);
    this.#tokens.replaceChildren(...drawn, here);
    this.#tokens.scrollTop = this.#tokens.scrollHeight;
    const rows = weights
      .map((share, index) => ({ share, index }))
      .sort((a, b) => b.share - a.share)
      .slice(0, MOST)
      .map(({ share, index }) => ({ name: seen(texts[index]), note: `#${index + 1}`, share, value: shareOf(share) }));
    this.#list.replaceChildren(bars(words.most, [words.token, words.share], rows));
  }
}

/** @param {Engine} engine */
function timeOf(engine) {
  const root = element("div", "");
  root.append(element("p", "looking", words.looking));
  engine.profile().then(
    ({ dispatches, reason }) => {
      if (reason) return root.replaceChildren(element("p", "", words.noTime(reason)));
      const whole = dispatches.reduce((sum, { seconds }) => sum + seconds, 0) || 1;
      const rows = [...dispatches]
        .sort((a, b) => b.seconds - a.seconds)
        .map(({ kernel, count, seconds }) => ({
          name: kernel,
          note: `${doing(kernel)} × ${count}`,
          share: seconds / whole,
          value: microseconds(seconds),
        }));
      root.replaceChildren(element("p", "lead", words.timeLead), bars(words.kinds, [words.kind, words.share], rows));
    },
    (error) => root.replaceChildren(problem(error)),
  );
  return root;
}

/** @param {string} kernel */
function doing(kernel) {
  const begins = Object.keys(words.kernels).filter((name) => kernel.startsWith(name));
  return begins.length ? words.kernels[begins.reduce((a, b) => (a.length < b.length ? b : a))] : "";
}

/**
 * @param {string} title
 * @param {string} lead
 */
function section(title, lead) {
  const root = element("section", "");
  root.append(element("h3", "", title), element("p", "lead", lead));
  return root;
}

/**
 * @param {string} title
 * @param {() => HTMLElement} content made when it is first looked at
 */
function folded(title, content) {
  const details = element("details", "");
  details.append(element("summary", "", title));
  details.addEventListener("toggle", () => details.append(content()), { once: true });
  return details;
}

/**
 * @param {string} text
 * @param {string | number} value
 */
function option(text, value) {
  return new Option(text, String(value));
}
