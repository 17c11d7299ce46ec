"""The project's own virtual environment, and what is installed in it with pip; pip for other ends too."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

from . import paths
from .cache import alone
from .errors import MISMATCH, NETWORK, NO_TOOL, Stop, say
from .finding import install

# People's own settings of pip's that keep it from what it is asked for here, which is never to install beside them.
PIP_ENVIRONMENT = {"PIP_REQUIRE_VIRTUALENV": "0", "PIP_USER": "0"}
UV = "uv==0.9.30"
# Of pyproject.toml's, those that are installed here.
GROUPS = ("test", "browser", "docs", "release")
# What makes the pages of other hosts, in an environment of its own, and what Python installs there.
APART = ("hosts", "pyodide")
# How uv is to resolve them for Pyodide, which brings PyYAML itself, and which wheels pip takes for that.
IN_PYODIDE = ("--python-platform", "wasm32-pyodide2024", "--python-version", "3.14", "--no-emit-package", "pyyaml")
PYODIDE = ("--platform", "pyemscripten_2026_0_wasm32", "--python-version", "3.14", "--only-binary", ":all:")


def run(command: Sequence[str | Path], tool: str, check: bool = True, **options: Any) -> str:
    """The output of a command that needs the network; one line if it fails and `check` is set."""
    environment = options.pop("env", os.environ) | PIP_ENVIRONMENT
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, **options)
    if "EINTEGRITY" in done.stderr:
        raise Stop("a package from npm does not have the sum in web/package-lock.json; it was not kept", MISMATCH)
    if "DO NOT MATCH THE HASHES" in done.stderr:
        raise Stop("a package does not have the sum in tests/requirements; it was not installed", MISMATCH)
    if done.returncode and re.search("No space left|ENOSPC|Errno 28", done.stderr):
        raise Stop(f"{tool} could not install what is needed: the disk is full")
    if check and done.returncode:
        lines = [line for line in done.stderr.splitlines() if re.match("(npm )?error", line, re.IGNORECASE)]
        why = " ".join(lines[-2:]) or done.stderr.strip()[-300:]
        raise Stop(f"{tool} could not fetch what is needed, is there a network? It says: {why}", NETWORK)
    return str(done.stdout)


@functools.cache
def pip() -> tuple[str, ...]:
    """The command that runs pip: this Python's own, or one in the virtual environment that we make."""
    if importlib.util.find_spec("pip"):
        return (sys.executable, "-m", "pip")
    return (str(make_venv()), "-m", "pip")


@alone()
def make_venv() -> Path:
    """The Python of the project's own virtual environment, made if need be."""
    python = paths.VENV / ("Scripts/python.exe" if paths.WINDOWS else "bin/python")
    # One that an interrupted run left, or whose Python has been replaced by another version, is made anew.
    there = paths.INSTALLED.exists() and python.exists()
    whole = there and not subprocess.call([python, "-c", "import pip"], stderr=DEVNULL)
    if not whole:
        have_ensurepip()
        command: list[str | Path] = [sys.executable, "-m", "venv", "--clear", paths.VENV]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            shutil.rmtree(paths.VENV, ignore_errors=True)
            said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
            raise Stop(f"{paths.VENV} can't be made: {said[-1] if said else done.returncode}")
        paths.INSTALLED.write_text("[]", encoding="utf-8")
    return python


def have_ensurepip() -> None:
    """Stop where Python lacks what makes virtual environments; a Debian has it in a package, to be installed now."""

    def lacking() -> bool:
        importlib.invalidate_caches()
        return not all(map(importlib.util.find_spec, ("venv", "ensurepip")))

    if lacking():
        install("python3-venv")
        if lacking():
            raise Stop("this Python has no venv or no pip (on Debian: apt install python3-venv)", NO_TOOL)


