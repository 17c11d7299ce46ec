/**
 * The card of a model: what its file says of itself.
 *
 * @import { FileFacts, Ready } from "../shared/protocol.js"
 */

import { element, tableHead } from "./dom.js";
import { bytes, count } from "../shared/format.js";
import { strings } from "./strings.js";

const words = strings.models.facts;

/**
 * @param {Ready} ready
 * @param {FileFacts} card
 */
export function cardOf({ model, adapter, gpu_bytes }, card) {
  const facts = element("dl", "facts");
  for (const [name, value] of [
    [words.architecture, model.architecture],
    [words.parameters, count(card.parameters)],
    [words.quantization, model.quantization],
    [words.context, words.tokens(model.context_length)],
    [words.vocabulary, `${words.tokens(card.vocabulary.tokens)}, ${card.vocabulary.model}`],
    [words.size, bytes(model.file_bytes)],
    ...Object.entries(adapter.trial.distrusted).map(([name, reason]) => [words.distrusted, `${name} (${reason})`]),
    [words.memory, bytes(gpu_bytes)],
  ]) {
    facts.append(element("dt", "", name), element("dd", "", value));
  }
  const root = element("div", "");
  root.append(
    facts,
    folded(words.types, () =>
      table(
        [words.type, words.tensors, words.parameters, words.size],
        card.types.map((row) => [row.type, count(row.tensors), count(row.parameters), bytes(row.bytes)]),
      ),
    ),
    folded(words.metadata, () =>
      table(
        [words.key, words.value],
        card.metadata.map(({ key, value }) => [key, String(value)]),
      ),
    ),
    folded(words.template, () => element("pre", "", card.template || words.noTemplate)),
    ...card.templates.map(({ name, template }) =>
      folded(words.templateNamed(name), () => element("pre", "", template)),
    ),
    folded(words.allTensors(card.tensors.length), () =>
      table(
        [words.name, words.type, words.shape, words.size],
        card.tensors.map((row) => [row.name, row.type, row.shape.join(" × "), bytes(row.bytes)]),
      ),
    ),
  );
  return root;
}

/**
 * @param {string} title
 * @param {() => HTMLElement} content made when it is first looked at
 */
function folded(title, content) {
  const details = /** @type {HTMLDetailsElement} */ (element("details", ""));
  details.append(element("summary", "", title));
  const show = () => {
    const box = element("div", "scroll");
    box.tabIndex = 0; // what scrolls can be scrolled by keys
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", title);
    box.append(content());
    details.append(box);
  };
  details.addEventListener("toggle", show, { once: true });
  return details;
}

/**
 * @param {string[]} heads
 * @param {string[][]} rows
 */
function table(heads, rows) {
  const made = element("table", "");
  const body = element("tbody", "");
  for (const row of rows) {
    const line = element("tr", "");
    for (const text of row) line.append(element("td", "", text));
    body.append(line);
  }
  made.append(tableHead(heads), body);
  return made;
}
