"""The notebook of docs/examples in marimo: in the browser alone, and on this machine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from web.build import environment, paths, pins

if TYPE_CHECKING:
    from playwright.sync_api import Page

NOTEBOOK = paths.ROOT / "docs/examples/marimo_notebook.py"
CORE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
# What `marimo export html-wasm --offline` writes, and whoever has the files already may.
OFFLINE = {
    "data-pyodide-index-url": "./pyodide/",
    "data-pyodide-lockfile-url": "./pyodide/pyodide-lock.json",
    "data-pypi-index-url": "./index/{package_name}/",
}


@pytest.fixture
def exported(host: tuple[Path, str]) -> str:
    """The address of the page that marimo makes of the notebook, beside which lies all that it wants."""
    folder, url = host
    out = folder / "marimo"
    marimo = environment.apart() / "marimo"
    # Of a notebook that is Markdown marimo does not look for modules beside it, for which it fetches a tool.
    environment.run([marimo, "export", "md", NOTEBOOK, "-o", folder / "marimo.md"], "marimo")
    environment.run([marimo, "export", "html-wasm", folder / "marimo.md", "-o", out, "--mode", "run"], "marimo")
    page = (out / "index.html").read_text()
    assert "<marimo-wasm " in page
    attributes = "".join(f' {name}="{value}"' for name, value in OFFLINE.items())
    (out / "index.html").write_text(page.replace("<marimo-wasm ", f"<marimo-wasm{attributes} "))
    for path in (folder / "model.gguf", *folder.glob("*.whl")):
        shutil.copy(path, out)
    shutil.copytree(folder / "pyodide", out / "pyodide")
    for name in CORE:  # marimo wants its own version of these
        shutil.copy(pins.node_modules(paths.WEB) / "pyodide-of-marimo" / name, out / "pyodide")
    theirs, ours = (json.loads((at / "pyodide/pyodide-lock.json").read_text()) for at in (out, folder))
    (out / "pyodide/pyodide-lock.json").write_text(json.dumps(theirs | {"packages": ours["packages"]}))
    return f"{url}marimo/index.html"


@pytest.mark.browsers
def test_marimo_in_the_browser(exported: str, page: Page, picture: Callable[[Page, str], None]) -> None:
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.goto(exported)
    try:
        used(page)
    except AssertionError:
        print("\n".join(told)[-3000:])
        raise
    finally:
        picture(page, "marimo")


@pytest.mark.browsers
def test_marimo_on_this_machine(
    host: tuple[Path, str], page: Page, tmp_path: Path, picture: Callable[[Page, str], None]
) -> None:
    for path in (NOTEBOOK, host[0] / "model.gguf"):
        shutil.copy(path, tmp_path)
    libraries = subprocess.check_output(
        [environment.apart() / "python", "-c", "import site; print(site.getsitepackages()[0])"], text=True
    )
    ways = {"PYTHONPATH": os.pathsep.join([str(paths.ROOT), libraries.strip()])}
    command = [sys.executable, "-m", "marimo", "run", NOTEBOOK.name, "--headless", "--no-token", "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, env=os.environ | ways, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            url = next(found[0] for line in server.stdout if (found := re.search(r"http://[\w.]+:\d+", line)))
            page.context.route(lambda wanted: wanted.startswith(url), lambda route: route.continue_())
            page.goto(url)
            used(page)
        finally:
            picture(page, "marimo-native")
            server.terminate()
            server.communicate()


def used(page: Page) -> None:
    """Wait for the notebook's cells, and ask its chat something."""
    chat = page.locator(".py-wgml-chat")
    expect(chat).to_be_visible(timeout=90_000)
    expect(page.get_by_text("as NumPy has it")).to_be_visible()
    expect(page.locator(".markdown").last).to_contain_text("word")
    chat.get_by_label("Message").fill("Who are you?")
    chat.get_by_role("button", name="Send").click()
    expect(chat.get_by_role("group", name="Answer")).to_contain_text("word", timeout=30_000)
    expect(chat.get_by_role("button", name="Stop")).to_be_hidden(timeout=30_000)
    expect(chat.locator(".py-wgml-error")).to_be_empty()
