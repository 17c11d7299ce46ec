/**
 * Functions of servers that the visitor has named, which speak the Model Context Protocol: each is asked from a frame of
 * its own, for the page's policy lets it connect nowhere (see ../sandbox/mcp.js).
 *
 * @import { Callable } from "./tools.js"
 *
 * @typedef {object} Server
 * @property {(signal: AbortSignal) => Promise<{name: string, description?: string, inputSchema?: Record<string, unknown>}[]>} tools
 * @property {(name: string, values: object, signal: AbortSignal) => Promise<{text: string, isError: boolean}>} call
 */

import { strings } from "./strings.js";
import { address } from "../shared/site.js";

/** An answer of a server has so many seconds. */
const WITHIN = 30;
/** Names of functions, as models and their formats take them. */
const NOT_IN_NAMES = /[^\w-]/g;
const LONGEST_NAME = 64;

/** By their addresses. @type {Map<string, {frame: HTMLIFrameElement, server: Promise<Server>}>} */
const connected = new Map();

/**
 * @param {string} text
 * @returns {string | null} the address of a server as it may be used: over https, or on this machine; null: it is none
 */
export function serverAddress(text) {
  try {
    const { href, protocol, hostname } = new URL(text.trim());
    const isHere = protocol === "http:" && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
    return protocol === "https:" || isHere ? href : null;
  } catch {
    return null;
  }
}

/** Leave all but these. @param {string[]} addresses */
export function keepOnly(addresses) {
  for (const [one, { frame }] of connected) {
    if (addresses.includes(one)) continue;
    frame.remove();
    connected.delete(one);
  }
}

/**
 * @param {string} at the address of a server
 * @returns {Promise<Callable[]>} what it offers; rejected with what is wrong
 */
export async function functionsAt(at) {
  const server = await connect(at);
  const tools = await server.tools(AbortSignal.timeout(1000 * WITHIN));
  return tools.map(({ name, description, inputSchema }) => ({
    name: name.replace(NOT_IN_NAMES, "_").slice(0, LONGEST_NAME),
    description: String(description ?? ""),
    ...(inputSchema && { parameters: inputSchema }),
    consent: "servers",
    async run(values, { signal }) {
      const began = performance.now();
      const ended = AbortSignal.any([signal, AbortSignal.timeout(1000 * WITHIN)]);
      const { text, isError } = await server.call(name, values, ended).catch((error) => {
        if (signal.aborted) throw new Error(strings.tools.stopped);
        throw ended.aborted ? new Error(strings.tools.late(WITHIN)) : error;
      });
      const seconds = (performance.now() - began) / 1000;
      return { output: "", ...(isError ? { error: text } : { value: text }), shown: [], seconds };
    },
  }));
}

/** @param {string} at @returns {Promise<Server>} */
function connect(at) {
  const known = connected.get(at);
  if (known) return known.server;
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.src = address(`mcp.html#${encodeURIComponent(at)}`);
  const server = new Promise((resolve, reject) => {
    frame.addEventListener("load", () => {
      const made = frame.contentDocument && /** @type {any} */ (frame.contentWindow).server;
      if (made) resolve(made);
      else reject(new Error(strings.tools.noFrames));
    });
  });
  connected.set(at, { frame, server });
  document.body.append(frame);
  return server;
}
