/**
 * The custom element <py-wgml-chat>: the chat page, in a frame, in any page of any site.
 *
 *     <script type="module" src="https://example.org/chat/embed.js"></script>
 *     <py-wgml-chat model="owner/repository/file.gguf"></py-wgml-chat>
 *
 * Attributes: `model` as the page's address takes it (default: the site's first), `label` for those who don't see the
 * frame. Its size is the element's, by CSS; without any it is as wide as there is room, and 36rem high.
 */

const style = new CSSStyleSheet();
style.replaceSync(`
  :host { display: block; height: 36rem; border: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
  iframe { display: block; width: 100%; height: 100%; border: 0; }
`);

export class PyWgmlChat extends HTMLElement {
  static observedAttributes = ["model", "label"];
  #frame = document.createElement("iframe");

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [style];
    this.#frame.allow = "clipboard-write";
    root.append(this.#frame);
  }

  connectedCallback() {
    this.attributeChangedCallback();
  }

  attributeChangedCallback() {
    const page = new URL("./", import.meta.url);
    const model = this.getAttribute("model");
    if (model) page.searchParams.set("model", model);
    this.#frame.title = this.getAttribute("label") ?? "Chat";
    if (this.isConnected && this.#frame.src !== page.href) this.#frame.src = page.href;
  }
}

customElements.define("py-wgml-chat", PyWgmlChat);
