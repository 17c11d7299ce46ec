"""The page of docs/examples that PyScript runs."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from web.build import models, paths, pins

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.mark.browsers
@pytest.mark.parametrize(
    "model", ["model", pytest.param("SmolLM2", marks=[pytest.mark.slow, pytest.mark.thorough])], ids=["tiny", "SmolLM2"]
)
def test_pyscript(model: str, host: tuple[Path, str], page: Page, picture: Callable[[Page, str], None]) -> None:
    folder, url = host
    shutil.copytree(pins.node_modules(paths.WEB) / "@pyscript/core/dist", folder / "pyscript", dirs_exist_ok=True)
    text = (paths.ROOT / "docs/examples/pyscript.html").read_text(encoding="utf-8")
    (folder / f"pyscript-{model}.html").write_text(text.replace("model.gguf", f"{model}.gguf"), encoding="utf-8")
    answer: re.Pattern[str] = re.compile(r"\w")
    if model == "SmolLM2":
        shutil.copy(models.default_model().path, folder / "SmolLM2.gguf")
        answer = re.compile("The capital of France is Paris")
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.goto(f"{url}pyscript-{model}.html")
    page.wait_for_selector("body[data-state=done], .py-error:has-text('Traceback')", timeout=400_000)
    assert page.locator("body[data-state=done]").count(), (told, page.inner_text("body"))
    picture(page, "pyscript")
    expect(page.locator("#product")).to_contain_text("as NumPy has it")
    expect(page.locator("#answer")).to_have_text(answer)
