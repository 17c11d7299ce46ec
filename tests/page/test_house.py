"""A page that its owner has made their own, by a file: what it looks like, what it says and what it keeps to."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator

import pytest
import tiny
from page.pages import DROP, ask, choose_of, fails, ready, sent, wait_state
from page.test_views import AXE
from playwright.sync_api import Page, expect

import build as program
from web.build import pins, serving

pytestmark = pytest.mark.slow

CONFIG = """
title = "Ask the library"
description = "Questions about our books."
greeting = "What are you looking for?"
suggestions = ["Which books are new?", "When are you open?"]
system_prompt = "You are a librarian."
models = ["first.gguf", "second.gguf"]
other_models = false
logo = "logo.png"
font = "font.woff2"
locked = ["system", "temperature"]
hidden = ["seed"]

[light]
accent = "#7a1f5c"
paper = "#fffdf5"

[dark]
accent = "#e59ac8"
paper = "#1a1016"

[settings]
temperature = 0.2
top_k = 7

[links]
Imprint = "imprint.html"
"Privacy policy" = "https://example.org/privacy"
"""


def picture(width: int) -> bytes:
    """A square PNG of one colour."""
    rows = zlib.compress((b"\0" + bytes([122, 31, 92]) * width) * width)
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, width, 8, 2, 0, 0, 0)),
        (b"IDAT", rows),
        (b"IEND", b""),
    )
    found = b"\x89PNG\r\n\x1a\n"
    for kind, data in parts:
        found += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return found


def examine(page: Page) -> None:
    """Nobody is kept out of it."""
    pins.fetch(tools := [part for part in pins.read_lock() if part.file == "axe.min.js"])
    page.evaluate(tools[0].path.read_text())
    assert page.evaluate(AXE) == []


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of such a site, made by the command line."""
    folder = tmp_path_factory.mktemp("house")
    for seed, name in enumerate(("first", "second")):
        tiny.write_tiny_llama(folder / f"{name}.gguf", seed=seed)
    font = next(pin for pin in pins.read_lock() if "latin-ext" in pin.file)
    (folder / "font.woff2").write_bytes(font.path.read_bytes())
    (folder / "logo.png").write_bytes(picture(256))
    (folder / "site.toml").write_text(CONFIG, encoding="utf-8")
    program.main(["build", "--config", str(folder / "site.toml"), "--out", str(folder / "dist")])
    with serving.serving(folder / "dist") as url:
        yield url


def test_a_page_of_ones_own(page: Page, house: str, fake: Callable[..., None]) -> None:
    fake(echo=True, room=True)
    errors = fails(page)
    page.emulate_media(color_scheme="light")
    ready(page, house)
    expect(page).to_have_title("Ask the library")
    token = "(name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()"
    assert [page.evaluate(token, name) for name in ("--accent", "--paper")] == ["#7a1f5c", "#fffdf5"]
    assert page.evaluate("getComputedStyle(document.body).fontFamily").startswith("Site,")
    assert page.evaluate("document.fonts.load('1rem Site').then((fonts) => fonts.length)") == 1
    assert page.locator("img[src='logo.png']").first.evaluate("(image) => image.naturalWidth") == 256
    assert page.locator("meta[name=description]").get_attribute("content") == "Questions about our books."
    expect(page.locator("#welcome h2")).to_have_text("What are you looking for?")
    assert page.locator("#welcome .logo").evaluate("(image) => image.naturalWidth") == 256
    expect(page.locator("#mark")).to_be_hidden()
    expect(page.locator("#links a")).to_have_text(["Imprint", "Privacy policy"])
    examine(page)
    assert [link.get_attribute("href") for link in page.locator("#links a").all()][1] == "https://example.org/privacy"
    page.emulate_media(color_scheme="dark")
    assert [page.evaluate(token, name) for name in ("--accent", "--paper")] == ["#e59ac8", "#1a1016"]
    examine(page)
    manifest = page.context.new_cdp_session(page).send("Page.getAppManifest")
    assert not manifest["errors"]

    # A suggestion is asked as it stands, with what the owner has set.
    page.locator("#examples button").get_by_text("When are you open?").click()
    expect(page.locator(".message.user")).to_contain_text("When are you open?")
    expect(page.locator(".message.assistant[data-state=ended]")).to_have_count(1)
    asked = sent(page)
    assert asked["messages"][0] == {"role": "system", "content": "You are a librarian."}
    assert (asked["sampling"]["temperature"], asked["sampling"]["top_k"]) == (0.2, 7)

    # No other models than the site's: not listed, not found, not dropped, not named in the address.
    page.click("#model-button")
    expect(page.locator("#models .offer .name")).to_have_text(["first", "second"])
    expect(page.locator("#model-reference")).to_be_hidden()
    page.keyboard.press("Escape")
    page.evaluate(DROP, ["mine.gguf", list(b"GGUF\0")])
    expect(page.locator(".toast")).to_contain_text("mine.gguf")
    page.goto(f"{house}?model=owner/repository/file.gguf")
    wait_state(page, "ready")
    expect(page.locator("#model-name")).to_have_text("first")
    page.goto(f"{house}?model=second")
    wait_state(page, "ready")
    expect(page.locator("#model-name")).to_have_text("second")
    assert errors == []


def test_what_is_locked_stays(page: Page, house: str, fake: Callable[..., None]) -> None:
    """Whatever this browser has kept from before."""
    fake(echo=True)
    page.add_init_script("""localStorage.setItem("settings", JSON.stringify({ temperature: 2, seed: 5, top_k: 3 }))""")
    ready(page, house)
    ask(page)
    expect(page.locator(".message.assistant[data-state=ended]")).to_have_count(1)
    sampling = sent(page)["sampling"]
    assert (sampling["temperature"], sampling["top_k"], sampling.get("seed")) == (0.2, 3, None)
    page.click("#settings-button")
    page.get_by_role("tab", name="Answers").click()
    expect(page.locator("#setting-system")).to_be_disabled()
    examine(page)
    expect(page.locator(".field-row:has(#setting-system)")).to_contain_text("Set by the owner of this site")
    page.get_by_role("tab", name="Sampling").click()
    expect(page.locator("#setting-temperature")).to_be_disabled()
    expect(page.locator("#setting-temperature")).to_have_attribute("placeholder", "0.2")
    expect(page.locator("#setting-top_k")).to_have_value("3")
    expect(page.locator("#setting-seed")).to_have_count(0)
    expect(page.locator("[name=preset]")).to_have_count(0)
    page.keyboard.press("Escape")
    choose_of(page.locator(".message.assistant"), "Compare with…")
    compared = page.locator("#compare")
    compared.get_by_label("Model", exact=True).select_option("first")
    compared.get_by_label("Settings", exact=True).select_option("Creative")
    compared.get_by_role("button", name="Answer", exact=True).click()
    expect(compared.locator(".column .text").nth(1)).to_contain_text('"temperature": 0.2')
    expect(compared.locator(".column .text").nth(1)).to_contain_text('"top_k": 0')
