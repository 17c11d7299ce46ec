"""The package as it is installed, away from any checkout: the command, and the page that it makes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import tiny

from web.build import environment, paths
from web.build.brand import Brand
from web.build.errors import NETWORK, NO_TOOL, Stop
from web.build.models import given_model
from web.build.site import build

SCRIPTS = "Scripts" if paths.WINDOWS else "bin"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a fresh environment with py_wgml's wheel; what that needs it has from this one."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run(
        [*environment.pip(), "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, paths.ROOT],
        check=True,
        timeout=300,
    )
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True, timeout=100)
    [site] = (folder / "venv").rglob("site-packages")
    (site / "needs.pth").write_text(sysconfig.get_path("purelib"))
    wheel = next(folder.glob("py_wgml-*.whl"))
    python = folder / "venv" / SCRIPTS / "python"
    options = ["--quiet", "--no-deps", "--no-index", "--ignore-installed", "--disable-pip-version-check"]
    subprocess.run([python, "-m", "pip", "install", *options, wheel], check=True, timeout=100)
    return python.parent


def run(installed: Path, *arguments: str | Path, home: Path) -> subprocess.CompletedProcess[str]:
    """The command, with nothing of the checkout in sight."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [installed / "py_wgml", *arguments],
        cwd=home,
        env=environ,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
def test_the_command_needs_no_checkout(installed: Path, tmp_path: Path) -> None:
    tiny.write_tiny_llama(tmp_path / "tiny.gguf")
    told = run(installed, "--version", home=tmp_path)
    assert told.stdout.startswith(f"py_wgml {paths.project()['version']}, Python"), told.stderr
    told = run(installed, "info", "tiny.gguf", home=tmp_path)
    assert "can be run      yes" in told.stdout, told.stderr
    told = run(installed, "run", "tiny.gguf", "hi", "--choice", "yes", home=tmp_path)
    assert told.stdout == "yes\n", told.stderr


@pytest.mark.slow
def test_llm_has_its_models(installed: Path, tmp_path: Path) -> None:
    """The command of llm's, which finds plugins among what is installed."""
    tiny.write_tiny_llama(tmp_path / "tiny.gguf")
    command = [str(installed / "python"), "-m", "llm", "-m", "py_wgml", "-o", "model", "tiny.gguf"]
    environ = os.environ | {"LLM_USER_PATH": str(tmp_path)}
    done = subprocess.run(
        [*command, "-o", "max_tokens", "4", "hi"],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.slow
def test_its_page_is_that_of_the_checkout(installed: Path, tmp_path: Path) -> None:
    model = tiny.write_tiny_llama(tmp_path / "tiny.gguf")
    try:
        build([given_model(str(model))], Brand("A site", "Be odd.", "#a03020"), tmp_path / "here")
    except Stop as stop:
        if stop.code == NETWORK:
            pytest.skip(str(stop))
        raise
    brand = ["--title", "A site", "--system-prompt", "Be odd.", "--theme-colour", "#a03020"]
    told = run(installed, "site", "--model", model, "--out", "there", *brand, home=tmp_path)
    assert told.returncode == 0, told.stderr
    here, there = (
        {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (tmp_path / "here", tmp_path / "there")
    )
    assert sorted(here.keys() ^ there.keys()) == []
    assert {name for name, data in here.items() if there[name] != data} == set()
    assert len(here) > 50


@pytest.mark.parametrize("there", [True, False])
def test_the_package_that_makes_packages_is_not_build_py(there: bool, tmp_path: Path) -> None:
    """`python -m build`, asked for beside build.py."""
    if there:
        (tmp_path / "build").mkdir()
        (tmp_path / "build" / "__init__.py").touch()
        (tmp_path / "build" / "__main__.py").write_text("import sys\nprint('packages', sys.argv[1:], __name__)")
    shutil.copytree(paths.WEB / "build", tmp_path / "checkout" / "web" / "build")
    shutil.copytree(paths.PACKAGE / "downloads", tmp_path / "checkout" / "py_wgml" / "downloads")
    for name in ("__init__.py", "errors.py", "javascript.py", "reference.py"):
        shutil.copy(paths.PACKAGE / name, tmp_path / "checkout" / "py_wgml" / name)
    shutil.copy(paths.ROOT / "build.py", tmp_path / "checkout")
    done = subprocess.run(
        [sys.executable, "-S", "-m", "build", "--sdist"],
        cwd=tmp_path / "checkout",
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    if there:
        assert (done.returncode, done.stdout, done.stderr) == (0, "packages ['--sdist'] __main__\n", "")
    else:
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (NO_TOOL, "", 1), done.stderr
        assert "pip install build" in done.stderr
