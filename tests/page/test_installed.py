"""The page as an installed app: what is shared with it, files opened with it, shortcuts, the badge."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from page.pages import ask, fails, ready, wait_state
from playwright.sync_api import Page, expect

from web.build import serving
from web.build.browser import WORKER

if TYPE_CHECKING:
    from web.build.browser import Chromium

pytestmark = pytest.mark.slow

SHARE = """async ({ texts, files }) => {
  const form = new FormData();
  for (const [name, text] of Object.entries(texts)) form.set(name, text);
  for (const [name, text] of files) form.append("files", new File([text], name));
  const response = await fetch("share", { method: "POST", body: form, redirect: "manual" });
  return response.type;
}"""


@pytest.fixture
def kept(dist: Path, chromium: Chromium, tmp_path: Path) -> Iterator[tuple[Page, str]]:
    """A page that its service worker keeps, and its address. The double of the engine is one of its files."""
    folder = tmp_path / "dist"
    shutil.copytree(dist, folder)
    script = "const script = { pieces: ['an answer'], pace: 0, room: true };\n"
    (folder / "worker" / "worker.js").write_text(script + WORKER.read_text())
    context = chromium.browser().new_context()
    context.set_default_timeout(60_000)
    with serving.serving(folder) as url:
        page = context.new_page()
        page.goto(url)
        page.wait_for_selector("body[data-offline=true]")
        page.reload()  # from now on the service worker answers
        wait_state(page, "ready")
        yield page, url
    context.close()


def test_what_is_shared_reaches_the_composer_and_no_server(kept: tuple[Page, str]) -> None:
    page, url = kept
    errors = fails(page)
    page.context.set_offline(True)
    texts = {"title": "A title", "text": "Some text", "url": "https://example.org/"}
    assert page.evaluate(SHARE, {"texts": texts, "files": [["notes ü.txt", "A note."]]}) == "opaqueredirect"
    page.goto(f"{url}?shared")
    expect(page.locator("#prompt")).to_have_value("A title\nSome text\nhttps://example.org/")
    expect(page.locator("#attached")).to_contain_text("notes ü.txt")
    assert page.url == url  # a reload shares nothing again
    page.fill("#prompt", "")
    shared = {"texts": {"text": "x", "url": "x"}, "files": [["mine.gguf", "GGUF"]]}
    assert page.evaluate(SHARE, shared) == "opaqueredirect"
    page.goto(f"{url}?shared")
    expect(page.locator("#model-name")).to_have_text("mine")
    expect(page.locator("#prompt")).to_have_value("x")
    assert errors == []


def test_a_file_is_opened_with_the_page(page: Page, url: str, fake: Callable[..., None]) -> None:
    fake(room=True)
    page.add_init_script("""
      const handle = { getFile: async () => new File(["GGUF"], "opened.gguf") };
      const launchQueue = { setConsumer: (take) => take({ files: [handle] }) };
      Object.defineProperty(window, "launchQueue", { value: launchQueue });
    """)
    page.goto(url)
    wait_state(page, "ready")
    expect(page.locator("#model-name")).to_have_text("opened")


def test_a_shortcut_opens_the_models(page: Page, url: str, fake: Callable[..., None]) -> None:
    fake()
    page.goto(f"{url}?open=models")
    expect(page.locator("#models .offer").first).to_be_visible()
    assert page.url == url


def test_an_answer_that_nobody_sees_is_on_the_badge(page: Page, url: str, fake: Callable[..., None]) -> None:
    fake(pieces=["an answer"])
    page.add_init_script("""
      window.badges = [];
      Navigator.prototype.setAppBadge = async () => { badges.push("set"); };
      Navigator.prototype.clearAppBadge = async () => { badges.push("clear"); };
      Object.defineProperty(document, "hidden", { get: () => window.away === true });
    """)
    ready(page, url)
    ask(page)
    expect(page.locator(".message.assistant[data-state=ended]")).to_have_count(1)
    assert page.evaluate("badges") == []  # it was seen
    page.evaluate("window.away = true")
    ask(page)
    expect(page.locator(".message.assistant[data-state=ended]")).to_have_count(2)
    page.wait_for_function("badges.length")
    page.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
    assert page.evaluate("badges") == ["set", "clear"]


def test_storage_says_what_takes_how_much_and_deletes_it(page: Page, url: str, fake: Callable[..., None]) -> None:
    fake(pieces=["an answer"])
    page.add_init_script("navigator.storage.persisted = navigator.storage.persist = async () => false")
    ready(page, url)
    ask(page, "Keep this")
    expect(page.locator(".conversation .open")).to_have_text(["Keep this"])
    page.evaluate("""async () => {
      const root = await navigator.storage.getDirectory();
      const folder = await root.getDirectoryHandle("models", { create: true });
      const write = async (name, data) => {
        const file = await (await folder.getFileHandle(name, { create: true })).createWritable();
        await file.write(data);
        await file.close();
      };
      await write("m", new Uint8Array(5e6));
      await write("m.json", JSON.stringify({ url: "x:m", model: "x:m", name: "Mine", whole: true }));
    }""")
    page.click("#settings-button")
    page.locator("#settings .field-row").get_by_role("button", name="Show…").click()
    rows = page.locator(".stored li")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("Mine")
    expect(rows.nth(0)).to_contain_text("5.0 MB")
    page.click("#storage >> text=Keep it for good")
    expect(page.locator(".toast")).to_contain_text("does not promise")
    rows.nth(0).get_by_role("button", name="Delete: Mine").click()
    expect(rows).to_have_count(1)
    rows.get_by_role("button", name="Delete: 1 conversation").click()
    with page.expect_download() as saved:
        rows.get_by_role("button", name="Save as a file").click()
    assert "Keep this" in Path(saved.value.path()).read_text(encoding="utf-8")
    rows.get_by_role("button", name="Cancel").click()
    expect(rows).to_have_count(1)
    rows.get_by_role("button", name="Delete: 1 conversation").click()
    rows.get_by_role("button", name="Delete for good").click()
    expect(rows).to_have_count(0)
    expect(page.locator(".conversation .open")).to_have_count(0)
