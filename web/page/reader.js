/**
 * An answer's text, as it comes, as blocks that can be drawn one by one. No block is longer than a piece (see pieces.js):
 * of a longer list, table or paragraph each piece is one of its own, and code goes on in the next piece.
 *
 * @import { Token } from "marked"
 *
 * @typedef {object} Code a piece of a code block
 * @property {"piece"} type
 * @property {string} raw
 * @property {string} info what stands behind the opening fence: the language
 * @property {boolean} isRest it goes on from the block before it
 *
 * @typedef {Token | Code} Block
 *
 * @typedef {object} Fence of the code block within which the text goes on
 * @property {RegExp} end
 * @property {number} indent
 * @property {string} info
 * @property {boolean} isBegun a piece of it is finished
 * @property {boolean} inLine that ended within a line
 *
 * @typedef {object} Reading
 * @property {Block[]} finished no further text can change them
 * @property {Block[]} open behind these: may still grow or become something else
 * @property {number} length of the text that need not be read again
 * @property {boolean} hasMore there is text behind all these: read on
 */

import { cutAt, PIECE } from "./pieces.js";

/** So many characters of code at most are coloured at once. */
const CODE = 2500;
/** So many lines at most are parsed at once. */
const LINES = 80;
/** What has begun and has not ended, a formula or an HTML comment, may do so for so many characters. */
const HOPE = 3000;

const BLANK = /^(?:[^\S\n]*\n)+/;
const FENCE = /^( {0,3})(`{3,}(?=[^`\n]*\n)|~{3,})([^\n]*)\n/;

export class Reader {
  /** @type {Fence | null} */
  #code = null;
  /** The head of a table whose rows go on. */
  #table = "";

  /**
   * @param {string} text what is not finished yet, or more than a piece of it
   * @param {(text: string) => Token[]} lex
   * @returns {Reading}
   */
  read(text, lex) {
    if (this.#code) return this.#readCode(text, this.#code);
    const head = text.slice(0, PIECE);
    const blank = BLANK.exec(head);
    if (blank) {
      this.#table = "";
      return { finished: [], open: [], length: blank[0].length, hasMore: true };
    }
    const fence = FENCE.exec(head);
    if (!fence) return this.#readMarkdown(text, lex);
    this.#enter(fence[2], fence[3], fence[1].length);
    return { finished: [], open: [], length: fence[0].length, hasMore: true };
  }

  /**
   * @param {string} mark
   * @param {string} info
   * @param {number} indent
   */
  #enter(mark, info, indent) {
    const line = `[^\\S\\n]{0,${indent + 3}}[${mark[0]}]{${mark.length},}[^\\S\\n]*`;
    const end = new RegExp(`(?<![^\\n])${line}(?![^\\n])`, "g"); // a line ends nowhere else: not at U+2028
    this.#code = { indent, end, info: info.trim(), isBegun: false, inLine: false };
  }

  /**
   * @param {string} text
   * @param {Fence} code
   * @returns {Reading}
   */
  #readCode(text, code) {
    const { info, isBegun, inLine, indent } = code;
    const end = [...text.matchAll(code.end)].find((found) => isEnd(found, text) && (found.index > 0 || !inLine));
    const length = end ? end.index : cutAt(text, CODE);
    const raw = text.slice(0, length).replaceAll(new RegExp(`(?<![^\\n]) {0,${indent}}`, "g"), "");
    /** @type {Code[]} */
    const blocks = raw || !isBegun ? [{ type: "piece", raw, info, isRest: isBegun }] : [];
    const after = end ? length + end[0].length : length;
    if (end && text[after] === "\n") {
      this.#code = null;
      return { finished: blocks, open: [], length: after + 1, hasMore: true };
    }
    if (end || length === text.length) return { finished: [], open: blocks, length: 0, hasMore: false };
    code.isBegun = true;
    code.inLine = !raw.endsWith("\n");
    return { finished: blocks, open: [], length, hasMore: true };
  }

  /**
   * @param {string} text
   * @param {(text: string) => Token[]} lex
   * @returns {Reading}
   */
  #readMarkdown(text, lex) {
    const piece = text.slice(0, Math.min(cutAt(text), endOfLines(text)));
    const goesOn = piece.length < text.length;
    const tokens = lex(this.#table + piece);
    if (this.#table && tokens[0]?.type === "table")
      tokens[0] = { ...tokens[0], raw: tokens[0].raw.slice(this.#table.length) };
    else if (this.#table) return ((this.#table = ""), this.#readMarkdown(text, lex));
    const begun = this.#firstBegun(tokens, piece, goesOn);
    const last = Math.min(
      begun,
      Math.max(
        0,
        tokens.findLastIndex(({ type }) => type !== "space"),
      ),
    );
    const length = tokens.slice(0, last).reduce((sum, { raw }) => sum + raw.length, 0);
    if (last > 0) this.#table = "";
    if (last > 0 && goesOn) return { finished: tokens.slice(0, last), open: [], length, hasMore: true };
    if (!goesOn) return { finished: tokens.slice(0, last), open: tokens.slice(last), length, hasMore: false };
    // One block, longer than a piece.
    const fence = openFence(piece);
    if (fence) this.#enter(fence.mark, fence.info, LINES);
    this.#table = tokens[0]?.type === "table" ? this.#table || tokens[0].raw.split("\n", 2).join("\n") + "\n" : "";
    return { finished: tokens, open: [], length: piece.length, hasMore: true };
  }

  /**
   * @param {Token[]} tokens
   * @param {string} piece
   * @param {boolean} goesOn
   * @returns {number} the index of the first block that may still end further on
   */
  #firstBegun(tokens, piece, goesOn) {
    let offset = 0;
    for (const [index, token] of tokens.entries()) {
      if ("begun" in token && token.begun && !goesOn && piece.length - offset < HOPE) return index;
      offset += token.raw.length;
    }
    return Infinity;
  }
}

/**
 * @param {RegExpExecArray} found what looks like a code block's end
 * @param {string} text
 * @returns {boolean} whether it is one of a piece's: its line ends, and not because no more was looked at
 */
function isEnd({ 0: line, index }, text) {
  return index < CODE && (index + line.length < text.length || text.length <= PIECE);
}

/** @param {string} text @returns {number} where so many lines of it end */
function endOfLines(text) {
  let offset = 0;
  for (let lines = 0; lines < LINES; lines++) {
    offset = text.indexOf("\n", offset) + 1;
    if (!offset) return text.length;
  }
  return offset;
}

/**
 * @param {string} text
 * @returns {{mark: string, info: string} | null} the code block that it ends within, perhaps in a list
 */
function openFence(text) {
  let open = null;
  for (const line of text.split("\n")) {
    const found = /^[\s>]*(?:(?:[-+*]|\d{1,9}[.)])[^\S\n]+)*(`{3,}|~{3,})(.*)$/.exec(line);
    if (!found) continue;
    const [, mark, info] = found;
    if (!open) open = mark[0] === "`" && info.includes("`") ? null : { mark, info };
    else if (mark[0] === open.mark[0] && mark.length >= open.mark.length && !info.trim()) open = null;
  }
  return open;
}
