/**
 * The dialog of settings, in groups. What concerns answers can be set for all conversations, or for the one in view
 * alone; a value out of range is not taken. Loaded when it is first opened.
 *
 * @import { App } from "./app.js"
 * @import { Group } from "./settings.js"
 * @import { OwnValues, Values } from "./settings_values.js"
 * @import { Preset } from "./presets.js"
 */

import { Dialog } from "./dialog.js";
import { button, element } from "./dom.js";
import { choices, fieldRow, isGood } from "./fields.js";
import { areFiguresShown, showFigures } from "./figures.js";
import { languageField } from "./language.js";
import { PRESET_NAMES, presetOf, PRESETS } from "./presets.js";
import { recall, remember } from "./remembered.js";
import { isSchema, listed, NUMBERS } from "./settings_values.js";
import { numberField } from "./slider.js";
import { strings } from "./strings.js";
import { tabs } from "./tabs.js";
import { returnSends, setReturnSends } from "./touch.js";

const words = strings.settings;
/** Those whose settings a conversation can have of its own. */
const OF_CONVERSATIONS = ["answers", "sampling"];

/** @type {SettingsDialog | null} */
let dialog = null;

/** @param {App} app @param {Group} [group] to begin with */
export function openSettings(app, group) {
  dialog ??= new SettingsDialog(app);
  dialog.open(group);
}

class SettingsDialog {
  #app;
  #settings;
  #dialog;
  #loadingAtOpening = "";
  /** @type {Group} */
  #group = "general";
  /** What is set is of the conversation in view alone. */
  #isOwn = false;

  /** @param {App} app */
  constructor(app) {
    this.#app = app;
    this.#settings = app.settings;
    this.#dialog = new Dialog("settings", words.title, { opened: () => this.#opened(), closed: () => this.#closed() });
  }

  /** @param {Group} [group] else the one seen last */
  open(group) {
    if (group) this.#group = group;
    this.#dialog.open();
  }

