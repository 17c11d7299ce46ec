"""Python in pages of anybody's, from the built site's parts: in a worker, and in the page itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tiny import write_tiny_llama

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

    from web.build.browser import Chromium

SCRIPT = Path(__file__).with_name("python.js").read_text()
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

    def __init__(self, page: Page, url: str, place: str) -> None:
        self.page, html = page, f"<!doctype html><title>A notebook</title><script type=module>{PAGES[place]}</script>"
        page.context.route(f"{url}python.js", lambda route: route.fulfill(body=SCRIPT, content_type="text/javascript"))
        page.context.route(f"{url}notebook.html", lambda route: route.fulfill(body=html, content_type="text/html"))
        page.goto(f"{url}notebook.html")
        page.wait_for_function("globalThis.run")
        assert self.run("1") == 1

    def run(self, code: str) -> Any:
        """The value of a cell's last line; an AssertionError says what went wrong in it."""
        told = self.page.evaluate("(code) => run(code)", code)
        assert "error" not in told, told["error"]
        return told["value"]


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_llama(tmp_path_factory.mktemp("model") / "tiny.gguf")


@pytest.fixture(scope="module", params=PAGES)
def open_notebook(
    request: pytest.FixtureRequest, chromium: Chromium, site: Callable[[Path], str], tiny_model: Path
) -> Iterator[Callable[[], Notebook]]:
    """Opens another notebook of the same browser profile."""
    context: BrowserContext = chromium.browser().new_context(service_workers="block")
    context.set_default_timeout(60_000)
    url = site(tiny_model)
    yield lambda: Notebook(context.new_page(), url, request.param)
    context.close()


@pytest.fixture(scope="module")
def notebook(open_notebook: Callable[[], Notebook]) -> Notebook:
    return open_notebook()
