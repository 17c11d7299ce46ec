"""Models read through files.js in a worker, from a server with the faults that a test asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from page.model_server import ModelServer

Read = Callable[..., Any]

READ = """(message) => new Promise((resolve) => {
  const worker = new Worker("files_worker.js", { type: "module" });
  const end = (result) => { worker.terminate(); resolve(result); };
  worker.onmessage = ({ data }) => end(data);
  worker.onerror = () => end({ error: "the worker did not start" });
  setTimeout(() => end({ error: "no answer from the worker" }), 60_000);
  worker.postMessage(message);
})"""

WHOLE = "bytes=0-"
"""How a whole file is asked for: browsers want a range as it is, not compressed."""

ENTRIES = """async () => {
  const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("models");
  const names = [];
  for await (const name of folder.keys()) names.push(name);
  return names;
}"""

SIZE = 300_000
HALF = 150_000


def downloads(server: ModelServer) -> list[str | None]:
    """The ranges of the downloads so far."""
    return [asked for method, asked in server.requests if method == "GET"]


def starts(server: ModelServer) -> list[int]:
    """Their first bytes."""
    return [int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0 for asked in downloads(server)]
