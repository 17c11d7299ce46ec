"""What browsers and servers do to a page: storage that throws, workers that hang, web pages in the place of models."""
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
from playwright.sync_api import BrowserContext, Page, expect

BLOCKED = {
    "localStorage": "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('', 'SecurityError') } });",
    "its methods": "for (const name of ['getItem', 'setItem', 'removeItem']) Storage.prototype[name] = () => { throw new DOMException('', 'QuotaExceededError') };",
    "indexedDB": "Object.defineProperty(window, 'indexedDB', { get() { throw new DOMException('', 'SecurityError') } });",
    "BroadcastChannel": "window.BroadcastChannel = class { constructor() { throw new DOMException('', 'SecurityError') } };",
    "locks": "navigator.locks.query = navigator.locks.request = () => Promise.reject(new DOMException('', 'SecurityError'));",
    "locks at once": "navigator.locks.query = navigator.locks.request = () => { throw new DOMException('', 'SecurityError') };",
    "serviceWorker": "Object.defineProperty(navigator, 'serviceWorker', { get() { throw new DOMException('', 'SecurityError') } });",
}  # fmt: skip


def ready(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_selector("body[data-state=ready]")


def ask(page: Page, text: str) -> None:
    page.fill("#prompt", text)
    page.press("#prompt", "Enter")


@pytest.mark.parametrize("what", [*BLOCKED, "all of it"])
def test_storage_that_throws(
    what: str, page: Page, context: BrowserContext, url: str, fake: Callable[..., None]
) -> None:
    fake(pieces=["an ", "answer"])
    context.add_init_script("\n".join(BLOCKED.values()) if what == "all of it" else BLOCKED[what])
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    ready(page, url)
    for question in ("first", "second"):
        ask(page, question)
        expect(page.locator(".message.assistant").last).to_contain_text("an answer")
        page.wait_for_selector("body[data-state=ready]")
    page.click("#sidebar-toggle")
    page.click("#sidebar-toggle")
    page.evaluate("document.querySelector('#settings-button').click()")
    expect(page.locator("#settings")).to_be_visible()
    assert errors == []


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
    expect(page.locator("#toasts")).to_contain_text("was started again", timeout=40_000)
    page.wait_for_selector("body[data-state=ready]")
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
    Gate.signed_in = True
    ready(page, f"{url}?model={gate}&again")
    expect(page.locator("#model-name")).to_contain_text("other")
    ask(page, "hello")
    expect(page.locator(".message.assistant .stats").last).to_contain_text("token", timeout=60_000)
