"""The virtual environment that build.py makes for itself, and the lock under which the cache is filled."""

from __future__ import annotations

import errno
import importlib.util
import itertools
import json
import os
import re
import selectors
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from web.build import environment, paths, pins, site
from web.build.cache import alone, fresh_folder
from web.build.errors import FAILED, MISMATCH, NO_TOOL, USAGE, Stop

SUM = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def packages(group: str) -> dict[str, int]:
    """What a file of tests/requirements pins -> how many files of it pip may take."""
    text = (paths.REQUIREMENTS / f"{group}.txt").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {line.split("==")[0]: len(SUM.findall(line)) for line in lines}


def wanted(group: str) -> Iterator[str]:
    """The requirements of a dependency group of pyproject.toml, those that it includes too (PEP 735)."""
    groups = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["dependency-groups"]
    for item in groups[group]:
        if isinstance(item, str):
            yield item
        else:
            yield from wanted(item["include-group"])


@pytest.mark.parametrize("group", [*environment.GROUPS, *environment.APART])
def test_every_package_is_pinned_with_its_sums(group: str) -> None:
    pinned = packages(group)
    assert all(pinned.values())
    text = (paths.REQUIREMENTS / f"{group}.txt").read_text()
    assert "://" not in text  # pip knows where packages come from
    for requirement in wanted(group):
        name, _, version = re.split("[;#]", requirement)[0].strip().partition("==")
        assert pins.normal(name.split(">")[0]) in pinned
        assert not version or f"{name}=={version} " in text


