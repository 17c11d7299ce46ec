/** What of an answer is read aloud: its words, not its marks, code or tables of formulas; and the language it is in. */

/** Languages by their own scripts, the rarer within others first. @type {[string, RegExp][]} */
const SCRIPTS = [
  ["ja", /[\p{Script=Hiragana}\p{Script=Katakana}]/gu],
  ["ko", /\p{Script=Hangul}/gu],
  ["zh", /\p{Script=Han}/gu],
  ["ar", /\p{Script=Arabic}/gu],
  ["ru", /\p{Script=Cyrillic}/gu],
  ["el", /\p{Script=Greek}/gu],
  ["he", /\p{Script=Hebrew}/gu],
  ["hi", /\p{Script=Devanagari}/gu],
  ["th", /\p{Script=Thai}/gu],
];
/** Such a share of the letters is a language's, not a word in another. */
const SHARE = 0.15;
/** Words that sentences are full of, of languages in Latin letters. @type {Record<string, string>} */
const WORDS = {
  en: "the of and to in is that it for with you are this be on as",
  de: "der die das und ist nicht ein eine zu den von mit sich auf für im",
  fr: "le la les des et est un une que dans pour qui pas sur du vous",
  es: "el los las que en un una por con para del se su más como está",
  pt: "o os as que em um uma não para com do da no na mais você são",
  it: "il che di è un una per non con sono del della gli più questo",
  nl: "de het een van en is dat niet op te zijn voor met die ook",
};
/** A longer piece is not spoken as one: some voices stop in it. */
const LONGEST = 240;
const BLOCKS = "p, li, h1, h2, h3, h4, h5, h6, td, th, blockquote, dt, dd, summary";

/**
 * @param {string} text
 * @param {string} otherwise where it can't be told
 * @returns {string} its language, as in "de"
 */
export function languageOf(text, otherwise) {
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  const script = SCRIPTS.find(([, letter]) => (text.match(letter)?.length ?? 0) > SHARE * letters);
  if (script) return script[0];
  const said = text.toLowerCase().match(/\p{L}+/gu) ?? [];
  const counts = Object.entries(WORDS).map(([language, words]) => {
    const known = new Set(words.split(" "));
    return { language, count: said.filter((word) => known.has(word)).length };
  });
  const best = counts.reduce((a, b) => (b.count > a.count ? b : a));
  const own = counts.find(({ language }) => language === otherwise)?.count ?? 0;
  return best.count > own ? best.language : otherwise;
}

/**
 * @param {Element} drawn an answer
 * @returns {string[]} what is spoken of it, a paragraph each
 */
export function paragraphsOf(drawn) {
  const root = /** @type {Element} */ (drawn.cloneNode(true));
  for (const formula of root.querySelectorAll("[data-formula=inline]"))
    formula.textContent = formula.querySelector("annotation")?.textContent?.replaceAll(/[\\{}$]/g, " ") ?? "";
  for (const unspoken of root.querySelectorAll("figure, [data-formula=block], button, svg")) unspoken.remove();
  for (const block of root.querySelectorAll(BLOCKS)) block.append("\n");
  return (root.textContent ?? "")
    .split("\n")
    .map((text) => text.trim())
    .filter((text) => /[\p{L}\p{N}]/u.test(text));
}

/**
 * @param {string} text
 * @param {string} language
 * @returns {string[]} its sentences, long ones in parts
 */
export function sentencesOf(text, language) {
  const sentences = Array.from(
    new Intl.Segmenter(language, { granularity: "sentence" }).segment(text),
    ({ segment }) => segment,
  );
  return sentences.flatMap((sentence) => parts(sentence.trim())).filter(Boolean);
}

/** @param {string} sentence @returns {string[]} */
function parts(sentence) {
  if (sentence.length <= LONGEST) return [sentence];
  const end = Math.max(...[", ", "; ", ": ", " ", "，", "、", "。"].map((mark) => sentence.lastIndexOf(mark, LONGEST)));
  const cut = end > 0 ? end + 1 : LONGEST;
  return [sentence.slice(0, cut).trim(), ...parts(sentence.slice(cut).trim())];
}
