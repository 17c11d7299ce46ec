"""The pictures of docs/site.md: what the options of a site's owner make of the page, by the configurations in
docs/examples/library, with a test double of the engine."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, ViewportSize

from . import paths, pins
from .browser import chromium, stand_in, told

LIBRARY = paths.ROOT / "docs" / "examples" / "library"
FONT = "fonts/KaTeX_Main-Regular.woff2"  # one that looks like nothing of ours
SIZE = ViewportSize(width=1280, height=840)
QUESTION = "When can I come on Saturday?"
CALL = [{"calls": [{"index": 0, "id": "a", "name": "opening_hours", "arguments": '{"day": "Saturday"}'}]}]
ANSWER = ["On Saturday the library is open **from 10 to 14**."]

Shoot = Callable[[str], None]


def example(folder: Path) -> Path:
    """A copy of the configurations; german.toml also has a font, which is none of the project's files."""
    copied = Path(shutil.copytree(LIBRARY, folder / "library"))
    font = next(pin for pin in pins.read_lock() if pin.file == FONT)
    pins.fetch([font])
    shutil.copy(font.path, copied / "font.woff2")
    german = copied / "german.toml"
    german.write_text(f'font = "font.woff2"\n{german.read_text(encoding="utf-8")}', encoding="utf-8")
    return copied


def library(page: Page, shoot: Shoot) -> None:
    """Of site.toml: the first visit, the models that there are, a function's call, settings in the dark."""
    shoot("site-own")
    page.click("#model-button")
    page.locator("#models .offer").first.wait_for()
    shoot("site-models")
    page.keyboard.press("Escape")
    page.fill("#prompt", QUESTION)
    page.click("#send")
    page.locator(".message.assistant[data-state=ended]", has_text=ANSWER[0].replace("*", "")).wait_for()
    page.locator(".call").evaluate("(call) => { call.open = true; }")
    shoot("site-tools")
    page.emulate_media(color_scheme="dark")
    page.click("#settings-button")
    page.get_by_role("tab").nth(1).click()
    shoot("site-answers")
    page.get_by_role("tab").nth(2).click()
    shoot("site-settings")


def german(page: Page, shoot: Shoot) -> None:
    """Of german.toml: another language, another font."""
    shoot("site-german")


SITES: dict[str, Callable[[Page, Shoot], None]] = {"site.toml": library, "german.toml": german}


def take(name: str, url: str, folder: Path) -> None:
    """Take the pictures of the site that was made by the configuration `name` and is served at `url`."""
    with told(), chromium() as started:
        context = started.browser().new_context(service_workers="block", color_scheme="light", viewport=SIZE)
        page = context.new_page()
        stand_in(page, answers=[CALL, ANSWER])

        def shoot(name: str) -> None:
            page.mouse.move(0, 0)
            page.wait_for_timeout(500)
            page.screenshot(path=folder / f"{name}.png")

        page.goto(url)
        page.wait_for_selector("body[data-state=ready]")
        SITES[name](page, shoot)
        context.close()
