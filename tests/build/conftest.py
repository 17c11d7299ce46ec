"""Fixtures of the build's tests."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from web.build import models, pins
from web.build.brand import Brand
from web.build.errors import NETWORK, Stop
from web.build.site import build


@pytest.fixture(scope="session")
def in_pyodide(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """`in_pyodide(program)` runs Python in a built site's Pyodide under Node.js, and gives back what its variable
    `answer` holds then, a text of JSON."""
    folder = tmp_path_factory.mktemp("pyodide")
    (folder / "tiny.gguf").write_bytes(b"GGUF" + bytes(60))
    try:
        build([models.given_model(str(folder / "tiny.gguf"))], Brand(), folder / "dist")
        node, _ = pins.node()
    except Stop as stop:
        if stop.code == NETWORK:
            pytest.skip(str(stop))
        raise

    def run(program: str) -> Any:
        expression = f"exec({program!r}, globals()) or answer"
        command: list[str | Path] = [node, Path(__file__).with_name("start.mjs"), folder / "dist", expression]
        done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
        return json.loads(done.stdout)

    return run
