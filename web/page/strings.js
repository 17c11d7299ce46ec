/**
 * Every word that the page shows, in the language that lang.js has chosen; words/en.js says what there is. Only that one
 * language is loaded, or English where it does not come.
 *
 * @import { Words } from "./words/en.js"
 */

import { speak } from "../shared/format.js";

const code = document.documentElement.lang;
/** @type {{words: Words}} */
const loaded = await import(`./words/${code}.js`).catch(() => import("./words/en.js"));

export const strings = loaded.words;

// Numbers and dates as they are written where the visitor lives, if that language is spoken there.
speak(navigator.languages.find((tag) => tag.split("-")[0] === code) ?? strings.language);
