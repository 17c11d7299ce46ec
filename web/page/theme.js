/**
 * Light or dark, before anything is painted: this script alone is no module, so that the page waits for it. What the
 * visitor chose is in localStorage; without a choice the system's is followed as it changes.
 */
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const choice = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // no storage in this mode of the browser
    }
  };
  const apply = () => {
    const theme = choice() ?? (dark.matches ? "dark" : "light");
    document.documentElement.dataset.theme = theme;
    const paper = getComputedStyle(document.documentElement).getPropertyValue("--paper");
    document.querySelector("meta[name=theme-color]")?.setAttribute("content", paper.trim());
  };
  dark.addEventListener("change", apply);
  addEventListener("storage", apply);
  addEventListener("theme", apply);
  apply();
})();
