/**
 * The view of a ChatWidget (widget.py): shows the widget's traits, and sends what its reader wants.
 *
 * HTML comes from Python, whose renderer lets none through that a model has written.
 */

const NAMES = { user: "You", assistant: "Answer", system: "System", tool: "Tool" };

/** An element with attributes and children. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** One message, of {role, html, thoughts, note}. */
class Turn {
  #shown = {};

  constructor(role) {
    this.thoughts = make("div", {});
    this.fold = make("details", {}, make("summary", {}, "Thoughts"), this.thoughts);
    this.text = make("div", { class: "py-wgml-text" });
    this.note = make("p", { class: "py-wgml-note" });
    this.element = make("div", { class: `py-wgml-turn py-wgml-${role}`, role: "group", "aria-label": NAMES[role] ?? role });
    this.element.append(this.fold, this.text, this.note);
  }

  /** Only what differs is drawn, so that what is selected or folded out stays so. */
  show({ html, thoughts, note }) {
    const shown = this.#shown;
    if (html !== shown.html) this.text.innerHTML = html;
    if (thoughts !== shown.thoughts) this.thoughts.innerHTML = thoughts;
    if (note !== shown.note) this.note.textContent = note;
    this.fold.hidden = !thoughts;
    if (thoughts && !shown.html) this.fold.open = !html; // folded as the answer begins
    this.#shown = { html, thoughts, note };
  }
}

function render({ model, el }) {
  const log = make("div", { class: "py-wgml-log", role: "log", "aria-live": "polite", "aria-label": "Conversation", tabindex: "0" });
  const error = make("p", { class: "py-wgml-error", role: "alert" });
  const prompt = make("textarea", { rows: "1", placeholder: "Ask something", "aria-label": "Message" });
  const button = (name, action) => {
    const made = make("button", { type: "button" }, name);
    made.addEventListener("click", action);
    return made;
  };
  const ask = (type, more = {}) => model.send({ type, ...more });
  const send = button("Send", () => {
    if (model.get("busy") || !prompt.value.trim()) return;
    ask("send", { text: prompt.value });
    prompt.value = "";
    prompt.focus();
    fit();
  });
  const stop = button("Stop", () => ask("stop"));
  const retry = button("Retry", () => ask("retry"));
  const clear = button("Clear", () => ask("clear"));
  const fit = () => {
    prompt.style.height = "auto";
    prompt.style.height = `${prompt.scrollHeight + 2}px`;
  };
  prompt.addEventListener("input", fit);
  prompt.addEventListener("keydown", (event) => {
    event.stopPropagation(); // hosts have keys of their own
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send.click();
  });
  const root = make("div", { class: "py-wgml-chat" }, log, error);
  root.append(make("div", { class: "py-wgml-row" }, prompt, send, stop, retry, clear));
  el.append(root);

  /** @type {Turn[]} */
  let shown = [];
  let roles = "";
  const draw = () => {
    const answer = model.get("answer");
    const turns = [...model.get("turns"), ...(answer ? [answer] : [])];
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    const isLonger = turns.length > shown.length;
    const now = turns.map(({ role }) => role);
    if (!now.join().startsWith(roles)) shown = [];
    shown = now.map((role, index) => shown[index] ?? new Turn(role));
    roles = now.join();
    shown.forEach((turn, index) => turn.show(turns[index]));
    const elements = shown.map(({ element }) => element);
    if (elements.some((element, index) => log.children[index] !== element) || log.children.length > elements.length) {
      log.replaceChildren(...elements);
    }
    if (atEnd || isLonger) log.scrollTop = log.scrollHeight;
    const busy = model.get("busy");
    log.setAttribute("aria-busy", busy);
    error.textContent = model.get("error");
    send.hidden = busy;
    stop.hidden = !busy;
    retry.disabled = clear.disabled = busy || !turns.length;
  };
  for (const name of ["turns", "answer", "busy", "error"]) model.on(`change:${name}`, draw);
  draw();
  return () => {
    for (const name of ["turns", "answer", "busy", "error"]) model.off(`change:${name}`, draw);
  };
}

export default { render };
