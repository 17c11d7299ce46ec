"""The command line: one line on stderr and the documented exit code when something is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.parse
from pathlib import Path

import pytest

from web.build import paths, serving
from web.build.errors import NETWORK, NO_PORT, NO_TOOL, USAGE


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, paths.ROOT / "build.py", *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_help_names_every_command() -> None:
    done = run("--help")
    assert done.returncode == 0
    for command in ("serve", "build", "chat", "bench", "screenshots", "audit", "test", "fuzz", "check", "lock"):
        assert f"\n    {command}" in done.stdout


@pytest.mark.parametrize("arguments", [[], ["sing"], ["build", "--colour", "red"], ["serve", "--port", "x"], ["chat"]])
def test_wrong_usage(arguments: list[str]) -> None:
    assert run(*arguments).returncode == USAGE


def test_port_taken(tmp_path: Path) -> None:
    with serving.serving(tmp_path) as url:
        done = run("serve", "--port", str(urllib.parse.urlsplit(url).port))
    assert (done.returncode, len(done.stderr.splitlines())) == (NO_PORT, 1), done.stderr


def test_no_network(tmp_path: Path) -> None:
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""}
    done = run("build", "--out", str(tmp_path / "dist"), PY_WGML_CACHE=str(tmp_path / "cache"), **nowhere)
    assert done.returncode == NETWORK, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "dist").exists()


def test_missing_model(tmp_path: Path) -> None:
    done = run("build", "--model", str(tmp_path / "none.gguf"))
    assert (done.returncode, done.stderr) == (USAGE, f"build.py: {tmp_path / 'none.gguf'}: no such file\n")


@pytest.mark.parametrize("options", [["--theme-colour", "blue"], ["--split", "0"]])
def test_wrong_brand(options: list[str], tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").write_bytes(b"GGUF")
    done = run("build", "--model", str(tmp_path / "tiny.gguf"), *options)
    assert (done.returncode, len(done.stderr.splitlines())) == (USAGE, 1), done.stderr


def test_old_python_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    source = (paths.ROOT / "build.py").read_text()
    monkeypatch.setattr(sys, "version_info", (3, 10, 0))
    with pytest.raises(SystemExit) as end:
        exec(compile(source, "build.py", "exec"), {"__name__": "__main__"})
    assert end.value.code == NO_TOOL
    assert "needs Python 3.11" in capsys.readouterr().err
