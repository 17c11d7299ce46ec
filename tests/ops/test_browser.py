"""The ops on their own in a browser: the example of docs/kernels.md, run as it stands there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from ops.example import CHECK, assert_right, example
from tiny import write_tiny_llama

from web.build.browser import Chromium

WORKER = (Path(__file__).parents[1] / "notebook/python.js").read_text()

RUN = """(code) => new Promise((resolve) => {
  const worker = new Worker("python.js", { type: "module" });
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = () => resolve({ error: "the worker did not start" });
  worker.postMessage(code);
})"""


@pytest.mark.slow
def test_example(chromium: Chromium, site: Callable[[Path], str], tmp_path: Path) -> None:
    url = site(write_tiny_llama(tmp_path / "tiny.gguf"))
    context = chromium.browser().new_context(service_workers="block")
    context.route("**/python.js", lambda route: route.fulfill(body=WORKER, content_type="text/javascript"))
    page = context.new_page()
    page.goto(f"{url}site.json")
    result = page.evaluate(RUN, example() + CHECK)
    context.close()
    assert "error" not in result, result["error"]
    assert_right(json.loads(result["value"]), result["output"])
