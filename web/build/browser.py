"""Drives the browsers: Chromium through Playwright, stock Firefox through WebDriver BiDi.

Used by the page tests and by `build.py chat`, `bench`, `audit` and `screenshots`; needs the packages of the dependency
group `browser`. Everything runs headless, and on a machine without a GPU on a software WebGPU adapter.
"""

from __future__ import annotations

import contextlib
import functools
import glob
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Error, Page, Playwright, sync_playwright
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from .errors import Stop
from .finding import NoBrowser, find_chromium, find_firefox, last_line, lavapipe

# -------------------------------------------------------------------------------------------------------- Chromium

# Developer features: timestamps that are not rounded.
WEBGPU_FLAGS = ["--enable-unsafe-webgpu", "--enable-webgpu-developer-features"]
GPU_FLAGS = [*WEBGPU_FLAGS, "--ignore-gpu-blocklist"]
if sys.platform == "linux":
    # Without a display server; with GPU compositing the GPU process dies there.
    GPU_FLAGS += ["--enable-features=Vulkan", "--use-angle=vulkan", "--disable-vulkan-surface"]
    GPU_FLAGS += ["--disable-gpu-sandbox", "--disable-gpu-compositing"]
SOFTWARE_FLAGS = [*WEBGPU_FLAGS, "--use-webgpu-adapter=swiftshader"]
PROBE = """navigator.gpu?.requestAdapter().then((adapter) => {
    document.title = adapter && !adapter.info.isFallbackAdapter ? "yes" : "no";
})"""


class Chromium:
    """Headless Chromium with WebGPU: `browser()` is one browser for all, `persistent(folder)` one with a profile."""

    def __init__(self, playwright: Playwright, binary: str) -> None:
        self.type = playwright.chromium
        self.binary = binary
        self.root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        self.started: list[Browser | BrowserContext] = []
        self.shared: Browser | None = None

    @functools.cached_property
    def flags(self) -> list[str]:
        """PY_WGML_CHROME_FLAGS; else what gives the machine's GPU; else what gives the software adapter."""
        if "PY_WGML_CHROME_FLAGS" in os.environ:
            return shlex.split(os.environ["PY_WGML_CHROME_FLAGS"])
        return webgpu_flags(self)

    def launch(self, flags: Sequence[str]) -> Browser:
        """A new browser; the caller closes it."""
        try:
            return self.type.launch(executable_path=self.binary, args=[*self.root, *flags])
        except Error as error:
            raise NoBrowser(f"{self.binary} does not start: {why_not_started(str(error))}") from None

    def browser(self) -> Browser:
        """The shared browser: `browser().new_page()` is a page with a storage of its own."""
        if self.shared is None or not self.shared.is_connected():
            self.shared = self.launch(self.flags)
            self.started.append(self.shared)
        return self.shared

    def persistent(self, folder: str | Path, **options: Any) -> BrowserContext:
        """A browser that keeps its storage in a folder, for what must outlive it."""
        args = [*self.root, *self.flags]
        context = self.type.launch_persistent_context(folder, executable_path=self.binary, args=args, **options)
        self.started.append(context)
        return context

    def close(self) -> None:
        """End every browser that this object started."""
        for item in self.started:
            with contextlib.suppress(Exception):  # it may be closed or dead already
                item.close()


def why_not_started(told: str) -> str:
    """What a browser said when it ended at once, out of what Playwright tells of that."""
    said = [line.partition("[err]")[2].strip() for line in told.splitlines() if "[err]" in line]
    return next((line for line in said if "FATAL" in line or "rror" in line), told.splitlines()[0])[:200]


found_flags: dict[str, list[str]] = {}


def webgpu_flags(chromium: Chromium) -> list[str]:
    """Which flags give this Chromium a WebGPU adapter: looked up once a process."""
    if chromium.binary not in found_flags:
        found_flags[chromium.binary] = GPU_FLAGS if has_gpu() and gives_adapter(chromium, GPU_FLAGS) else SOFTWARE_FLAGS
    return found_flags[chromium.binary]


def has_gpu() -> bool:
    """Whether it is worth trying: on Linux without a GPU's device file Chromium's GPU process only dies and hangs."""
    return sys.platform != "linux" or bool(glob.glob("/dev/dri/render*") or glob.glob("/dev/nvidia[0-9]*"))


def gives_adapter(chromium: Chromium, flags: Sequence[str]) -> bool:
    """Whether Chromium started with these flags has a WebGPU adapter that is not a software one, within 20 s."""
    try:
        browser = chromium.launch(flags)
    except NoBrowser:
        return False
    try:
        page = browser.new_page()
        page.route("**", lambda route: route.fulfill(content_type="text/html", body=f"<script>{PROBE}</script>"))
        page.goto("http://localhost/", wait_until="commit")  # a secure context, as WebGPU wants
        page.wait_for_function("document.title", timeout=20_000, polling=100)
        return page.title() == "yes"
    except Error:  # it hangs or has died: no GPU
        return False
    finally:
        browser.close()


@contextlib.contextmanager
def chromium() -> Iterator[Chromium]:
    """A Chromium that is closed at the end. (While it is open no asyncio loop can run in this thread.)"""
    binary = find_chromium()
    with sync_playwright() as playwright:
        started = Chromium(playwright, binary)
        try:
            yield started
        finally:
            started.close()


# --------------------------------------------------------------------------------------------------------- Firefox

FIREFOX_PREFERENCES: dict[str, Any] = {
    "dom.webgpu.enabled": True,
    "gfx.webgpu.ignore-blocklist": True,
    "gfx.webgpu.force-enabled": True,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "remote.prefs.recommended": True,
}


