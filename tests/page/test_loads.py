"""worker.js in the browser, with a double of Pyodide: loads that hang, are given up, or take another's place."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from page.model_server import ModelServer, Reply
from page.pages import settings, wait_state
from playwright.sync_api import BrowserContext, Page, Route, expect

pytestmark = pytest.mark.slow

PYODIDE = (Path(__file__).parent / "fake_pyodide.mjs").read_text()
SITE = {
    "title": "",
    "wheels": ["some.whl"],
    "models": [{"name": "tiny", "url": "model.gguf", "bytes": 9, "sha256": ""}],
}
START = """() => {
  window.replies = [];
  window.worker = new Worker("worker/worker.js", { type: "module" });
  worker.onmessage = ({ data }) => replies.push(data);
}"""


def give_pyodide(context: BrowserContext) -> None:
    context.route("**/pyodide.mjs", lambda route: route.fulfill(body=PYODIDE, content_type="text/javascript"))


@pytest.fixture
def server() -> Iterator[ModelServer]:
    made = ModelServer()
    yield made
    made.close()


class Worker:
    """A page's worker. `said` is what it wrote to the console."""

    def __init__(self, page: Page, server: ModelServer) -> None:
        self.page, self.server, self.said = page, server, ""
        page.on("console", lambda message: setattr(self, "said", f"{self.said}{message.text}\n"))
        page.goto(server.url)
        page.evaluate(START)

    def post(self, **message: Any) -> None:
        self.page.evaluate("(message) => worker.postMessage(message)", message)

    def load(self, id: int, path: str = "model.gguf", **source: Any) -> None:
        source = {"name": "tiny", "url": f"{self.server.url}{path}", **source}
        self.post(type="load", id=id, model=source, options={})

    def wait(self, **reply: Any) -> Any:
        """Wait for a reply that has these members."""
        match = "(wanted) => replies.find((reply) => Object.keys(wanted).every((key) => reply[key] === wanted[key]))"
        return self.page.wait_for_function(match, arg=reply, timeout=20_000).json_value()

    def asked(self, method: str, count: int = 1) -> None:
        """Wait until the server has been asked so often."""
        while [told for told, _ in self.server.requests].count(method) < count:
            self.page.wait_for_timeout(20)


@pytest.fixture
def start(context: BrowserContext, server: ModelServer) -> Callable[[], Worker]:
    """`start()` is a worker whose Python starts at once."""
    context.route("**/site.json", lambda route: route.fulfill(json=SITE))
    context.route("**/some.whl", lambda route: route.fulfill(body="wheel"))
    give_pyodide(context)
    return lambda: Worker(context.new_page(), server)


def headers_do_not_come(server: ModelServer, context: BrowserContext) -> None:
    server.silent = {"GET"}


def whether_it_is_current_is_not_told(server: ModelServer, context: BrowserContext) -> None:
    server.silent = {"HEAD"}


def it_is_busy(server: ModelServer, context: BrowserContext) -> None:
    headers = {"Retry-After": "30", "Access-Control-Expose-Headers": "Retry-After"}
    server.replies = [Reply(b"", status=503, headers=headers) for _ in range(2)]


def it_is_not_there(server: ModelServer, context: BrowserContext) -> None:
    """And what would tell why does not answer either."""
    server.silent = {"HEAD"}
    context.route("**/model.gguf", lambda route: route.abort() if route.request.method == "GET" else route.continue_())


HANGS = {
    headers_do_not_come: "GET",
    whether_it_is_current_is_not_told: "HEAD",
    it_is_busy: "GET",
    it_is_not_there: "HEAD",
}


def without_patience(context: BrowserContext, **constants: str) -> None:
    """http.js with other constants."""

    def patched(route: Route) -> None:
        text = route.fetch().text()
        for name, value in constants.items():
            before, after = text.split(f"const {name} = ")
            text = f"{before}const {name} = {value};{after.partition(';')[2]}"
        route.fulfill(body=text, content_type="text/javascript")

    context.route("**/http.js", patched)


@pytest.mark.parametrize("hang", HANGS)
def test_a_load_that_hangs_is_given_up(
    server: ModelServer, start: Callable[[], Worker], context: BrowserContext, hang: Callable[..., None]
) -> None:
    """When it is told to, and for another one; that does not wait for it."""
    without_patience(context, CHECK_WITHIN="1e6", RETRY_AFTER="[1]")
    worker = start()
    if hang is whether_it_is_current_is_not_told:
        worker.load(1)
        assert worker.wait(id=1, type="ready")["kept"]
    hang(server, context)
    server.requests.clear()
    worker.load(2)
    worker.asked(HANGS[hang])
    worker.post(type="cancel")
    assert worker.wait(id=2)["stage"] == "cancelled"
    server.requests.clear()
    worker.load(3)
    worker.asked(HANGS[hang])
    worker.load(4, "worker/files.js")  # which is there
    assert worker.wait(id=3)["stage"] == "cancelled"
    assert "is not a GGUF file" in worker.wait(id=4)["message"]
    assert "Uncaught" not in worker.said


def test_a_load_is_given_up_before_python_has_started(
    server: ModelServer, start: Callable[[], Worker], context: BrowserContext
) -> None:
    held: list[Route] = []
    context.route("**/pyodide.mjs", lambda route: held.append(route))
    worker = start()
    server.silent = {"GET"}
    worker.load(1)
    worker.asked("GET")
    worker.post(type="cancel")
    assert worker.wait(id=1)["stage"] == "cancelled"
    worker.load(2)
    worker.asked("GET", 2)
    server.silent = set()
    worker.load(3)
    assert worker.wait(id=2)["stage"] == "cancelled"
    worker.page.wait_for_timeout(100)
    held[0].fulfill(body=PYODIDE, content_type="text/javascript")
    assert worker.wait(id=3, type="ready")["kept"]
    assert worker.page.evaluate("replies.filter(({ id }) => id).map(({ id }) => id)") == [1, 2, 3]


def test_a_load_becomes_ready_while_another_fails(server: ModelServer, start: Callable[[], Worker]) -> None:
    worker = start()
    worker.load(1)
    worker.wait(stage="kernels")
    worker.load(2, "nothing.gguf")
    assert worker.wait(id=1, type="ready")["kept"]
    assert "the server answered 404" in worker.wait(id=2)["message"]
    assert worker.wait(id=2)["loaded"]
    assert "Uncaught" not in worker.said


def test_settings_change_during_a_download(
    server: ModelServer, page: Page, context: BrowserContext, url: str, fake: Callable[..., None]
) -> None:
    """The model is loaded anew with them, and no error stays of the load before."""
    give_pyodide(context)
    server.pace = 0.1
    page.goto(f"{url}?model={server.url}model.gguf")
    expect(page.locator("#status")).to_contain_text("Downloading the model")
    settings(page, "memory")
    page.fill("#setting-context", "1024")
    page.keyboard.press("Escape")
    server.pace = 0
    wait_state(page, "ready")
    expect(page.locator("#error")).to_have_text("")
    page.wait_for_timeout(1000)
    expect(page.locator("body")).to_have_attribute("data-state", "ready")
    expect(page.locator("#error")).to_have_text("")
    assert json.loads(page.evaluate("localStorage.settings"))["context"] == 1024
