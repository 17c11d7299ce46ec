/** The types of what lies in lib/ on the site (see web/build/lock.py), from npm's packages. Nothing of this file is shipped. */

declare module "*/lib/marked.esm.js" {
  export * from "marked";
}

declare module "*/lib/highlight.min.js" {
  const highlighter: {
    getLanguage(name: string): object | undefined;
    highlight(code: string, options: { language: string; ignoreIllegals: boolean }): { value: string };
  };
  export default highlighter;
}

declare module "*/lib/idb.js" {
  export * from "idb";
}

declare module "*/lib/pdf.min.mjs" {
  export * from "pdfjs-dist";
}

// These two put themselves into the global object.
declare module "*/lib/purify.min.js" {}
declare module "*/lib/katex.min.js" {}
declare var DOMPurify: typeof import("dompurify").default;
declare var katex: typeof import("katex").default;
