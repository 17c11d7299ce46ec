/**
 * HTML in what a model writes. Tags that mark up text are marks, where they come in pairs; every other tag is text, and
 * shown: nothing that was written disappears.
 */

/** Those that are drawn. (A div or a span looks like nothing, so its tags are shown.) */
const DRAWN = new Set(
  (
    "a b blockquote br code dd del details dl dt em h1 h2 h3 h4 h5 h6 hr i ins kbd li mark ol p pre s small strong sub " +
    "summary sup table tbody td th thead tr u ul"
  ).split(" "),
);
const ALONE = new Set(["br", "hr"]);
const KEPT_ATTRIBUTES = new Set(["align", "colspan", "href", "open", "rowspan", "start", "title"]);

/** Elements that begin a block of HTML; with any other a paragraph begins. Those of CommonMark, and what it calls raw. */
export const BLOCKS = new Set(
  (
    "address article aside base basefont blockquote body caption center col colgroup dd details dialog dir div dl dt " +
    "fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hr html iframe legend li link " +
    "main menu menuitem meta nav noframes ol optgroup option p param pre script search section style summary table " +
    "tbody td textarea tfoot th thead title tr track ul"
  ).split(" "),
);

/** What runs through blank lines to its end, and how that is written. @type {[RegExp, RegExp][]} */
const RAW = [
  [/^\s*<!--/, /-->/],
  [/^\s*<\?/, /\?>/],
  [/^\s*<!\[CDATA\[/, /\]\]>/],
  [/^\s*<(?:script|style|pre|textarea)\b/i, /<\/(?:script|style|pre|textarea)>/i],
];

const ATTRIBUTE = /([a-z_:@][\w:.@-]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?/gi;
const TAG = /<(\/?)([a-z][a-z0-9]*)((?:\s+[a-z_:@][\w:.@-]*(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'=<>`]+))?)*)\s*\/?>/giy;
/** Deeper than any text is marked up. */
const DEEPEST = 20;

/** @typedef {{raw: string, name: string, closes: boolean, attributes: string}} Tag */

/**
 * @param {string} text
 * @param {number} [index]
 * @returns {Tag | null} the tag that stands there, if it can be drawn
 */
export function tagAt(text, index = 0) {
  TAG.lastIndex = index;
  const found = TAG.exec(text);
  const name = found?.[2].toLowerCase() ?? "";
  if (!found || !DRAWN.has(name)) return null;
  const unsafe = [...found[3].matchAll(ATTRIBUTE)].some(
    (all) => all[1].toLowerCase() === "href" && !isSafe(valueOf(all)),
  );
  return unsafe ? null : { raw: found[0], name, closes: found[1] === "/", attributes: found[3] };
}

/**
 * Which of these tags are marks: those that stand alone, and those whose other half is there too.
 *
 * @param {Tag[]} tags
 * @returns {Set<Tag>}
 */
export function paired(tags) {
  /** @type {Set<Tag>} */
  const marks = new Set();
  /** @type {Tag[]} */
  const open = [];
  for (const tag of tags) {
    if (ALONE.has(tag.name)) {
      if (!tag.closes) marks.add(tag);
    } else if (!tag.closes) open.push(tag);
    else {
      const index = open.findLastIndex(({ name }) => name === tag.name);
      if (index < 0 || index >= DEEPEST) continue;
      marks.add(open[index]).add(tag);
      open.length = index; // those within are not closed
    }
  }
  return marks;
}

/** @param {Tag} tag @returns {string} with no more attributes than are drawn */
export function written({ name, closes, attributes }) {
  if (closes) return `</${name}>`;
  const kept = [...attributes.matchAll(ATTRIBUTE)].filter(([, name]) => KEPT_ATTRIBUTES.has(name.toLowerCase()));
  return `<${name}${kept.map((found) => ` ${found[1].toLowerCase()}="${escapedText(valueOf(found))}"`).join("")}>`;
}

/**
 * @param {string} text of a block
 * @returns {string | null} HTML, if all its tags can be drawn; else it is to be shown as it is written
 */
export function drawable(text) {
  const parts = [];
  const tags = [];
  for (let offset = 0; offset < text.length;) {
    const tag = text[offset] === "<" ? tagAt(text, offset) : null;
    const end = tag ? offset + tag.raw.length : text.indexOf("<", offset + 1);
    if (tag) tags.push(tag);
    else if (/^<[a-z/!?]/i.test(text.slice(offset, offset + 2))) return null;
    parts.push(tag ?? text.slice(offset, end < 0 ? undefined : end));
    offset = end < 0 ? text.length : end;
  }
  if (paired(tags).size < tags.length) return null;
  return parts.map((part) => (typeof part === "string" ? escapedText(part) : written(part))).join("");
}

/**
 * @param {string} raw of a block of HTML
 * @returns {string | null} the part of it that ends with a blank line, if its end has not come
 */
export function begun(raw) {
  const end = RAW.find(([start]) => start.test(raw))?.[1];
  return end && !end.test(raw) ? (/^[^]*?\n[^\S\n]*(?:\n|$)/.exec(raw)?.[0] ?? raw) : null;
}

const SCHEME = /^[\s\0-\x1f]*([a-z][a-z0-9+.-]*):/i;
const SCHEMES = new Set(["http", "https", "mailto", "tel", "ftp"]);

/** @param {string} address @returns {boolean} whether a link may lead there */
export function isSafe(address) {
  const scheme = SCHEME.exec(address)?.[1].toLowerCase();
  return !scheme || SCHEMES.has(scheme);
}

/** @param {string} text @returns {string} HTML that shows it */
export function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** Entities in it stay what they are. @param {string} text @returns {string} HTML that shows it */
export function escapedText(text) {
  return escaped(text).replaceAll(/&amp;(?=#\d{1,7};|#[Xx][\dA-Fa-f]{1,6};|\w{1,32};)/g, "&");
}

/** @param {RegExpMatchArray} attribute */
function valueOf([, , double, single, bare]) {
  return double ?? single ?? bare ?? "";
}
