"""What browsers and servers do to a page: workers that hang, devices that go, web pages in the place of models."""
# ruff: noqa: E501  (scripts are lines)

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest
import tiny
from page.pages import STOP, ask, fails, ready, script, wait_state
from playwright.sync_api import BrowserContext, Page, Route, expect

SITE = {
    "missing": (404, "text/html", "<html>", "the server answered 404 for site.json"),
    "HTML": (200, "text/html", "<html>", "what the server sends as site.json is not what the build made"),
    "empty": (200, "application/json", "{}", "what the server sends as site.json is not what the build made"),
    "no models": (
        200,
        "application/json",
        '{"title": "", "wheels": ["a"], "models": []}',
        "what the server sends as site.json is not what the build made",
    ),
    "other types": (
        200,
        "application/json",
        '{"title": 5, "wheels": {}, "models": {"length": 1}}',
        "what the server sends as site.json is not what the build made",
    ),
}
GONE = (404, "text/html", "<!doctype html>")
HTML = (200, "text/html", "<!doctype html>")
FILES = {
    **{f"site.json {kind}": ("**/site.json*", case[:3], case[3]) for kind, case in SITE.items()},
    "worker.js gone": ("**/worker.js", GONE, "worker.js does not start: its server does not send it as it is"),
    "worker.js HTML": ("**/worker.js", HTML, "worker.js does not start: its server does not send it as it is"),
    "its modules gone": ("**/files.js", GONE, "worker.js does not start: its server does not send it as it is"),
    "Pyodide gone": ("**/pyodide.mjs", GONE, "Python could not be started: .*pyodide.mjs"),
    "its wasm gone": ("**/*.asm.wasm", GONE, "Python could not be started: the server answered 404 for pyodide.asm.wasm"),
    "its wasm HTML": ("**/*.asm.wasm", HTML, "Python could not be started: .*WebAssembly"),
    "its library gone": ("**/python_stdlib.zip", GONE, "Python could not be started: Program terminated"),
    "a wheel gone": ("**/*.whl", GONE, "Python could not be started: .*whl could not be loaded: the server answered 404"),
}  # fmt: skip


def test_a_model_chosen_where_site_json_did_not_come(
    page: Page, context: BrowserContext, url: str, fake: Callable[..., None]
) -> None:
    """It is what "Try again" loads when that is there again."""
    fake(room=True)
    context.route("**/site.json*", lambda route: route.fulfill(status=404))
    page.goto(url)
    expect(page.locator("#error")).to_have_text(re.compile("404 for site.json"))
    page.click("#model-button")
    page.set_input_files(
        "#models input[type=file]",
        {"name": "mine.gguf", "mimeType": "application/octet-stream", "buffer": b"GGUF"},
    )
    expect(page.locator("#error")).to_have_text(re.compile("404 for site.json"))
    page.wait_for_selector("body[data-state=error]")
    context.unroute("**/site.json*")
    page.click("#problem .retry")
    wait_state(page, "ready")
    expect(page.locator("#model-name")).to_have_text("mine")


@pytest.mark.parametrize("named", ["https://", "https://[", "x"])
def test_an_address_that_names_no_model_says_so(named: str, page: Page, url: str) -> None:
    page.goto(f"{url}?model={named}")
    expect(page.locator("#error")).to_contain_text("That is neither an address", timeout=60_000)


def test_addresses_in_other_encodings(page: Page, url: str, fake: Callable[..., None]) -> None:
    """A lone byte of Latin-1, and a % that begins nothing."""
    fake()
    page.route("**/*.gguf", lambda route: route.fulfill(status=200, headers={"content-length": "4"}, body="GGUF"))
    page.goto(url)
    for name in ("mod%E9l", "100%"):
        found = page.evaluate(
            "(name) => import('./worker/resolve.js').then(({ resolve }) => resolve(name))", f"./{name}.gguf"
        )
        assert found["name"] == name and found["url"] == f"{url}{name}.gguf"


