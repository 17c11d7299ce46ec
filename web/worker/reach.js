/** Why a server does not answer: `fetch` does not tell, but by what it says of other questions. */

/**
 * @param {string} url that could not be fetched
 * @param {AbortSignal} [signal]
 * @returns {Promise<string>} the end of a sentence
 */
export async function unreachable(url, signal) {
  if ((await probe(url, { redirect: "manual", signal })) === "opaqueredirect") {
    return "its server redirects without end, or to where there is no connection";
  }
  // Without leave to read the answer one still learns that there is a server.
  if (await probe(url, { mode: "no-cors", signal }))
    return "its server keeps its files from pages of other sites (CORS)";
  return "there is no connection to its server";
}

/**
 * @param {string} url
 * @param {RequestInit} options
 * @returns {Promise<ResponseType | null>} null: there was no answer
 */
async function probe(url, options) {
  try {
    return (await fetch(url, { ...options, method: "HEAD", cache: "no-store" })).type;
  } catch {
    return null;
  }
}
