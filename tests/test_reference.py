"""Names of models: one table for Python, for build.py (which takes the same lines) and for the page (tests/page)."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from py_wgml.reference import address_of
from web.build import paths

CASES: dict[str, str | None] = dict(json.loads((Path(__file__).parent / "data" / "references.json").read_text()))


@pytest.mark.parametrize("reference", CASES)
def test_python(reference: str) -> None:
    assert address_of(reference) == CASES[reference]


def test_it_needs_no_package() -> None:
    """As build.py takes it, on a machine that has nothing."""
    lines = ["import sys", "sys.path.insert(0, sys.argv[1])", "from py_wgml.reference import address_of"]
    code = "; ".join([*lines, "print(address_of('a/b/c.gguf'))"])
    command = [sys.executable, "-I", "-S", "-c", code, str(paths.ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("https://huggingface.co/a/b/resolve/main/c.gguf\n", "")