  #opened() {
    this.#loadingAtOpening = JSON.stringify(this.#settings.loading);
    this.#isOwn = this.#settings.hasOwn(this.#app.conversation);
    this.#draw();
  }

  #closed() {
    const { model } = this.#app;
    if (model && JSON.stringify(this.#settings.loading) !== this.#loadingAtOpening) this.#app.load(model);
  }

  #draw() {
    const groups = /** @type {[Group, string][]} */ (Object.entries(words.groups));
    const panels = groups.map(([name, label]) => ({ name, label, body: this.#panel(name) }));
    const chosen = (/** @type {string} */ name) => void (this.#group = /** @type {Group} */ (name));
    const reset = button("quiet", words.reset, () => this.#reset());
    this.#dialog.body.replaceChildren(
      tabs(
        "settings",
        words.title,
        panels.filter(({ body }) => body.childElementCount),
        this.#group,
        chosen,
      ),
      reset,
    );
  }

  /** @param {Group} name */
  #panel(name) {
    const form = element("form", "fields");
    form.addEventListener("submit", (event) => event.preventDefault());
    if (OF_CONVERSATIONS.includes(name)) form.append(this.#scope(name));
    const number = (/** @type {keyof typeof NUMBERS} */ name) => this.#number(name);
    if (name === "general") form.append(languageField(), themes(), figures(), returnKey());
    if (name === "answers") {
      form.append(
        this.#text("system", 4, (text) => text || undefined),
        ...this.#thinking(),
        number("max_tokens"),
        this.#text("stop", 2, listed),
        this.#text("schema", 3, (text) => text.trim() || undefined, isSchema),
      );
    }
    if (name === "sampling") form.append(this.#presets(), ...PRESET_NAMES.map(number), number("seed"));
    if (name === "memory") form.append(number("context"), this.#cacheBits());
    for (const { group = "tools", show } of this.#settings.sections) if (group === name) form.append(show());
    this.#obey(form);
    return form;
  }

  /** What the site's owner has locked is shown, and can't be changed; what is hidden is not there. @param {HTMLElement} form */
  #obey(form) {
    const { locked = [], hidden = [] } = this.#settings.house;
    const rows = (/** @type {string} */ name) =>
      form.querySelectorAll(`.field-row:has(#setting-${name}, [name="${name}"])`);
    const gone = PRESET_NAMES.some((name) => this.#settings.isFixed(name)) ? ["preset", ...hidden] : hidden;
    for (const name of gone) for (const row of rows(name)) row.remove();
    for (const row of locked.flatMap((name) => [...rows(name)])) {
      for (const input of row.querySelectorAll("input, textarea, button")) input.setAttribute("disabled", "");
      row.append(element("p", "help locked", words.locked));
    }
    if (!form.querySelector(".field-row:not(:has([name$=-scope]))")) form.replaceChildren();
  }

  /** For whom it is. @param {string} group */
  #scope(group) {
    const { label, explained, choices: labels } = words.scope;
    return choices(`${group}-scope`, label, labels, this.#isOwn ? "own" : "all", explained, (chosen) => {
      this.#isOwn = chosen === "own";
      this.#redraw(`${group}-scope`);
    });
  }

  /** What is set, and what stands where nothing is. */
  get #values() {
    const { record } = this.#app.conversation;
    const { defaults } = this.#settings;
    const values = this.#settings.free(this.#settings.values);
    return this.#isOwn
      ? { set: this.#settings.free(record.settings ?? {}), otherwise: { ...defaults, ...values } }
      : { set: values, otherwise: defaults };
  }

  /** @param {Partial<Record<keyof Values, unknown>>} changes @param {boolean} [isOwn] */
  #set(changes, isOwn = this.#isOwn) {
    this.#settings.set(changes, isOwn ? this.#app.conversation : undefined);
  }

  #presets() {
    const { label, labels, own, made, ours } = words.presets;
    const { values: all } = this.#settings;
    const preset = presetOf(this.#isOwn ? this.#settings.of(this.#app.conversation) : all);
    const explained = this.#settings.can.recommended.length ? made : ours;
    return choices("preset", label, preset ? labels : { ...labels, own }, preset ?? "own", explained, (chosen) => {
      const values = PRESETS[/** @type {Preset} */ (chosen)];
      if (!values) return;
      // What a preset leaves out is the model's default, whatever is set for all.
      const unset = (/** @type {typeof PRESET_NAMES[number]} */ name) =>
        this.#isOwn && all[name] !== undefined ? null : undefined;
      this.#set(Object.fromEntries(PRESET_NAMES.map((name) => [name, values[name] ?? unset(name)])));
      this.#redraw("preset");
    });
  }

  /** Draw all anew, with the focus where it was. @param {string} name of the choice that has it */
  #redraw(name) {
    this.#draw();
    /** @type {HTMLElement | null} */ (this.#dialog.body.querySelector(`[name=${name}]:checked`))?.focus();
  }

  /** @param {keyof typeof NUMBERS} name */
  #number(name) {
    const isOwn = this.#isOwn && name !== "context";
    const { set, otherwise } = isOwn
      ? this.#values
      : { set: this.#settings.free(this.#settings.values), otherwise: this.#settings.defaults };
    const value = /** @type {Partial<Values>} */ (set)[name];
    const byDefault = (value === null ? this.#settings.defaults : otherwise)[name] ?? undefined;
    const field = { ...NUMBERS[name], ...words[name], value, byDefault, unset: words.unset[name] };
    return numberField(field, (chosen) => {
      this.#set({ [name]: chosen }, isOwn);
      if (PRESET_NAMES.some((other) => other === name)) this.#showPreset();
    });
  }

  /** The numbers have changed: they may be those of another preset now. */
  #showPreset() {
    const shown = this.#dialog.body.querySelector("fieldset:has([name=preset])");
    shown?.replaceWith(this.#presets());
  }

  /**
   * @param {"system" | "stop" | "schema"} name
   * @param {number} rows
   * @param {(text: string) => any} parse
   * @param {(text: string) => boolean} [fits]
   */
  #text(name, rows, parse, fits = () => true) {
    const { label, explained } = words[name];
    const { set, otherwise } = this.#values;
    const written = (/** @type {string | string[] | null | undefined} */ value) => [value ?? ""].flat().join("\n");
    const input = /** @type {HTMLTextAreaElement} */ (element("textarea", ""));
    Object.assign(input, { rows, value: written(set[name]), dir: "auto", placeholder: written(otherwise[name]) });
    const { root, problem } = fieldRow(name, label, explained, input);
    input.addEventListener("input", () => {
      input.setCustomValidity(fits(input.value) ? "" : words.noSchema);
      if (isGood(input, problem)) this.#set({ [name]: parse(input.value) });
    });
    return root;
  }

  /** Whether the model thinks and how much, as far as it can be told. */
  #thinking() {
    const { thinking, efforts, effort } = this.#settings.can;
    const { set } = this.#values;
    const fields = [];
    if (thinking !== "fixed") {
      const { label, explained, choices: labels, byItself } = words.thinks;
      const all = { default: this.#isOwn ? words.scope.asForAll : byItself[thinking], ...labels };
      const chosen = String(set.thinks ?? this.#settings.house.defaults.thinks ?? "default");
      fields.push(
        choices("thinks", label, all, chosen, explained, (chosen) => {
          this.#set({ thinks: chosen === "default" ? undefined : chosen === "true" });
        }),
      );
    }
    if (efforts.length) {
      const { label, explained, levels, byItself } = words.effort;
      const known = efforts.map((level) => [level, levels[/** @type {keyof typeof levels} */ (level)]]);
      const usual = this.#isOwn ? words.scope.asForAll : byItself(levels[/** @type {keyof typeof levels} */ (effort)]);
      const all = { default: usual, ...Object.fromEntries(known) };
      fields.push(
        choices(
          "effort",
          label,
          all,
          set.effort ?? this.#settings.house.defaults.effort ?? "default",
          explained,
          (chosen) => {
            this.#set({ effort: chosen === "default" ? undefined : chosen });
          },
        ),
      );
    }
    return fields;
  }

  #cacheBits() {
    const { label, explained, choices: labels } = words.cache_bits;
    const bits = String(this.#settings.loading.cache_bits ?? 16);
    return choices("cache_bits", label, labels, bits, explained, (chosen) => {
      this.#set({ cache_bits: chosen === "8" ? 8 : undefined }, false);
    });
  }

  /** All that is set here, for all conversations and for the one in view. */
  #reset() {
    const { conversation } = this.#app;
    const [values, own] = [this.#settings.values, conversation.record.settings];
    const set = (/** @type {Values} */ values, /** @type {OwnValues | undefined} */ own) => {
      const names = Object.keys(this.#settings.values);
      this.#settings.set({ ...Object.fromEntries(names.map((name) => [name, undefined])), ...values });
      this.#settings.setOwn(conversation, own);
    };
    set({}, undefined);
    const backs = this.#settings.sections.map(({ reset }) => reset?.());
    this.#isOwn = false;
    this.#draw();
    /** @type {HTMLElement | null} */ (this.#dialog.body.querySelector("[aria-selected=true]"))?.focus();
    const undo = () => {
      set(values, own);
      for (const back of backs) back?.();
      if (this.#dialog.isOpen) this.#draw();
    };
    this.#app.toast(words.wasReset, { label: strings.undo, act: undo });
  }
}

/** What Return does in the composer: see touch.js. */
function returnKey() {
  const { label, explained, choices: labels } = words.returnKey;
  return choices("return", label, labels, returnSends() ? "sends" : "breaks", explained, (chosen) =>
    setReturnSends(chosen === "sends"),
  );
}

/** Light, dark, or as the system has it; see theme.js. */
function themes() {
  const { label, choices: labels } = words.theme;
  return choices("theme", label, labels, recall("theme") ?? "system", "", (chosen) => {
    remember("theme", chosen === "system" ? null : chosen);
    dispatchEvent(new Event("theme"));
  });
}

/** Whether the numbers of answers are seen. */
function figures() {
  const { label, explained, choices: labels } = strings.details.show;
  const shown = areFiguresShown() ? "shown" : "folded";
  return choices("figures", label, labels, shown, explained, (chosen) => showFigures(chosen === "shown"));
}