class Firefox:
    """A headless Firefox with one tab, driven through WebDriver BiDi (https://w3c.github.io/webdriver-bidi/)."""

    def __init__(self, binary: str, profile: str, timeout: float = 60.0) -> None:
        lines = [
            f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in FIREFOX_PREFERENCES.items()
        ]
        Path(profile, "user.js").write_text("".join(lines), encoding="utf-8")
        environment = dict(os.environ)
        if (driver := lavapipe()) and "VK_DRIVER_FILES" not in environment and not glob.glob("/dev/dri/render*"):
            environment["VK_DRIVER_FILES"] = driver
        command = [binary, "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"]
        self.log = Path(profile, "firefox.log")
        self.binary = binary
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            self.socket = connect(f"{self.address(timeout)}/session", max_size=None, proxy=None)
            self.count = 0
            self.command("session.new", capabilities={})
            self.context = self.command("browsingContext.getTree")["contexts"][0]["context"]
        except BaseException:
            self.process.kill()
            raise

    def address(self, timeout: float) -> str:
        """Where the started browser listens: it says so in its log."""
        end, mark = time.monotonic() + timeout, "WebDriver BiDi listening on "
        while time.monotonic() < end and self.process.poll() is None:
            for line in self.said().splitlines():
                if line.startswith(mark):
                    return line.removeprefix(mark).strip()
            time.sleep(0.1)
        self.process.kill()
        why = last_line(self.said()) or f"it ended with code {self.process.wait(10)}"
        raise NoBrowser(f"{self.binary} does not start: {why}")

    def said(self) -> str:
        """Its log, so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def command(self, method: str, timeout: float = 600.0, **params: Any) -> Any:
        """Send a BiDi command and return its result; events are passed over."""
        self.count += 1
        message: dict[str, Any] = {}
        try:
            self.socket.send(json.dumps({"id": self.count, "method": method, "params": params}))
            while message.get("id") != self.count:
                message = json.loads(self.socket.recv(timeout))
        except ConnectionClosed:
            raise NoBrowser(f"{self.binary} has ended: {last_line(self.said())}") from None
        if message["type"] == "error":
            raise RuntimeError(f"{method}: {message['error']}: {message['message']}")
        return message["result"]

    def open(self, url: str) -> None:
        """Go to a page and wait until it is loaded."""
        self.command("browsingContext.navigate", context=self.context, url=url, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression (a promise is awaited), through JSON."""
        source = f"(async () => JSON.stringify(await ({expression})))()"
        target = {"context": self.context}
        result = self.command("script.evaluate", expression=source, target=target, awaitPromise=True)
        if result["type"] == "exception":
            raise RuntimeError(result["exceptionDetails"]["text"])
        text = result["result"].get("value")
        return None if text is None else json.loads(text)

    def wait_for(self, expression: str, timeout: float = 60.0) -> Any:
        """The value of an expression as soon as it is truthy; TimeoutError if it never is."""
        end = time.monotonic() + timeout
        while not (value := self.evaluate(expression)):
            if time.monotonic() > end:
                raise TimeoutError(f"still {value!r} after {timeout} s: {expression}")
            time.sleep(0.1)
        return value

    def type(self, text: str) -> None:
        """Press keys in the focused element; "\\ue007" is Enter, as in WebDriver."""
        keys = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        actions = [{"type": "key", "id": "keyboard", "actions": keys}]
        self.command("input.performActions", context=self.context, actions=actions)

    def screenshot(self) -> str:
        """The visible part of the page as a PNG in base64."""
        return str(self.command("browsingContext.captureScreenshot", context=self.context)["data"])

    def close(self) -> None:
        """End the browser."""
        with contextlib.suppress(Exception):  # it may have died
            self.socket.close()
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def firefox() -> Iterator[Firefox]:
    """A Firefox with a new profile, both gone at the end."""
    binary = find_firefox()
    if not binary:
        raise NoBrowser("no Firefox found: install it, or name one in FIREFOX_BIN")
    with tempfile.TemporaryDirectory(prefix="py_wgml-firefox-", ignore_cleanup_errors=True) as profile:
        started = Firefox(binary, profile)
        try:
            yield started
        finally:
            started.close()


# --------------------------------------------------------------------------------------------------------- the page


class PageError(Stop):
    """The page said that something went wrong; the message is the page's."""


@contextlib.contextmanager
def told() -> Iterator[None]:
    """What goes wrong with a browser meanwhile is told in one line."""
    try:
        yield
    except Error as error:
        raise Stop(error.message.splitlines()[0]) from None


STATE = "() => document.body.dataset.state"
ANSWER = "() => [...document.querySelectorAll('.message.assistant')].at(-1)?.source ?? ''"


def text_of(page: Page, selector: str) -> str:
    """The text of the last element that matches, or nothing."""
    found = page.locator(selector)
    return (found.last.text_content() or "").strip() if found.count() else ""


def wait_until(page: Page, condition: Callable[[str], bool], meanwhile: Callable[[], None]) -> None:
    """Wait for a state of the page; PageError if it comes to an end in another one."""
    while not condition(state := page.evaluate(STATE) or ""):
        if state in ("error", "unsupported"):
            why = text_of(page, "#error") or text_of(page, "#unsupported-reason")
            raise PageError(why or f"the page is in the state {state!r}")
        meanwhile()
        page.wait_for_timeout(100)


WORKER = Path(__file__).with_name("fake_worker.js")


def stand_in(target: Page | BrowserContext, **script: Any) -> None:
    """Put a double with a script (see fake_worker.js) in the place of the worker of a page, or of all of a context."""
    text = f"const script = {json.dumps({'pieces': [], 'pace': 0, **script})};\n{WORKER.read_text(encoding='utf-8')}"
    target.unroute("**/worker.js")
    target.route("**/worker.js", lambda route: route.fulfill(body=text, content_type="text/javascript"))
