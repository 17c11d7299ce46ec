"""The documentation's site, as `build.py docs` makes it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import py_wgml
from web.build import paths
from web.build.docs import REFERENCE, offered
from web.build.errors import NETWORK


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its folder. MkDocs is told to be strict: a link that leads nowhere is an error."""
    out = tmp_path_factory.mktemp("docs") / "site"
    command = [sys.executable, str(paths.ROOT / "build.py"), "docs", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == NETWORK:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stderr
    return out


@pytest.mark.slow
def test_every_public_name_is_in_the_reference(pages: Path) -> None:
    names = {title: [*offered(paths.ROOT / module)] for title, module in REFERENCE.items()}
    assert {name.rpartition(".")[2] for name in names["py_wgml"]} == {n for n in py_wgml.__all__ if n[0] != "_"}
    for title, wanted in names.items():
        text = (pages / "reference" / title / "index.html").read_text()
        assert len(wanted) > 5 and [name for name in wanted if f'id="{name}"' not in text] == []


@pytest.mark.slow
def test_arguments_stand_out(pages: Path) -> None:
    text = (pages / "reference/py_wgml/index.html").read_text()
    assert "<strong>device</strong>: default the GPU of this machine" in text
    assert 'id="py_wgml.Options.temperature"' in text and 'id="py_wgml.Usage.completion_tokens"' in text


@pytest.mark.slow
def test_nothing_comes_from_elsewhere(pages: Path) -> None:
    """What a browser fetches by itself lies in the folder; a link may lead away."""
    found = 0
    for page in pages.rglob("index.html"):
        text = page.read_text()
        fetched = re.findall(r'<(?:script|img|iframe|source)\b[^>]*\bsrc="([^"]+)"', text)
        fetched += re.findall(r'<link\b(?=[^>]*rel="(?:stylesheet|icon|preconnect)")[^>]*\bhref="([^"]+)"', text)
        found += len(fetched)
        for address in fetched:
            assert not re.match(r"\w+:|//", address), (page, address)
            assert (page.parent / address.partition("?")[0]).exists(), (page, address)
    assert found > 100


@pytest.mark.slow
def test_the_search_knows_the_pages_and_not_the_sources(pages: Path) -> None:
    index = json.loads((pages / "search/search_index.json").read_text())
    places = {entry["location"].partition("#")[0] for entry in index["docs"]}
    assert {"", "docs/python/", "docs/families/", "reference/ops/", "CONTRIBUTING/"} <= places
    assert (pages / "py_wgml/models/llama.py/index.html").exists() and "py_wgml/models/llama.py/" not in places
