/**
 * The page's language, before anything is painted, as theme.js does it for light and dark: what the visitor chose is in
 * localStorage; else the site's own, else the first of the browser's languages that there are words in. These begin to come at once.
 */
(() => {
  const codes = ["en"];
  const chosen = () => {
    try {
      return localStorage.getItem("language") ?? "";
    } catch {
      return ""; // no storage in this mode of the browser
    }
  };
  const { language = "" } = document.documentElement.dataset; // the site's, where its owner has decided
  const wanted = [chosen(), language, ...navigator.languages].map((tag) => tag.toLowerCase().split("-")[0]);
  const code = wanted.find((name) => codes.includes(name)) ?? "en";
  document.documentElement.lang = code;
  document.documentElement.dir = code === "ar" ? "rtl" : "ltr";
  const words = document.createElement("link");
  Object.assign(words, { rel: "modulepreload", href: `page/words/${code}.js` });
  document.head.append(words);
})();
