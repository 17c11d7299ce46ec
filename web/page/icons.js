/** The page's pictures, drawn in lines on a square of 20 by 20. */

/** @type {Record<string, string>} name -> path */
const paths = {
  sidebar: "M3.5 4.5h13v11h-13zM8 4.5v11",
  close: "M5 5l10 10M15 5 5 15",
  search: "M9 3.75a5.25 5.25 0 1 1 0 10.5 5.25 5.25 0 0 1 0-10.5zM13 13l3.5 3.5",
  new: "M15.5 10.5v4a1.5 1.5 0 0 1-1.5 1.5H5.5A1.5 1.5 0 0 1 4 14.5V6a1.5 1.5 0 0 1 1.5-1.5h4M8 12l.5-2.5L15 3l2 2-6.5 6.5z",
  down: "M5.5 8l4.5 4.5L14.5 8",
  previous: "M12 5.5 7.5 10l4.5 4.5",
  next: "M8 5.5l4.5 4.5L8 14.5",
  models: "M10 3l6.5 3.25L10 9.5 3.5 6.25zM3.5 10l6.5 3.25L16.5 10M3.5 13.75 10 17l6.5-3.25",
  transfer: "M6.5 16V5M3.5 8l3-3 3 3M13.5 4v11M10.5 12l3 3 3-3",
  assistants:
    "M7.5 9.75a2.75 2.75 0 1 1 0-5.5 2.75 2.75 0 0 1 0 5.5zM2.5 16c0-2.75 2-4.25 5-4.25s5 1.5 5 4.25M15 4v4M13 6h4",
  settings: "M3.5 6.5h7M14.5 6.5h2M12.5 4.5v4M3.5 13.5h2M9.5 13.5h7M7.5 11.5v4",
  keyboard: "M2.75 5.5h14.5v9H2.75zM6 8.5h.01M9 8.5h.01M12 8.5h.01M14.5 8.5h.01M6.5 11.75h7",
  send: "M10 16V4.5M4.75 9.5 10 4.25l5.25 5.25",
  stop: "M5.5 7A1.5 1.5 0 0 1 7 5.5h6A1.5 1.5 0 0 1 14.5 7v6a1.5 1.5 0 0 1-1.5 1.5H7A1.5 1.5 0 0 1 5.5 13z",
  attach: "M14.5 9.5 9.6 14.4a3 3 0 0 1-4.2-4.2l5.6-5.7a2 2 0 0 1 2.9 2.9l-5.5 5.5a1 1 0 0 1-1.4-1.4l4.7-4.8",
  file: "M5.5 3.5h5.5l3.5 3.5v9.5h-9zM11 3.5V7h3.5",
  more: "M5 10h.01M10 10h.01M15 10h.01",
  copy: "M7.5 7.5h8v8h-8zM12.5 7.5v-3h-8v8h3",
  none: "",
  done: "M4.5 10.5l3.5 3.5 7.5-8",
  edit: "M4.5 15.5l.75-3.25L13 4.5l2.5 2.5-7.75 7.75zM11 6.5 13.5 9",
  again: "M15.5 8A6 6 0 1 0 16 11M15.75 4.5V8h-3.5",
  continue: "M3.5 5h13M3.5 10h3.5M3.5 15h3.5M10 12.5h6.5M13.5 9.5l3 3-3 3",
  details: "M10 3.25a6.75 6.75 0 1 1 0 13.5 6.75 6.75 0 0 1 0-13.5M10 9.25v4.25M10 6.5h.01",
  inside: "M2.5 10S5.5 5 10 5s7.5 5 7.5 5-3 5-7.5 5-7.5-5-7.5-5zM10 7.75a2.25 2.25 0 1 1 0 4.5 2.25 2.25 0 0 1 0-4.5",
  delete: "M4 6h12M8 6V4h4v2M5.5 6l.75 10h7.5l.75-10M8.5 9v4.5M11.5 9v4.5",
  private: "M5 9h10v7.5H5zM7 9V6.5a3 3 0 0 1 6 0V9M10 12v1.75",
  offline: "M6.5 15.5h8a3 3 0 0 0 .6-5.9A5 5 0 0 0 8 6.2M5.9 8.4a3.6 3.6 0 0 0 .6 7.1M3.5 3.5l13 13",
  free: "M10 3.5l1.9 4.1 4.6.5-3.4 3 .9 4.5-4-2.3-4 2.3.9-4.5-3.4-3 4.6-.5z",
  ask: "M3.5 4.5h13v9H9l-3.5 3v-3h-2zM8.5 7.6a1.6 1.6 0 1 1 1.6 1.9v.6M10 11.6h.01",
  rewrite: "M4 6h9.5M11 3.5 13.5 6 11 8.5M16 14H6.5M9 11.5 6.5 14 9 16.5",
  write: "M4 15.5h12M5 12.5l.5-2.5 6.5-6.5 2 2-6.5 6.5z",
  ideas: "M10 3.5a5 5 0 0 1 2.5 9.3v1.7h-5v-1.7A5 5 0 0 1 10 3.5zM8.25 17h3.5",
  call: "M7 4.5 2.5 10 7 15.5M13 4.5l4.5 5.5-4.5 5.5",
  thought: "M10 3.5a5 5 0 0 1 2.5 9.3v1.7h-5v-1.7A5 5 0 0 1 10 3.5zM8.25 17h3.5",
  rename: "M4 5.5V4h12v1.5M10 4v12M8 16h4",
  save: "M10 3.5v9M6.25 9 10 12.75 13.75 9M4 16.25h12",
  compare: "M3.5 4.5h5v11h-5zM11.5 4.5h5v11h-5z",
  speak: "M3.5 8v4h2.75L10 15V5L6.25 8zM12.75 7.5a3.5 3.5 0 0 1 0 5M15 5.5a6.5 6.5 0 0 1 0 9",
  mic: "M10 3a2.25 2.25 0 0 1 2.25 2.25v4.5a2.25 2.25 0 0 1-4.5 0v-4.5A2.25 2.25 0 0 1 10 3zM5.5 9.5a4.5 4.5 0 0 0 9 0M10 14v3",
  share: "M10 12.5V3.5M6.75 6.5 10 3.25l3.25 3.25M6.5 9.5H4.5v7h11v-7h-2",
  pin: "M7.5 3.5h5M8 3.5v4.75L5.5 11.5h9L12 8.25V3.5M10 11.5V17",
  folder: "M3.5 15V5.5h4.25L9.5 7.5h7V15z",
  newFolder: "M3.5 15V5.5h4.25L9.5 7.5h7V15zM10 9.5v3.5M8.25 11.25h3.5",
  archive: "M3.5 4.5h13v3h-13zM4.75 7.5v8h10.5v-8M8.25 10.5h3.5",
  open: "M10 12.75v-9M6.25 7.25 10 3.5l3.75 3.75M4 16.25h12",
};

/** Those that point forward or back turn round where one reads from the right. */
const TURNING = new Set(["sidebar", "previous", "next"]);

/**
 * @param {string} name of `paths`
 * @returns {SVGSVGElement} a picture that says nothing by itself: what it is in has the words
 */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const path = document.createElementNS(space, "path");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.toggle("turning", TURNING.has(name));
  path.setAttribute("d", paths[name]);
  svg.append(path);
  return svg;
}
