"""The notebook of docs/examples in JupyterLite."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from web.build import environment, paths

if TYPE_CHECKING:
    from playwright.sync_api import Page

NOTEBOOK = "jupyterlite.ipynb"
SOMETHING = re.compile(r"\w")
PATIENCE = 400_000  # milliseconds, on a machine that does much else beside it
KERNEL = "@jupyterlite/pyodide-kernel-extension:kernel"


@pytest.fixture(scope="module")
def lite(host: tuple[Path, str]) -> str:
    """The address of a JupyterLite, beside whose notebook lie what it wants."""
    folder, url = host
    source = folder / "lite-source"
    source.mkdir()
    extensions = [str(next(environment.wheels().glob(f"{name}-*"))) for name in ("anywidget", "jupyterlab_widgets")]
    how: dict[str, object] = {"federated_extensions": extensions, "output_dir": str(folder / "lite")}
    how |= {"apps": ["notebooks"], "no_sourcemaps": True, "no_libarchive": True}
    (source / "jupyter_lite_config.json").write_text(json.dumps({"LiteBuildConfig": how}))
    plugins = {KERNEL: {"pyodideUrl": f"{url}pyodide/pyodide.mjs"}}
    data = {"litePluginSettings": plugins, "contentsAllJsonFile": "all.json"}
    settings = {"jupyter-lite-schema-version": 0, "jupyter-config-data": data}
    (source / "jupyter-lite.json").write_text(json.dumps(settings))
    environment.run([environment.apart() / "jupyter-lite", "build"], "jupyter-lite", cwd=source)
    (folder / "lite/files").mkdir(exist_ok=True)
    for path in (paths.ROOT / "docs/examples" / NOTEBOOK, folder / "model.gguf", *folder.glob("*.whl")):
        shutil.copy(path, folder / "lite/files")
    listed = [described(path) for path in (folder / "lite/files").iterdir()]
    index = folder / "lite/api/contents/all.json"
    index.parent.mkdir(parents=True, exist_ok=True)
    index.write_text(json.dumps(described(folder / "lite/files") | {"name": "", "path": "", "content": listed}))
    return f"{url}lite/"


def described(path: Path) -> dict[str, object]:
    """A file, or folder, as JupyterLite lists it."""
    kind = "directory" if path.is_dir() else "notebook" if path.suffix == ".ipynb" else "file"
    when = "2026-01-01T00:00:00Z"
    about = {"name": path.name, "path": path.name, "type": kind, "created": when, "last_modified": when}
    return about | {"content": None, "format": None, "mimetype": None, "size": path.stat().st_size, "writable": True}


@pytest.mark.browsers
def test_jupyterlite(lite: str, page: Page, picture: Callable[[Page, str], None]) -> None:
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.goto(f"{lite}notebooks/index.html?path={NOTEBOOK}")
    page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']").wait_for(timeout=PATIENCE)  # Python is there
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    chat = page.locator(".py-wgml-chat")
    wrong = page.locator(".jp-OutputArea-output").filter(has_text="Traceback")
    chat.or_(wrong).first.wait_for(timeout=PATIENCE)
    assert not wrong.count(), (told, wrong.all_inner_texts())
    expect(page.locator(".jp-OutputArea").filter(has_text="as NumPy has it")).to_be_attached()
    expect(page.locator(".jp-RenderedMarkdown[data-mime-type='text/markdown']").last).to_have_text(SOMETHING)
    chat.get_by_label("Message").fill("Who are you?")
    chat.get_by_role("button", name="Send").click()
    expect(chat.get_by_role("button", name="Send")).to_be_hidden()
    expect(chat.get_by_role("button", name="Send")).to_be_visible(timeout=30_000)
    expect(chat.get_by_role("group", name="Answer").locator(".py-wgml-text")).to_have_text(SOMETHING)
    picture(page, "jupyterlite")
