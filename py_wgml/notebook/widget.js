/**
 * The view of a ChatWidget (widget.py): shows the widget's traits, and sends what its reader wants.
 *
 * HTML comes from Python, whose renderer lets none through that a model has written.
 *
 * @typedef {{role: string, html: string, thoughts: string, note: string}} Shown a message
 *
 * @typedef {object} Model as anywidget gives it
 * @property {(name: string) => any} get
 * @property {(event: string, handler: () => void) => void} on
 * @property {(event: string, handler: () => void) => void} off
 * @property {(message: {type: string, text?: string}) => void} send
 */

/** @type {Record<string, string>} */
const NAMES = { user: "You", assistant: "Answer", system: "System", tool: "Tool" };
const TRAITS = ["turns", "answer", "busy", "error"];
/** So near the end the log follows what comes, in pixels. */
const NEAR = 40;

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string>} attributes
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A message. Of it only what differs is drawn, so that what is selected or unfolded stays so. */
class Turn {
  #thoughts = make("div", {});
  #fold = make("details", {}, make("summary", {}, "Thoughts"), this.#thoughts);
  #text = make("div", { class: "py-wgml-text" });
  #note = make("p", { class: "py-wgml-note" });
  /** @type {Partial<Shown>} */
  #shown = {};

  /** @param {string} role */
  constructor(role) {
    this.role = role;
    const attributes = { class: `py-wgml-turn py-wgml-${role}`, role: "group", "aria-label": NAMES[role] ?? role };
    this.element = make("div", attributes, this.#fold, this.#text, this.#note);
  }

  /** @param {Shown} turn */
  show({ role, html, thoughts, note }) {
    const old = this.#shown;
    if (html !== old.html) this.#text.innerHTML = html;
    if (thoughts !== old.thoughts) this.#thoughts.innerHTML = thoughts;
    if (note !== old.note) this.#note.textContent = note;
    this.#fold.hidden = !thoughts;
    if (!html !== !old.html || !thoughts !== !old.thoughts) this.#fold.open = !html; // folded as the answer begins
    this.#shown = { role, html, thoughts, note };
  }
}

/** @param {{model: Model, el: HTMLElement}} given @returns {() => void} ends the view */
function render({ model, el }) {
  const attributes = { role: "log", "aria-live": "polite", "aria-label": "Conversation", tabindex: "0" };
  const log = make("div", { class: "py-wgml-log", ...attributes });
  const error = make("p", { class: "py-wgml-error", role: "alert" });
  const prompt = make("textarea", { rows: "1", placeholder: "Ask something", "aria-label": "Message" });
  const button = (/** @type {string} */ name, /** @type {() => void} */ action) => {
    const made = make("button", { type: "button" }, name);
    made.addEventListener("click", action);
    return made;
  };
  const fit = () => {
    prompt.style.height = "auto";
    prompt.style.height = `${prompt.scrollHeight + 2}px`; // its borders too
  };
  const send = button("Send", () => {
    if (model.get("busy") || !prompt.value.trim()) return;
    model.send({ type: "send", text: prompt.value });
    prompt.value = "";
    prompt.focus();
    fit();
  });
  const stop = button("Stop", () => model.send({ type: "stop" }));
  const retry = button("Retry", () => model.send({ type: "retry" }));
  const clear = button("Clear", () => model.send({ type: "clear" }));
  prompt.addEventListener("input", fit);
  prompt.addEventListener("keydown", (event) => {
    event.stopPropagation(); // hosts have keys of their own
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send.click();
  });
  el.append(
    make(
      "div",
      { class: "py-wgml-chat" },
      log,
      error,
      make("div", { class: "py-wgml-row" }, prompt, send, stop, retry, clear),
    ),
  );

  /** @type {Turn[]} */
  let drawn = [];
  const draw = () => {
    /** @type {Shown[]} */
    const turns = [...model.get("turns"), model.get("answer")].filter(({ role }) => role);
    const follows = turns.length > drawn.length || log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
    turns.forEach((turn, index) => {
      if (drawn[index]?.role !== turn.role) {
        drawn.splice(index).forEach(({ element }) => element.remove());
        log.append((drawn[index] = new Turn(turn.role)).element);
      }
      drawn[index].show(turn);
    });
    drawn.splice(turns.length).forEach(({ element }) => element.remove());
    if (follows) log.scrollTop = log.scrollHeight;
    const isBusy = Boolean(model.get("busy"));
    log.setAttribute("aria-busy", String(isBusy));
    error.textContent = model.get("error");
    send.hidden = isBusy;
    stop.hidden = !isBusy;
    retry.disabled = clear.disabled = isBusy || !turns.length;
  };
  for (const name of TRAITS) model.on(`change:${name}`, draw);
  draw();
  return () => {
    for (const name of TRAITS) model.off(`change:${name}`, draw);
  };
}

export default { render };
