/**
 * A client of one server that speaks the Model Context Protocol over HTTP ("streamable HTTP": what is asked is POSTed, the
 * answer comes as JSON or as a stream of events). It runs in a frame of its own, mcp.html, whose address names the server
 * behind its "#": the page's own policy allows no connection to it, this frame's allows no other.
 *
 * @typedef {{name: string, description?: string, inputSchema?: Record<string, unknown>}} Tool
 * @typedef {{type: string, text?: string, resource?: {text?: string}}} Content
 */

const VERSION = "2025-06-18";
/** Of what a server sends as one answer, characters. */
const MOST = 1_000_000;
/** Of a server's list of tools, pages. */
const PAGES = 10;

export class Server {
  #address;
  #session = "";
  #version = "";
  #count = 0;

  /** @param {string} address */
  constructor(address) {
    this.#address = address;
  }

  /**
   * Begin, and ask for what there is.
   *
   * @param {AbortSignal} signal
   * @returns {Promise<Tool[]>} rejected with what is wrong
   */
  async tools(signal) {
    await this.#begin(signal);
    const tools = [];
    let cursor;
    for (let page = 0; page < PAGES; page++) {
      const listed = await this.#ask("tools/list", cursor ? { cursor } : {}, signal);
      tools.push(...listed.tools);
      cursor = listed.nextCursor;
      if (!cursor) break;
    }
    return tools.filter(({ name }) => typeof name === "string");
  }

  /**
   * @param {string} name
   * @param {Record<string, unknown>} values
   * @param {AbortSignal} signal
   * @returns {Promise<{text: string, isError: boolean}>} rejected with what is wrong
   */
  async call(name, values, signal) {
    const params = { name, arguments: values };
    let result;
    try {
      result = await this.#ask("tools/call", params, signal);
    } catch (error) {
      if (!(error instanceof Gone)) throw error;
      await this.#begin(signal); // the server has forgotten who asks
      result = await this.#ask("tools/call", params, signal);
    }
    /** @type {Content[]} */
    const content = Array.isArray(result.content) ? result.content : [];
    const texts = content.map(({ type, text, resource }) => text ?? resource?.text ?? `[${type}]`);
    if (!texts.length && result.structuredContent) texts.push(JSON.stringify(result.structuredContent));
    return { text: texts.join("\n"), isError: result.isError === true };
  }

  /** @param {AbortSignal} signal */
  async #begin(signal) {
    this.#session = this.#version = "";
    const about = { protocolVersion: VERSION, capabilities: {}, clientInfo: { name: "py_wgml", version: "1" } };
    const { protocolVersion } = await this.#ask("initialize", about, signal);
    this.#version = String(protocolVersion ?? VERSION);
    await this.#post({ method: "notifications/initialized" }, signal);
  }

  /**
   * @param {string} method
   * @param {object} params
   * @param {AbortSignal} signal
   * @returns {Promise<any>} the result
   */
  async #ask(method, params, signal) {
    const id = ++this.#count;
    const response = await this.#post({ id, method, params }, signal);
    this.#session ||= response.headers.get("mcp-session-id") ?? "";
    for await (const message of messagesOf(response)) {
      if (message?.method && message.id !== undefined) this.#refuse(message, signal);
      if (message?.id !== id || message.method) continue;
      if (message.error) throw new Error(String(message.error.message ?? "the server refuses"));
      return Object(message.result);
    }
    throw new Error("the server ended its answer before its end");
  }

  /** The server asks something: nothing but whether this is alive. @param {any} message @param {AbortSignal} signal */
  #refuse({ id, method }, signal) {
    const answer = method === "ping" ? { result: {} } : { error: { code: -32601, message: "not supported" } };
    this.#post({ id, ...answer }, signal).catch(() => {});
  }

  /**
   * @param {object} message
   * @param {AbortSignal} signal
   */
  async #post(message, signal) {
    const response = await fetch(this.#address, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...(this.#session && { "mcp-session-id": this.#session }),
        ...(this.#version && { "mcp-protocol-version": this.#version }),
      },
      body: JSON.stringify({ jsonrpc: "2.0", ...message }),
      ...{ signal, credentials: "omit", redirect: "error", referrerPolicy: "no-referrer" },
    });
    if (response.status === 404 && this.#session) throw new Gone();
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    return response;
  }
}

/** The session is over. */
class Gone extends Error {}

/** @param {Response} response @returns {AsyncGenerator<any, void, void>} what the server says in it */
async function* messagesOf(response) {
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let [text, length] = ["", 0];
  try {
    for (;;) {
      const { value = "", done } = (await reader?.read()) ?? { done: true };
      text += value;
      length += value.length;
      if (length > MOST) throw new Error("the server answers too much");
      if (isStream) {
        const events = `${text}${done ? "\n\n" : ""}`.split(/\r?\n\r?\n/);
        text = events.pop() ?? "";
        for (const event of events) yield* parsed(dataOf(event));
      }
      if (done) break;
    }
    if (!isStream) yield* parsed(text);
  } finally {
    reader?.cancel().catch(() => {});
  }
}

/** @param {string} event @returns {string} its data */
function dataOf(event) {
  const lines = event.split(/\r?\n/).filter((line) => line.startsWith("data:"));
  return lines.map((line) => line.slice(5)).join("\n");
}

/** @param {string} text @returns {any[]} the messages in it */
function parsed(text) {
  if (!text.trim()) return [];
  try {
    return [JSON.parse(text)].flat();
  } catch {
    throw new Error("the server answers with something else than JSON");
  }
}

const server = new URL(decodeURIComponent(location.hash.slice(1)));
const policy = document.createElement("meta");
policy.httpEquiv = "Content-Security-Policy";
policy.content = `connect-src ${server.origin}${server.pathname.replace(/[;,]/g, encodeURIComponent)}`;
document.head.append(policy);
Object.assign(window, { server: new Server(server.href) });
