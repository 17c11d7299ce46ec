/** The page's language, to choose: the browser's own (lang.js), or one of these, each by its own name. */

import { element } from "./dom.js";
import { recall, remember } from "./remembered.js";
import { strings } from "./strings.js";

/** As lang.js has them. @type {Record<string, string>} */
const LANGUAGES = { en: "English" };

/** A field of the settings. What was chosen is seen at once: the page is opened anew, with what was typed (draft.js). */
export function languageField() {
  const { label, system } = strings.settings.language;
  const root = element("div", "field-row select");
  const title = element("label", "", label);
  const select = /** @type {HTMLSelectElement} */ (element("select", ""));
  select.id = "setting-language";
  title.setAttribute("for", select.id);
  for (const [code, name] of Object.entries({ "": system, ...LANGUAGES })) {
    const option = /** @type {HTMLOptionElement} */ (element("option", "", name));
    option.value = code;
    if (code) option.lang = code;
    select.append(option);
  }
  select.value = recall("language") ?? "";
  select.addEventListener("change", () => {
    remember("language", select.value || null);
    location.reload();
  });
  root.append(title, select);
  return root;
}