def in_venv(group: str) -> None:
    """Go on in the project's virtual environment, with what tests/requirements/GROUP.txt pins installed there."""
    is_there = paths.VENV.exists() and paths.VENV.samefile(sys.prefix)
    python = Path(sys.executable) if is_there else make_venv()
    pins = paths.REQUIREMENTS / f"{group}.txt"
    wanted = set(re.findall(r"^[a-z].*==\S+", pins.read_text(encoding="utf-8"), re.MULTILINE))
    with alone():
        installed = set(json.loads(paths.INSTALLED.read_text(encoding="utf-8")))
        if not wanted <= installed:
            say(f"installing {len(wanted)} packages of the group {group} in {paths.VENV}")
            run([python, "-m", "pip", "install", *_pinned(group)], "pip")
            paths.INSTALLED.write_text(json.dumps(sorted(wanted | installed)), encoding="utf-8")
    if not is_there:
        sys.exit(subprocess.call([python, *sys.argv]))
    importlib.invalidate_caches()


def apart() -> Path:
    """The folder of programs of an environment that has the group hosts alone: the packages of hosts want others than
    the project's own do."""

    def fill(folder: Path) -> None:
        run([sys.executable, "-m", "venv", folder], "venv")
        python = folder / ("Scripts/python.exe" if paths.WINDOWS else "bin/python")
        run([python, "-m", "pip", "install", *_pinned("hosts")], "pip")

    return _once("hosts", fill) / ("Scripts" if paths.WINDOWS else "bin")


def wheels() -> Path:
    """The folder with the wheels of the group pyodide, as Pyodide takes them."""

    def fill(folder: Path) -> None:
        run([*pip(), "download", *_pinned("pyodide"), *PYODIDE, "--dest", folder], "pip")

    return _once("pyodide", fill)


def _pinned(group: str) -> list[str | Path]:
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
    return [*options, "--requirement", paths.REQUIREMENTS / f"{group}.txt"]


def _once(group: str, fill: Callable[[Path], None]) -> Path:
    """A folder of the cache, filled anew when the group's pins are others than those it was filled with."""
    folder = paths.CACHE / group
    pins = (paths.REQUIREMENTS / f"{group}.txt").read_text(encoding="utf-8")
    done = folder / "pins.txt"  # written last, so that without it nothing is whole
    with alone():
        if not done.exists() or done.read_text(encoding="utf-8") != pins:
            say(f"fetching the packages of the group {group}")
            shutil.rmtree(folder, ignore_errors=True)
            fill(folder)
            done.write_text(pins, encoding="utf-8")
    return folder


def lock_requirements() -> None:
    """Pin the dependency groups of pyproject.toml, and all that they need, with the sums of every file pip may take.

    uv does that for all systems and Pythons at once, which pip can't.
    """
    with tempfile.TemporaryDirectory() as space:
        python = Path(space, "Scripts/python.exe" if paths.WINDOWS else "bin/python")
        run([sys.executable, "-m", "venv", space], "venv")
        run([python, "-m", "pip", "install", "--quiet", UV], "pip")
        index = run([python, "-m", "pip", "config", "get", "global.index-url"], "pip", check=False).strip()
        environment = os.environ | ({"UV_DEFAULT_INDEX": index} if index else {})
        options = ["--generate-hashes", "--no-annotate", "--no-header", "--no-emit-index-url", "--upgrade", "--quiet"]
        options += ["--no-python-downloads"]
        everywhere = ["--universal", "--python-version", paths.project()["requires-python"].removeprefix(">=")]
        pins: list[str | Path] = []
        for group in (*GROUPS, *APART):
            out = paths.REQUIREMENTS / f"{group}.txt"
            where = IN_PYODIDE if group == "pyodide" else everywhere
            command: list[str | Path] = [python, "-m", "uv", "pip", "compile", *options, *where]
            command += pins if group in GROUPS else []  # each gets the versions of those before it
            run([*command, "--group", group, "--output-file", out], "uv", cwd=paths.ROOT, env=environment)
            pins += ["--constraints", out]
