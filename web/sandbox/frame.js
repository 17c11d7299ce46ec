/**
 * What stands between the page and the worker that runs a model's code. sandbox.html, a frame of the page, has a policy
 * by which nothing can be loaded or sent; within it this makes a frame of an origin of its own, and in that the worker.
 * Both take over the policy; the origin keeps them from the page, its storage and its service worker. The page removes
 * the frame, and all of it has ended.
 */

/** In the inner frame: the worker, of a script and with a port that come with the one message. */
const INNER = `
  onmessage = ({ data, ports }) => {
    const script = URL.createObjectURL(new Blob([data.script], { type: "text/javascript" }));
    new Worker(script).postMessage(data.files, [...ports, ...Object.values(data.files)]);
  };
`;

addEventListener("message", ({ source, data, ports }) => {
  if (source !== parent) return;
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  frame.srcdoc = `<!doctype html><script src="data:text/javascript,${encodeURIComponent(INNER)}"></script>`;
  frame.addEventListener("load", () => {
    frame.contentWindow?.postMessage(data, "*", [...ports, ...Object.values(data.files)]);
  });
  document.documentElement.append(frame);
});
