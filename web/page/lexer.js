/**
 * marked's lexer with bounds: what is nested too deep, or has too many marks for its patterns, is text. Of HTML it finds
 * the tags that are drawn (see html.js), and it drops nothing that a model wrote.
 *
 * @import { Token, Tokens } from "marked"
 */

import { begun, BLOCKS, escaped, isSafe, paired, tagAt, written } from "./html.js";
import { strain } from "./pieces.js";

/** Cells that a table's rows may have more than its head. */
const WIDER = 50;
/** Lists and quotations within one another. */
const DEEPEST = 16;
/** Emphasis and links likewise. */
const DEEPEST_INLINE = 16;
/** In one paragraph: marks that may begin or end emphasis, all marks, and what `strain` says of its words. */
const EMPHASIS = 300;
const MARKS = 1500;
const STRAIN = 3_000_000;

/**
 * @param {typeof import("marked")} marked
 * @returns {(options: import("marked").MarkedOptions, text: string) => Token[]} lexes
 */
export function boundedLexer({ Lexer, Tokenizer }) {
  class OwnTokenizer extends Tokenizer {
    /** @override @param {string} text @returns {(Tokens.HTML & {begun?: boolean}) | undefined} */
    html(text) {
      const token = super.html(text);
      const name = /^\s*<\/?([a-z][^\s/>]*)/i.exec(token?.raw ?? "")?.[1];
      if (!token || (name && !BLOCKS.has(name.toLowerCase()))) return undefined;
      const cut = begun(token.raw);
      if (cut !== null) return { ...token, raw: cut, text: cut, begun: true };
      let { raw } = token;
      // What stands in the next line belongs to it: `<!doctype html>` is no block of its own.
      for (let next; !/\n\s*\n$/.test(raw) && (next = super.html(text.slice(raw.length)));) raw += next.raw;
      return { ...token, raw, text: raw };
    }

    /** Which of them are marks is known once all are. @override @param {string} text @returns {any} */
    tag(text) {
      const tag = text.startsWith("<") && tagAt(text);
      return tag ? { type: "tag", raw: tag.raw, text: tag.raw, tag, mark: false } : undefined;
    }

    /** @override @param {string} text @returns {Tokens.Link | undefined} */
    autolink(text) {
      const token = super.autolink(text);
      return token && isSafe(token.href) ? token : undefined; // else it is something like <std::string>
    }

    /** A footnote is text; so it is where it stands. @override @param {string} text @returns {Tokens.Def | undefined} */
    def(text) {
      const token = super.def(text);
      return token?.tag.startsWith("^") ? undefined : token;
    }

    /** With as many columns as the longest row has cells. @override @param {string} text @returns {Tokens.Table | undefined} */
    table(text) {
      const token = super.table(text);
      if (!token) return undefined;
      const [head, line, ...rows] = token.raw.split("\n");
      const missing = rows.reduce((most, row) => Math.max(most, cells(row)), 0) - token.header.length;
      if (missing <= 0) return token;
      if (missing > WIDER) return undefined;
      const wider = [
        head.replace(/\|?\s*$/, " |".repeat(missing + 1)),
        line.replace(/\|?\s*$/, `|${"-|".repeat(missing)}`),
      ];
      return { .../** @type {Tokens.Table} */ (super.table([...wider, ...rows].join("\n")) ?? token), raw: token.raw };
    }
  }

  class OwnLexer extends Lexer {
    #depth = 0;
    #inlineDepth = 0;

    /**
     * @override
     * @param {string} text
     * @param {any} [tokens]
     * @param {boolean} [clipped]
     */
    blockTokens(text, tokens = [], clipped = false) {
      if (this.#depth > DEEPEST) return (tokens.push(asText(text)), tokens);
      this.#depth++;
      super.blockTokens(text, tokens, clipped);
      this.#depth--;
      return tokens;
    }

    /**
     * @override
     * @param {string} text
     * @param {Token[]} [tokens]
     */
    inlineTokens(text, tokens = []) {
      if (this.#inlineDepth > DEEPEST_INLINE || isTooMuch(text)) return (tokens.push(asText(text)), tokens);
      const from = tokens.length;
      this.#inlineDepth++;
      super.inlineTokens(text, tokens);
      this.#inlineDepth--;
      const tags = tokens.slice(from).filter(({ type }) => type === "tag");
      const marks = paired(tags.map((token) => /** @type {any} */ (token).tag));
      for (const token of tags) Object.assign(token, { mark: marks.has(/** @type {any} */ (token).tag) });
      return tokens;
    }
  }

  return (options, text) => new OwnLexer({ ...options, tokenizer: new OwnTokenizer(options) }).lex(text);
}

/** @type {import("marked").RendererExtension[]} */
export const extensions = [
  { name: "tag", renderer: ({ mark, tag, raw }) => (mark ? written(tag) : escaped(raw)) },
  { name: "plain", renderer: ({ raw }) => `<span data-plain="">${escaped(raw)}</span>` },
];

/** @param {string} raw @returns {any} */
function asText(raw) {
  return { type: "plain", raw, text: raw };
}

/** @param {string} text of a paragraph */
function isTooMuch(text) {
  return count(text, /[*_~]+/g) > EMPHASIS || count(text, /[[\]<>&\\`|$!(]/g) > MARKS || strain(text) > STRAIN;
}

/**
 * @param {string} text
 * @param {RegExp} pattern
 */
function count(text, pattern) {
  return text.match(pattern)?.length ?? 0;
}

/** @param {string} row of a table */
function cells(row) {
  return row.trim()
    ? row
        .trim()
        .replaceAll(/\\\|/g, "")
        .replaceAll(/^\||\|$/g, "")
        .split("|").length
    : 0;
}
