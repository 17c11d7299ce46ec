/**
 * What can be done with the messages in view. A feature that has something to add puts a MessageAction into `app.actions`.
 *
 * @import { App } from "./app.js"
 * @import { Message } from "./conversation.js"
 * @import { MessageAction } from "./messages.js"
 */

import { toggleDetails } from "./figures.js";
import { copyText } from "./messages.js";
import { strings } from "./strings.js";
import { toast } from "./toasts.js";
import { isWritten } from "./written.js";

/** @param {App} app */
export function actionsOf(app) {
  /** @param {Message} message that has been begun */
  async function goOn(message) {
    const { conversation } = app;
    if (await isWritten(message.id)) return toast(strings.answeredElsewhere);
    if (conversation !== app.conversation) return;
    const turn = { conversation, message };
    if (message.figures?.reason === "tool_calls") app.dispatchEvent(new CustomEvent("answered", { detail: turn }));
    else app.begin(turn);
  }

  /** @param {Message} message */
  function again(message) {
    if (app.isOccupied) return;
    const question = app.conversation.find(message.parent);
    if (question && (message.content || message.calls)) app.answer(question, true);
    else goOn(message);
  }

  /**
   * @param {Message} message
   * @param {string} content
   */
  function edit({ parent, role, files, model, reasoning, thought, calls }, content) {
    const { conversation } = app;
    if (app.isOccupied) return;
    if (role === "user") return app.answer(conversation.add({ parent, role, content, ...(files && { files }) }));
    conversation.add({ parent, role, content, model, reasoning, thought, ...(calls && { calls }) });
    app.changed();
  }

  /** @param {Message} message */
  function remove(message) {
    if (app.isOccupied) return;
    const { conversation } = app;
    const restore = conversation.remove(message);
    app.changed();
    const act = () => {
      restore();
      app.changed(conversation);
    };
    toast(strings.message.removed, { label: strings.undo, act });
  }

  /** @param {Message} message */
  function branch(message) {
    if (app.isOccupied) return;
    app.conversation.select(message.id);
    app.changed();
  }

  /** @param {Message} message */
  async function lookInside(message) {
    const { open } = await import("./inside.js");
    open(app, message);
  }

  /** @param {Message} message */
  async function compare(message) {
    const { open } = await import("./compare.js");
    open(app, message);
  }

  function dropOldest() {
    const { conversation } = app;
    const message = conversation.path.at(-1);
    conversation.record.dropOldest = true;
    app.changed();
    // An answer that the full context cut off, or kept from coming at all, goes on.
    const isCut = message?.role === "assistant" && (!message.figures || message.figures.reason === "context");
    if (isCut) goOn(message);
  }

  const words = strings.message;
  /** @type {MessageAction[]} */
  const actions = [
    { icon: "copy", label: words.copy, act: ({ message }, button) => copyText(message.content, button) },
    { icon: "edit", label: words.edit, role: "user", act: (view) => view.edit() },
    { icon: "again", label: words.again, role: "assistant", act: ({ message }) => again(message) },
    { icon: "continue", label: words.goOn, role: "assistant", act: ({ message }) => goOn(message) },
    { icon: "edit", label: words.edit, role: "assistant", rare: true, act: (view) => view.edit() },
    {
      icon: "details",
      label: words.details,
      role: "assistant",
      rare: true,
      act: (view) => toggleDetails(view.root, view.message),
    },
    {
      icon: "compare",
      label: strings.compare.menu,
      role: "assistant",
      rare: true,
      act: ({ message }) => compare(message),
    },
    { icon: "inside", label: words.inside, role: "assistant", rare: true, act: ({ message }) => lookInside(message) },
    { icon: "delete", label: words.remove, rare: true, act: ({ message }) => remove(message) },
  ];
  const canRun = () => app.tools.length > 0;
  return { edit, branch, dropOldest, canRun, actions };
}