@pytest.mark.parametrize("kind", FILES)
def test_a_file_of_the_site_that_does_not_come(
    kind: str, page: Page, context: BrowserContext, url: str, fake: Callable[..., None]
) -> None:
    """It is told in a line, and "Try again" finds it when it is there again."""
    address, (status, content_type, body), says = FILES[kind]
    if "site.json" in kind:
        fake()
    errors = fails(page)
    context.route(address, lambda route: route.fulfill(status=status, content_type=content_type, body=body))
    page.goto(url)
    expect(page.locator("#error")).to_have_text(re.compile(says))
    page.wait_for_timeout(200)
    expect(page.locator("#error")).to_have_text(re.compile(says))  # nothing else takes its place
    page.wait_for_selector("body[data-state=error]")
    context.unroute(address)
    fake()
    page.click("#problem .retry")
    wait_state(page, "ready")
    assert [error for error in errors if "python_stdlib" not in error] == []  # which Pyodide itself leaves


def test_the_type_of_webassembly_does_not_matter(page: Page, context: BrowserContext, url: str) -> None:
    """As servers send it that do not know it."""

    def as_bytes(route: Route) -> None:
        route.fulfill(response=route.fetch(), headers={"Content-Type": "application/octet-stream"})

    context.route("**/*.asm.wasm", as_bytes)
    ready(page, url)


@pytest.mark.parametrize(
    "kept",
    [
        "[]",
        "null",
        "5",
        "{",
        '"text"',
        '{"temperature": "0.7", "top_k": 1e99, "stop": "x", "cache_bits": 3, "system": 5}',
    ],
)
def test_settings_that_are_none(
    kept: str, page: Page, context: BrowserContext, url: str, fake: Callable[..., None]
) -> None:
    fake(pieces=["an answer"])
    context.add_init_script(
        f"localStorage.settings = {kept!r}; localStorage.sidebar = '[]'; localStorage.theme = '{{}}';"
    )
    ready(page, url)
    ask(page, "hello")
    expect(page.locator(".message.assistant").last).to_contain_text("an answer")
    sent = page.evaluate("localStorage.settings")
    assert sent == kept


def test_a_worker_that_hangs_is_started_again_when_it_is_told_to_stop(
    page: Page, url: str, worker_prefix: Callable[[str], None]
) -> None:
    """With the real worker: its thread is busy for ever, as in a template or an interpreter without end."""
    worker_prefix(
        "addEventListener('message', ({ data }) => { if (data.messages?.at(-1).content === 'hang') for (;;); });"
    )
    ready(page, url)
    ask(page, "hang")
    page.wait_for_selector("#stop:visible")
    page.click("#stop")
    expect(page.locator("#toasts")).to_contain_text("is being restarted", timeout=40_000)
    wait_state(page, "ready")
    expect(page.locator(".message.user")).to_contain_text("hang")
    ask(page, "hello")
    expect(page.locator(".message.assistant .stats").last).to_contain_text("token", timeout=60_000)


class Gate(BaseHTTPRequestHandler):
    """Answers with a login page at first, and knows no HEAD."""

    signed_in: ClassVar[bool] = False
    model: ClassVar[bytes] = b""

    def do_GET(self) -> None:
        body = self.model if self.signed_in else b"<!doctype html><title>Sign in</title>"
        self.send_response(200)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Content-Type", "application/octet-stream" if self.signed_in else "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.send_response(405)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[str]:
    Gate.signed_in, Gate.model = False, tiny.write_tiny_llama(tmp_path / "other.gguf", seed=1).read_bytes()
    server = ThreadingHTTPServer(("localhost", 0), Gate)
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://localhost:{server.server_port}/other.gguf"
    server.shutdown()
    server.server_close()


def test_a_login_page_is_not_kept_as_a_model(page: Page, url: str, gate: str) -> None:
    page.goto(f"{url}?model={gate}")
    expect(page.locator("#error")).to_have_text(re.compile("is a web page, not a model"), timeout=60_000)
    page.click("#problem .retry")  # at once: Python has not even started
    expect(page.locator("#error")).to_have_text(re.compile("is a web page, not a model"))
    page.wait_for_timeout(3000)
    expect(page.locator("#error")).to_have_text(re.compile("is a web page, not a model"))  # and nothing comes over it
    Gate.signed_in = True
    page.click("#problem .retry")
    wait_state(page, "ready")
    expect(page.locator("#model-name")).to_contain_text("other")
    ask(page, "hello")
    expect(page.locator(".message.assistant .stats").last).to_contain_text("token", timeout=60_000)


def choose(page: Page, reference: str) -> None:
    page.click("#model-button")
    page.fill("#model-reference", reference)
    page.press("#model-reference", "Enter")


