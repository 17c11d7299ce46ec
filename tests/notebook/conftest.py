"""Python in pages of anybody's, from the built site's parts: in a worker, and in the page itself."""

from __future__ import annotations

import functools
import http.server
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tiny import write_tiny_llama

from web.build import models
from web.build.brand import Brand
from web.build.site import build

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

    from web.build.browser import Chromium

SCRIPT = Path(__file__).with_name("python.js")
PAGES = {
    "page": 'import { run } from "./python.js"; globalThis.run = run;',
    "worker": """
        const worker = new Worker("python.js", { type: "module" });
        globalThis.run = (code) => new Promise((resolve) => {
          worker.onmessage = ({ data }) => resolve(data);
          worker.postMessage(code);
        });""",
}


class Notebook:
    """A page where Python has started."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        page.goto(url)
        page.wait_for_function("globalThis.run")
        assert self.run("1") == 1

    def run(self, code: str) -> Any:
        """The value of a cell's last line; an AssertionError says what went wrong in it."""
        told = self.page.evaluate("(code) => run(code)", code)
        assert "error" not in told, told["error"]
        return told["value"]


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Python's own server of a folder: no special headers."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_llama(tmp_path_factory.mktemp("model") / "tiny.gguf")


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Iterator[str]:
    """The address of the folder that has the pages of PAGES."""
    folder = tmp_path_factory.mktemp("notebook") / "root"
    build([models.given_model(str(tiny_model))], Brand(), folder)
    shutil.copy(SCRIPT, folder)
    for name, script in PAGES.items():
        text = f"<!doctype html><title>A notebook</title><script type=module>{script}</script>"
        (folder / f"{name}.html").write_text(text)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module", params=PAGES)
def open_notebook(request: pytest.FixtureRequest, chromium: Chromium, pages: str) -> Iterator[Callable[[], Notebook]]:
    """Opens another notebook of the same browser profile."""
    context: BrowserContext = chromium.browser().new_context(service_workers="block")
    context.set_default_timeout(60_000)
    yield lambda: Notebook(context.new_page(), f"{pages}{request.param}.html")
    context.close()


@pytest.fixture(scope="module")
def notebook(open_notebook: Callable[[], Notebook]) -> Notebook:
    return open_notebook()
