/**
 * What the visitor has set, for all conversations or for one, and what the engine is told of it. Dispatches "change"
 * when any of it has changed (its detail the conversation whose own has), and "open" when somebody wants to see it
 * (settings_dialog.js).
 *
 * @import { Conversation } from "./conversation.js"
 * @import { AnswerOptions, LoadOptions, Ready } from "../shared/protocol.js"
 * @import { OwnValues, Values } from "./settings_values.js"
 * @import { HouseSettings } from "../shared/site.js"
 *
 * @typedef {"general" | "answers" | "sampling" | "memory" | "tools"} Group
 * @typedef {{record: {settings?: OwnValues}}} Settable what has settings of its own, or could have: a conversation
 *
 * @typedef {object} Section of a feature
 * @property {Group} [group] that it stands in; else "tools"
 * @property {() => HTMLElement} show made anew each time
 * @property {() => () => void} [reset] everything is to be as it was at first; returns what takes that back
 */

import { recallJson, remember, whenChanged } from "./remembered.js";
import { ownValuesOf, valuesOf } from "./settings_values.js";

const KEY = "settings";
/** The temperature at which a model that always says the likeliest answers anew. */
const VARIED = 0.7;

export class Settings extends EventTarget {
  /** For all conversations. */
  values = valuesOf(recallJson(KEY));
  /** Where nothing is set: what the model's file or we recommend, and what the site says. @type {Values} */
  defaults = {};
  /** What the site's owner has decided. @type {HouseSettings} */
  house = { defaults: {} };
  /** What the model in use can be told. @type {Pick<Ready, "thinking" | "efforts" | "effort" | "recommended">} */
  can = { thinking: "fixed", efforts: [], effort: "", recommended: [] };
  /** What the model's makers recommend beside its file. @type {Values} */
  #card = {};
  /** @type {Section[]} */
  sections = [];

  constructor() {
    super();
    whenChanged(KEY, () => {
      this.values = valuesOf(recallJson(KEY));
      this.dispatchEvent(new CustomEvent("change"));
    });
  }

  /** @param {Group} [group] */
  open(group) {
    this.dispatchEvent(new CustomEvent("open", { detail: group }));
  }

  /** @param {Ready} ready */
  set model(ready) {
    const { stop: _, ...sampling } = ready.sampling;
    this.can = ready;
    this.#card = {};
    this.defaults = { ...this.defaults, ...sampling, context: ready.model.context_length, ...this.house.defaults };
  }

  /** @param {Values} card what the makers of the model in use recommend, where its file says nothing */
  recommend(card) {
    this.#card = card;
    this.can = { ...this.can, recommended: Object.keys(card) };
    this.defaults = { ...this.defaults, ...card, ...this.house.defaults };
  }

  /** @param {string} system the site's own system prompt */
  set systemDefault(system) {
    this.defaults.system = system;
  }

  /**
   * @param {Partial<Record<keyof Values, unknown>>} changes undefined: it is not set any more
   * @param {Conversation} [conversation] for this one alone
   */
  set(changes, conversation) {
    if (conversation) return this.setOwn(conversation, { ...conversation.record.settings, ...changes });
    this.values = valuesOf({ ...this.values, ...changes });
    remember(KEY, JSON.stringify(this.values));
    this.dispatchEvent(new CustomEvent("change"));
  }

  /**
   * @param {Conversation} conversation
   * @param {Partial<Record<keyof OwnValues, unknown>> | undefined} own all that it shall have of its own
   */
  setOwn(conversation, own) {
    conversation.record.settings = ownValuesOf(own);
    this.dispatchEvent(new CustomEvent("change", { detail: conversation }));
  }

  /** What a conversation has of its own, over what is set for all. @param {Settable} conversation @returns {Values & OwnValues} */
  of({ record }) {
    return { ...this.house.defaults, ...this.free(this.values), ...this.free(record.settings ?? {}) };
  }

  /** @param {string} name @returns {boolean} whether the site's owner lets nobody set it */
  isFixed(name) {
    const { locked = [], hidden = [] } = this.house;
    return locked.includes(name) || hidden.includes(name);
  }

  /**
   * @template {object} T
   * @param {T} values
   * @returns {T} without what nobody can set
   */
  free(values) {
    return /** @type {T} */ (Object.fromEntries(Object.entries(values).filter(([name]) => !this.isFixed(name))));
  }

  /** Whether it has any that is not seen in the composer, as thinking is. @param {Conversation} conversation */
  hasOwn({ record }) {
    const { thinks: _, effort: __, ...others } = record.settings ?? {};
    return Object.keys(others).length > 0;
  }

  /** @param {Settable} conversation @returns {string} the system prompt, or nothing */
  system(conversation) {
    return this.of(conversation).system ?? this.defaults.system ?? "";
  }

  /** @returns {LoadOptions} as far as the visitor set them */
  get loading() {
    const { context, cache_bits } = /** @type {Values} */ ({ ...this.house.defaults, ...this.free(this.values) });
    return { ...(context && { context }), ...(cache_bits && { cache_bits }) };
  }

  /**
   * @param {Settable} conversation
   * @param {boolean} anew for another answer to the same question, which should be another one
   * @returns {AnswerOptions}
   */
  sampling(conversation, anew = false) {
    const { system: _, context: __, cache_bits: ___, assistant: ____, thinks, effort, ...set } = this.of(conversation);
    const chosen = Object.entries(set).filter(([, value]) => value !== null);
    /** @type {AnswerOptions} */
    const sampling = { ...this.#card, ...Object.fromEntries(chosen) };
    if (anew && sampling.temperature === undefined && !this.defaults.temperature) sampling.temperature = VARIED;
    const told = this.#told(thinks, effort);
    return { ...sampling, ...(Object.keys(told).length && { chat_template_kwargs: told }) };
  }

  /**
   * What the model's template is told of thinking, as far as it knows of that.
   *
   * @param {boolean | undefined} thinks
   * @param {string | undefined} effort
   */
  #told(thinks, effort) {
    const isSwitched = thinks !== undefined && this.can.thinking !== "fixed";
    const hasEffort = effort !== undefined && this.can.efforts.includes(effort) && !(isSwitched && !thinks);
    return { ...(isSwitched && { enable_thinking: thinks }), ...(hasEffort && { reasoning_effort: effort }) };
  }
}
