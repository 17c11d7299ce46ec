/**
 * Sharing a conversation, from its menu in the list.
 *
 * @import { App } from "./app.js"
 * @import { ConversationRecord } from "./conversation.js"
 */

import { Conversation } from "./conversation.js";
import { byId } from "./dom.js";

/** @param {App} app */
export function mount(app) {
  byId("conversations").addEventListener("share", async (event) => {
    const record = /** @type {CustomEvent<ConversationRecord>} */ (event).detail;
    const { open } = await import("./share.js");
    open(record, app.settings.system(new Conversation(record)));
  });
}
