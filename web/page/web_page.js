/** The text of a web page: what a reader sees of it, with headings, lists and tables as Markdown has them. */

import { inert } from "./trusted.js";

const UNSEEN = "script, style, noscript, template, svg, head, nav, [hidden], [aria-hidden=true]";
const BLOCKS = new Set(
  "ADDRESS ARTICLE ASIDE BLOCKQUOTE DD DIV DL DT FIGCAPTION FIGURE FOOTER FORM H1 H2 H3 H4 H5 H6 HEADER HR LI MAIN OL P PRE SECTION TABLE TR UL".split(
    " ",
  ),
);

/** @param {string} html @returns {string} */
export function textOfPage(html) {
  const page = inert(html);
  for (const unseen of page.querySelectorAll(UNSEEN)) unseen.remove();
  /** @type {string[]} */
  const parts = [];
  const walk = page.createTreeWalker(page.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const { nodeName: name } = node;
    if (name === "#text")
      parts.push((node.parentElement?.closest("pre") ? node.nodeValue : node.nodeValue?.replaceAll(/\s+/g, " ")) ?? "");
    else if (/^H[1-6]$/.test(name)) parts.push("\n\n", "#".repeat(Number(name[1])), " ");
    else if (name === "LI") parts.push("\n- ");
    else if (name === "BR" || name === "TR") parts.push("\n");
    else if (name === "TD" || name === "TH") parts.push("\t");
    else if (BLOCKS.has(name)) parts.push("\n\n");
    if (isLast(node)) parts.push(...closed(node));
  }
  const text = parts
    .join("")
    .replaceAll(/[ \t]+\n/g, "\n")
    .replaceAll(/\n (?! )/g, "\n"); // what is indented stays
  return text
    .replaceAll(/\n+- /g, "\n- ")
    .replaceAll(/\n{3,}/g, "\n\n")
    .trim();
}

/** @param {Node} node */
function isLast(node) {
  return !node.hasChildNodes() && !node.nextSibling;
}

/** The ends of the blocks that end with a node. @param {Node} node */
function* closed(node) {
  for (let at = node.parentNode; at; at = at.nextSibling ? null : at.parentNode)
    if (BLOCKS.has(at.nodeName)) yield "\n\n";
}