def test_a_model_that_does_not_come_leaves_the_one_in_use(page: Page, url: str, gate: str) -> None:
    ready(page, url)
    choose(page, gate)
    expect(page.locator(".toast")).to_have_text([re.compile("is a web page, not a model")], timeout=60_000)
    wait_state(page, "ready")
    expect(page.locator("#model-name")).to_contain_text("tiny")
    ask(page, "hello")
    expect(page.locator(".message.assistant .stats")).to_contain_text("token", timeout=60_000)
    Gate.signed_in = True
    choose(page, gate)
    expect(page.locator("#model-name")).to_contain_text("other")
    wait_state(page, "ready")


DESTROYED = {
    "loading": "GPUQueue.prototype.writeBuffer = () => self.device.destroy();",
    "answering": """let maps = -Infinity;
      addEventListener("message", ({ data }) => data.type === "send" && (maps = 0));
      const map = GPUBuffer.prototype.mapAsync;
      GPUBuffer.prototype.mapAsync = function (...range) {
        if (++maps === 5) self.device.destroy();
        return map.apply(this, range);
      };""",
}


@pytest.mark.parametrize("when", DESTROYED)
def test_a_device_that_is_destroyed(when: str, page: Page, context: BrowserContext, url: str) -> None:
    """It is told once, in the page's words, and everything goes on."""
    first = [
        f"""const request = GPUAdapter.prototype.requestDevice;
        GPUAdapter.prototype.requestDevice = async function (...options) {{
          return (self.device = await request.apply(this, options));
        }};
        {DESTROYED[when]}"""
    ]

    def handler(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, body=f"{first.pop() if first else ''}\n{response.text()}")

    context.route("**/worker.js", handler)
    errors = fails(page)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.goto(url)
    if when == "answering":
        wait_state(page, "ready")
        ask(page, "hello")
    expect(page.locator(".toast")).to_have_text([re.compile("graphics chip was reset")], timeout=60_000)
    wait_state(page, "ready")
    expect(page.locator("#error")).to_have_text("")
    talked = page.locator(".message.assistant .text:not(:empty)").count()
    ask(page, "and now?")
    page.wait_for_function(STOP, arg=[talked + 1, ""], polling=20, timeout=60_000)
    expect(page.locator(".message.assistant .stats").last).to_contain_text(re.compile(r"\d tokens?"), timeout=60_000)
    assert errors == []
    assert not [line for line in said if re.search("mapAsync|AbortError|Uncaught|never retrieved", line)]


# Seconds go by in a hundredth of their time.
FASTER = """
const [every, now] = [window.setInterval, performance.now.bind(performance)];
window.setInterval = (act, ms, ...more) => every(act, ms / 100, ...more);
performance.now = () => now() * 100;
"""


def test_what_is_lost_again_is_not_loaded_for_ever(
    page: Page, context: BrowserContext, url: str, fake: Callable[..., None]
) -> None:
    """It is loaded again once, however long that takes, and once more after an answer."""
    context.add_init_script(FASTER)
    fake(hang=True)  # for three minutes, each time
    loads: list[str] = []
    page.on("worker", lambda worker: loads.append(worker.url))
    page.goto(url)
    expect(page.locator("#error")).to_contain_text("does not answer any more")
    assert len(loads) == 2
    fake(pieces=["an answer"])
    page.click("#problem .retry")
    wait_state(page, "ready")
    ask(page, "hello")
    expect(page.locator(".message.assistant .text")).to_have_text("an answer")
    fake(pieces=["word "] * 10, pace=100_000)
    page.click("#new-chat")
    script(page, pace=100_000)
    ask(page, "hang")
    expect(page.locator(".toast").last).to_contain_text("is being restarted")
    wait_state(page, "ready")


def test_who_keeps_clicking_stop_does_not_keep_a_hung_worker_alive(
    page: Page, context: BrowserContext, url: str, fake: Callable[..., None]
) -> None:
    context.add_init_script(FASTER)
    fake(pieces=["word"], pace=100_000)
    ready(page, url)
    page.evaluate("() => setInterval(() => document.querySelector('#stop:not([hidden])')?.click(), 2000)")
    ask(page, "hang")
    expect(page.locator(".toast")).to_contain_text("is being restarted", timeout=10_000)
