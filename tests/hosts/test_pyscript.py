"""The page of docs/examples that PyScript runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from web.build import paths, pins

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.mark.browsers
def test_pyscript(host: tuple[Path, str], page: Page, picture: Callable[[Page, str], None]) -> None:
    folder, url = host
    shutil.copytree(pins.node_modules(paths.WEB) / "@pyscript/core/dist", folder / "pyscript", dirs_exist_ok=True)
    shutil.copy(paths.ROOT / "docs/examples/pyscript.html", folder)
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.goto(f"{url}pyscript.html")
    page.wait_for_selector("body[data-state=done], .py-error, .mpy-error", timeout=120_000)
    assert page.locator("body[data-state=done]").count(), (told, page.inner_text("body"))
    picture(page, "pyscript")
    expect(page.locator("#product")).to_contain_text("as NumPy has it")
    assert page.inner_text("#answer")
