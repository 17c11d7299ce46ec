"""A release: what a package's page says, what is in the packages, what is left to do."""

from __future__ import annotations

import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from web.build import paths, release
from web.build.errors import Stop


@pytest.fixture
def standalone(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], str]:
    """Of web/build/readme.py, which is Hatchling's to run: a double of what it takes from there."""
    for name in ("hatchling", "hatchling.metadata", "hatchling.metadata.plugin"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    interface = ModuleType("hatchling.metadata.plugin.interface")
    interface.__dict__["MetadataHookInterface"] = object
    monkeypatch.setitem(sys.modules, interface.__name__, interface)
    found: Callable[[str, str], str] = runpy.run_path(str(paths.WEB / "build/readme.py"))["standalone"]
    return found


@pytest.mark.parametrize(
    ("text", "alone", "led"),
    [
        ("see [the page](docs/page.md#top).", "see the page.", "see [the page](https://x.org/docs/page.md#top)."),
        ("![A chat](docs/chat.png)", "", "![A chat](https://x.org/docs/chat.png)"),
        ("[`llama.py`](a/llama.py), [b](b.md)", "`llama.py`, b", "[`llama.py`](https://x.org/a/llama.py), [b](https://x.org/b.md)"),
        ("[Pyodide](https://pyodide.org) [up](#top)", None, None),
    ],
)  # fmt: skip
def test_links(standalone: Callable[[str, str], str], text: str, alone: str | None, led: str | None) -> None:
    assert standalone(text, "") == (text if alone is None else alone)
    assert standalone(text, "https://x.org/") == (text if led is None else led)


def test_the_readme_leads_to_addresses_alone(standalone: Callable[[str, str], str]) -> None:
    text = (paths.ROOT / "README.md").read_text()
    links = re.compile(r"\]\(((?!#)[^)]*)\)")
    assert any("://" not in link for link in links.findall(text))
    assert all("://" in link for link in links.findall(standalone(text, "")))


def test_files_of_the_wheel() -> None:
    names = set(release.expected_in_wheel())
    assert {"py_wgml/model.py", "py_wgml/py.typed", "py_wgml/_wgsl/gemm.wgsl", "py_wgml/_web/worker/gpu.js"} <= names
    assert not any(name.endswith(".pyc") for name in names)
    release.told("wheel", names, names)
    with pytest.raises(Stop, match=r"^the wheel lacks py_wgml/py\.typed$"):
        release.told("wheel", names - {"py_wgml/py.typed"}, names)
    with pytest.raises(Stop, match=r"^the wheel has, though nobody asked for it, notes\.txt$"):
        release.told("wheel", names | {"notes.txt"}, names)


def test_builds_that_differ(tmp_path: Path) -> None:
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same").write_text("a")
    release.compare(tmp_path / "one", tmp_path / "other")
    (tmp_path / "other/same").write_text("b")
    with pytest.raises(Stop, match=r"same is not the same when it is built once more"):
        release.compare(tmp_path / "one", tmp_path / "other")


def test_what_is_left_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    version = paths.project()["version"]
    said = {"status": " M README.md", "tag": f"v{version}"}
    monkeypatch.setattr(release, "git", lambda command, *rest: said[command])
    text = release.remaining(Path("out"), "p.tar.gz", "p.whl")
    assert (
        "1. commit what" in text and "another version" in text and text.endswith("twine upload out/p.tar.gz out/p.whl")
    )
    said = {"status": "", "tag": ""}
    text = release.remaining(Path("out"), "p.tar.gz", "p.whl")
    assert "commit what" not in text and f"git tag --sign v{version}" in text
