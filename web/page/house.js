/**
 * The rules of the house: what the site's owner has decided of its page, as site.json tells it. The looks are in
 * theme.css, which the build makes; what may be set, settings.js knows.
 *
 * @import { App } from "./app.js"
 * @import { Site } from "../shared/site.js"
 */

import { button, byId, element } from "./dom.js";

/** @param {Site | null} site @returns {boolean} whether visitors may use other models than the site's own */
export const isOpen = (site) => site?.other_models !== false;

/** @param {App} app */
export function mount(app) {
  for (const event of ["site", "model", "ready"]) app.addEventListener(event, () => greet(app));
  app.addEventListener("site", () => {
    const { logo, suggestions, settings, links = [] } = /** @type {Site} */ (app.site);
    if (settings) app.settings.house = settings;
    app.settings.dispatchEvent(new CustomEvent("change"));
    if (suggestions) byId("examples").replaceChildren(...suggestions.map((text) => suggestion(text)));
    if (logo) byId("welcome").prepend(picture(logo));
    document.getElementById("links")?.remove(); // of an earlier start
    if (links.length) byId("sidebar").querySelector(".foot")?.append(linksTo(links));
  });
}

/** Over what the page says by itself, which may have changed. @param {App} app */
function greet({ site }) {
  if (site?.greeting) /** @type {HTMLElement} */ (byId("welcome").querySelector("h2")).textContent = site.greeting;
}

/** The owner's, in the place of our mark. @param {string} logo */
function picture(logo) {
  document.querySelector("#welcome .logo")?.remove(); // of an earlier start
  document.getElementById("mark")?.setAttribute("hidden", "");
  const image = /** @type {HTMLImageElement} */ (element("img", "logo"));
  Object.assign(image, { src: logo, alt: "" });
  return image;
}

/** @param {string} text that is asked when it is clicked */
function suggestion(text) {
  const item = element("li", "");
  item.append(
    button("example", text, () => {
      byId("prompt", HTMLTextAreaElement).value = text;
      byId("prompt").dispatchEvent(new Event("input"));
      byId("composer", HTMLFormElement).requestSubmit();
    }),
  );
  return item;
}

/** @param {{text: string, url: string}[]} links */
function linksTo(links) {
  const line = element("p", "");
  line.id = "links";
  for (const { text, url } of links) {
    const link = /** @type {HTMLAnchorElement} */ (element("a", "", text));
    Object.assign(link, { href: url, rel: "noopener", target: "_blank" });
    line.append(link, " ");
  }
  return line;
}
