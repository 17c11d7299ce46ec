"""The formatter, the linter, the type checkers, the tests and the fuzzer, each with all that it needs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from . import paths
from .brand import Brand
from .environment import in_venv
from .errors import NETWORK, Stop, say
from .finding import find_chromium, find_firefox, software_vulkan
from .models import default_model
from .pins import node, node_modules
from .site import build

SCRIPTS = ("web/*.js", "web/{page,worker,shared,sandbox,build}/**/*.{js,mjs,css}", "py_wgml/notebook/*.js")


def check() -> None:
    """Run the linter, the formatter and the type checkers; ends the process with the code of the first that
    complains."""
    in_venv("test")
    node_modules(paths.WEB)
    program, _ = node()
    python = [sys.executable, "-m"]
    tsc, prettier = (paths.WEB / "node_modules" / name for name in ("typescript/bin/tsc", "prettier/bin/prettier.cjs"))
    tools: list[list[str | Path]] = [
        [*python, "ruff", "check"],
        [*python, "ruff", "format", "--check"],
        [*python, "mypy"],
        [program, prettier, "--print-width", "120", "--log-level", "warn", "--check", *SCRIPTS],
        [program, tsc, "--noEmit", "--project", paths.WEB / "page"],
        [program, tsc, "--noEmit", "--project", paths.WEB / "worker"],
    ]
    for tool in tools:
        if code := subprocess.call(tool, cwd=paths.ROOT):
            sys.exit(code)


def test(extent: Literal["quick", "usual", "thorough"], options: Sequence[str]) -> None:
    """Check the sources, then run pytest with its own `options`; ends the process with pytest's code.

    extent: without the tests marked slow; without those marked thorough; all.
    """
    check()
    environment = dict(os.environ)
    software_vulkan()
    environment["CHROME_BIN"] = find_chromium()
    if firefox := find_firefox():
        environment["FIREFOX_BIN"] = firefox
    else:
        say("no Firefox on this machine: its tests are skipped")
    fill_caches()
    # Several processes, each with groups of tests (tests/conftest.py) in the order they are found in.
    chosen = ["-n", "auto", "--maxprocesses", "4", "--dist", "loadgroup", "--no-loadscope-reorder"]
    chosen += {"quick": ["-m", "not slow"], "usual": ["-m", "not thorough"], "thorough": []}[extent]
    sys.exit(subprocess.call([sys.executable, "-m", "pytest", *chosen, *options], cwd=paths.ROOT, env=environment))


def fill_caches() -> None:
    """Have all that the sites of tests are made of: processes that fetch the same would be in each other's way."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            build([default_model()], Brand(), Path(folder) / "dist")
    except Stop as stop:
        if stop.code != NETWORK:
            raise
        say(f"{stop}: what needs it is skipped")


def fuzz(options: Sequence[str]) -> None:
    """Run the fuzzer of tests/fuzz with its own `options`; ends the process with its code."""
    in_venv("test")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(paths.ROOT), str(paths.ROOT / "tests")])}
    sys.exit(subprocess.call([sys.executable, "-m", "fuzz", *options], cwd=paths.ROOT, env=environment))