def test_what_groups_share_has_one_version() -> None:
    texts = [(paths.REQUIREMENTS / f"{group}.txt").read_text() for group in environment.GROUPS]
    pinned = [dict(re.findall(r"^([a-z][\w.-]*)==(\S+) \\$", text, re.MULTILINE)) for text in texts]
    assert len(pinned[1]) > 0 and pinned[1].items() <= pinned[0].items()  # what drives browsers is of the tests
    for one, other in itertools.combinations(pinned, 2):
        shared = one.keys() & other.keys()
        assert {name: one[name] for name in shared} == {name: other[name] for name in shared}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own with a space in its name."""
    folder = tmp_path / "a cache"
    monkeypatch.setattr(paths, "CACHE", folder)
    monkeypatch.setattr(paths, "VENV", folder / "venv")
    monkeypatch.setattr(paths, "INSTALLED", folder / "venv" / "installed.json")
    return folder


@pytest.mark.slow
def test_an_environment_that_was_not_finished_is_made_anew(cache: Path) -> None:
    python = environment.make_venv()
    assert subprocess.call([python, "-c", "import pip"]) == 0
    made = python.lstat().st_ino
    assert environment.make_venv().lstat().st_ino == made
    paths.INSTALLED.unlink()  # written last: an interrupted run has none
    (paths.VENV / "left over").touch()
    environment.make_venv()
    assert not (paths.VENV / "left over").exists()
    paths.INSTALLED.write_text(json.dumps(["thing==1"]))
    for pip in paths.VENV.rglob("site-packages/pip"):
        pip.rename(pip.with_name("gone"))  # as when another version of Python has taken the place of the one before
    environment.make_venv()
    assert json.loads(paths.INSTALLED.read_text()) == []


def test_a_package_with_another_sum_is_not_installed(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pins").mkdir()
    wheel = tmp_path / "thing-1-py3-none-any.whl"
    wheel.write_bytes(site.own_wheel())
    (tmp_path / "pins" / "test.txt").write_text(f"thing==1 --hash=sha256:{'0' * 64}\n")
    monkeypatch.setattr(paths, "REQUIREMENTS", tmp_path / "pins")
    monkeypatch.setattr(environment, "make_venv", lambda: Path(sys.executable))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    (cache / "venv").mkdir(parents=True)
    paths.INSTALLED.write_text("[]")
    with pytest.raises(Stop, match="does not have the sum") as stop:
        environment.in_venv("test")
    assert stop.value.code == MISMATCH
    assert paths.INSTALLED.read_text() == "[]"


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_a_folder_that_cannot_be_written(
    number: int, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(Stop, match="name a folder for it in PY_WGML_CACHE") as stop, alone():
        pass
    assert (stop.value.code, os.strerror(number) in str(stop.value)) == (FAILED, True)
    with pytest.raises(Stop, match="--out names another place"), fresh_folder(tmp_path / "dist"):
        pass


def test_the_cache_is_a_file(cache: Path) -> None:
    cache.touch()
    with pytest.raises(Stop, match="PY_WGML_CACHE"), alone():
        pass


def test_where_files_have_no_locks_nobody_waits(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = pytest.importorskip("fcntl")

    def refuse(*_: Any) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with alone(), alone():
        pass


@pytest.mark.parametrize(
    ("missing", "told", "code"),
    [("ensurepip", "no venv or no pip", NO_TOOL), ("venv", "no venv or no pip", NO_TOOL), ("", "made", 1)],
)
def test_a_python_that_makes_no_environment(
    missing: str, told: str, code: int, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else real(name))
    asked: list[str] = []
    monkeypatch.setattr(environment, "install", asked.append)
    monkeypatch.setattr(sys, "executable", "false" if os.name != "nt" else "where")
    with pytest.raises(Stop, match=told) as stop:
        environment.make_venv()
    assert (stop.value.code, "\n" in str(stop.value)) == (code, False)
    assert not paths.VENV.exists()
    assert asked == (["python3-venv"] if missing else [])


def test_debians_package_brings_what_makes_an_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    real, have = importlib.util.find_spec, ["venv"]
    known = ("venv", "ensurepip")
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: real(name) if name in have or name not in known else None
    )
    monkeypatch.setattr(environment, "install", lambda package: have.append("ensurepip"))
    environment.have_ensurepip()
    assert have == ["venv", "ensurepip"]


def test_a_full_disk_while_packages_are_installed() -> None:
    code = "import sys; sys.exit('ERROR: Could not install: [Errno 28] No space left on device')"
    with pytest.raises(Stop, match="the disk is full") as stop:
        environment.run([sys.executable, "-c", code], "pip")
    assert stop.value.code == FAILED


@pytest.mark.slow
def test_the_command_line_from_elsewhere(tmp_path: Path) -> None:
    """A clone whose name has spaces, reached by a link, in an environment that has next to nothing."""
    (tmp_path / "a clone").symlink_to(paths.ROOT)
    variables = {"PATH": os.defpath, "PYTHONSAFEPATH": "1", "PIP_REQUIRE_VIRTUALENV": "1"}
    command: list[str | Path] = [sys.executable, tmp_path / "a clone" / "build.py", "build", "--model", "none.gguf"]
    done = subprocess.run(command, env=variables, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (USAGE, "build.py: none.gguf: no such file\n")


def test_one_process_fills_the_cache_and_others_wait(cache: Path) -> None:
    code = f"""
import pathlib, sys
sys.path.insert(0, {str(paths.ROOT)!r})
from web.build import paths
from web.build.cache import alone
paths.CACHE = pathlib.Path({str(cache)!r})
with alone(), alone():
    print("in", flush=True)
    sys.stdin.readline()
"""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    first, second = (subprocess.Popen([sys.executable, "-c", code], **pipes) for _ in range(2))  # type: ignore[call-overload]
    both = [first, second]
    try:
        # Whichever comes second says that it waits, and goes in when the first has gone, however that ended.
        with selectors.DefaultSelector() as ready:
            for process in both:
                ready.register(process.stdout, selectors.EVENT_READ, process)
            holder = ready.select(60)[0][0].data
        waiter = both[1 - both.index(holder)]
        assert holder.stdout.readline() == "in\n"
        assert waiter.stderr.readline() == "waiting for another process, which is filling the cache\n"
        holder.kill()
        assert waiter.stdout.readline() == "in\n"
    finally:
        for process in both:
            process.kill()
            process.communicate()
