"""A later visit begins with Python's memory; whatever is wrong with that, it begins with Python's files."""
# ruff: noqa: E501  (scripts are lines)

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from page.pages import ask, fails, ready
from playwright.sync_api import BrowserContext, Page, Route, expect

from web.build.browser import Chromium

WORKER = (Path(__file__).parent / "start_worker.js").read_text()
Start = Callable[..., Any]

RUN = """(message) => new Promise((resolve) => {
  const worker = new Worker("start_worker.js", { type: "module" });
  worker.onmessage = ({ data }) => (worker.terminate(), resolve(data));
  worker.onerror = () => resolve({ error: "the worker did not start" });
  worker.postMessage(message);
})"""
KEPT = "async () => (await import('./shared/memory_file.js')).isMemoryKept()"
CHANGE = """async ([what, change]) => {
  const { folder, name } = await (await import("./shared/memory_file.js")).memoryFiles();
  const file = await folder.getFileHandle(what === "bytes" ? name : `${name}.json`);
  const old = new Uint8Array(await (await file.getFile()).arrayBuffer());
  const { digest } = await import("./shared/kept.js");
  const told = (about) => digest(new TextEncoder().encode(JSON.stringify(about))).then((sum) => JSON.stringify({ about, sum }));
  const about = what === "about" && JSON.parse(new TextDecoder().decode(old)).about;
  const changed = eval(change)(what === "about" ? about : old);
  const writable = await file.createWritable();
  await writable.write(what === "about" ? await told(changed) : changed);
  await writable.close();
}"""
BROKEN = {
    "a bit of the memory": ("bytes", "(old) => old.with(old.length >> 1, old[old.length >> 1] ^ 1)"),
    "a bit of the files": ("bytes", "(old) => old.with(old.length - 9, old[old.length - 9] ^ 1)"),
    "cut short": ("bytes", "(old) => old.subarray(0, old.length >> 1)"),
    "empty": ("bytes", "() => ''"),
    "half of what is said": ("text", "(old) => old.subarray(0, old.length >> 1)"),
    "a bit of what is said": ("text", "(old) => old.with(old.length >> 1, old[old.length >> 1] ^ 1)"),
    "of another version": ("about", "(about) => ({ ...about, version: 'other' })"),
    "of another browser": ("about", "(about) => ({ ...about, browser: 'other' })"),
    "other functions": ("about", "(about) => ({ ...about, functions: 1 })"),
    "other places": (
        "about",
        "(about) => ({ ...about, libraries: about.libraries.map((one) => ({ ...one, table: one.table + 1 })) })",
    ),
}
"""What is wrong with it: its bytes, or what is said about them, and how they are made from what they were."""
CODE = """
import os, random, secrets, sys, time
import numpy, numpy.fft, numpy.random, regex
from importlib.resources import files
from py_wgml import wgsl
assert numpy.allclose(numpy.linalg.inv([[1.0, 2.0], [3.0, 4.0]]), [[-2, 1], [1.5, -0.5]])
assert numpy.fft.fft([1, 2, 3])[0] == 6
assert regex.findall(r"\\p{L}+", "h\\u00e9 llo") == ["h\\u00e9", "llo"]
assert "fn" in files("py_wgml").joinpath("_wgsl", "attention_tile.wgsl").read_text()
assert abs(time.time() - os.stat("/tmp").st_mtime) < 3600
large = bytearray(200 << 20)
large[-1] = 1
try:
    numpy.zeros(3).reshape(2, 2)
except ValueError:
    print("refused")
print(random.random(), secrets.token_hex(8), numpy.random.default_rng().random())
"""


def kept(page: Page) -> None:
    """Wait until the memory lies on the device."""
    while not page.evaluate(KEPT):
        page.wait_for_timeout(100)


def restored(page: Page) -> Any:
    return page.evaluate("() => document.body.dataset.restored")


def test_a_later_visit_begins_with_the_memory(page: Page, url: str) -> None:
    """It asks for none of the packages, and answers."""
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    errors = fails(page)
    ready(page, url)
    assert restored(page) == "false"
    assert any(name.endswith(".whl") for name in requested)
    kept(page)
    requested.clear()
    for _ in range(2):
        ready(page, url)
        assert restored(page) == "true"
    assert not [name for name in requested if name.endswith(".whl")]
    ask(page)
    expect(page.locator(".message.assistant .text:not(:empty)")).to_have_count(1, timeout=60_000)
    assert errors == []


@pytest.fixture
def start(page: Page, context: BrowserContext, url: str) -> Start:
    """`start(code, keep)` starts Python, runs some and keeps the memory, if it is to; it tells how that went."""
    context.route("**/start_worker.js", lambda route: route.fulfill(body=WORKER, content_type="text/javascript"))
    page.goto(f"{url}site.json")

    def run(code: str = "", keep: bool = False) -> Any:
        result = page.evaluate(RUN, {"code": code, "keep": keep})
        assert "error" not in result, result["error"]
        return result

    return run


def test_a_broken_memory_is_passed_over(page: Page, start: Start) -> None:
    """And removed: another one is kept in its place, which the next change then breaks."""
    assert not start(keep=True)["restored"]
    for what, change in BROKEN.items():
        page.evaluate(CHANGE, change)
        assert not start(keep=True)["restored"], what
    assert start()["restored"]


def test_it_works_without_a_network(chromium: Chromium, url: str) -> None:
    context = chromium.browser().new_context()
    page = context.new_page()
    ready(page, url)
    page.wait_for_selector("body[data-offline=true]")
    kept(page)
    context.set_offline(True)
    ready(page, url)
    assert restored(page) == "true"
    ask(page)
    expect(page.locator(".message.assistant .text:not(:empty)")).to_have_count(1, timeout=60_000)
    context.close()


@pytest.mark.parametrize(
    "prefix",
    [
        "delete StorageManager.prototype.getDirectory;",
        "FileSystemSyncAccessHandle.prototype.write = () => 1;",
        "FileSystemFileHandle.prototype.createSyncAccessHandle = async () => { throw new DOMException('', 'NoModificationAllowedError'); };",
    ],
    ids=["no storage", "full", "locked"],
)
def test_without_room_for_it(prefix: str, page: Page, url: str, worker_prefix: Callable[[str], None]) -> None:
    worker_prefix(prefix)
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    for _ in range(2):
        with page.expect_console_message(lambda message: "memory is not kept" in message.text, timeout=60_000):
            ready(page, url)
        assert restored(page) == "false"
    assert not page.evaluate(KEPT)


def test_a_restored_python_is_whole(start: Start) -> None:
    """What was imported works, what was not can be; chance and time are those of now."""
    results = [start(keep=True), start(CODE), start(CODE)]
    assert [result["restored"] for result in results] == [False, True, True]
    first, second = (result["output"] for result in results[1:])
    assert first[0] == second[0] == "refused"
    assert not {*first[1].split()} & {*second[1].split()}
    assert {(result["engine"], "micropip" in result["micropip"]) for result in results} == {("py_wgml.worker", True)}


def test_a_question_typed_early_is_answered(page: Page, context: BrowserContext, url: str) -> None:
    """It is sent as soon as there is someone to answer."""
    held: list[Route] = []
    context.route("**/*.asm.wasm", lambda route: held.append(route))
    page.goto(url)
    ask(page, "Hello")
    expect(page.locator(".message.user")).to_have_count(1)
    assert page.evaluate("() => document.body.dataset.state") == "loading"
    while not held:
        page.wait_for_timeout(50)
    for route in held:
        route.continue_()
    expect(page.locator(".message.assistant .text:not(:empty)")).to_have_count(1, timeout=120_000)
