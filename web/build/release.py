"""A release: both packages built so that anyone gets the same bytes, checked, and installed on each Python at hand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from . import paths
from .errors import FAILED, NETWORK, Stop, say

# The ops on this machine's GPU, or on a software adapter; without either, the library as far as it goes.
TRIAL = """
import asyncio, importlib.metadata, numpy, py_wgml
from py_wgml.gpu import open_device
from py_wgml.ops import View, gemm

async def main():
    try:
        device = await open_device()
    except py_wgml.WgmlError as error:
        print("no adapter:", error)
        return
    a, b = (device.upload(numpy.random.rand(64, 64).astype("float32")) for _ in "ab")
    product, program = device.buffer(4 * 64 * 64), device.program()
    gemm(program, View.of(a, 64, 64), View.of(b, 64, 64), View.of(product, 64, 64))
    await device.compiled()
    program.run()
    made = [await device.read_array(buffer, (64, 64)) for buffer in (a, b, product)]
    numpy.testing.assert_allclose(made[0] @ made[1], made[2], rtol=1e-4)
    print("a product is right on", device.info.device or device.info.description)

print(importlib.metadata.version("py_wgml"))
asyncio.run(main())
"""


def make(out: Path, install: bool) -> str:
    """Both packages in the folder `out`, which is made anew. Returns what is left for a person to do.

    install: try them on every Python at hand too. Raises Stop at the first thing that is wrong.
    """
    with tempfile.TemporaryDirectory() as space:
        first, second = Path(space, "first"), Path(space, "second")
        for folder in (first, second):
            build(folder)
        compare(first, second)
        sdist, wheel = sorted(first.iterdir(), key=lambda path: path.suffix)  # .gz, .whl
        step("twine", "check", "--strict", sdist, wheel)
        step("check_wheel_contents", wheel)
        check_wheel(wheel)
        check_sdist(sdist)
        if install:
            for python in pythons():
                try_on(python, wheel)
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(first, out)
    return remaining(out, sdist.name, wheel.name)


def build(folder: Path) -> None:
    """The packages in `folder`, the wheel from what the sdist holds; their times are the last commit's."""
    say("building both packages")
    environment = os.environ | {"SOURCE_DATE_EPOCH": epoch()}
    # From elsewhere: here `-m build` would be build.py.
    step("build", "--no-isolation", "--outdir", folder, paths.ROOT, environment=environment)


def epoch() -> str:
    """The time that packages are to be of: $SOURCE_DATE_EPOCH, the last commit's, or the first of an archive's."""
    told = os.environ.get("SOURCE_DATE_EPOCH") or git("log", "-1", "--format=%ct")
    return told or "315532800"


def git(*arguments: str) -> str:
    """What git says of the sources; "" where it has nothing to say, as of those of an sdist."""
    try:
        command = ["git", "-C", str(paths.ROOT), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def step(tool: str, *arguments: str | Path, environment: dict[str, str] | None = None) -> None:
    """Run a tool's module in a folder without sources. Raises Stop with its last lines when it complains."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", tool, *map(str, arguments)]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Stop(f"{tool} complains: " + "\n".join((done.stdout + done.stderr).strip().splitlines()[-20:]))


def compare(first: Path, second: Path) -> None:
    """Two builds of the same. Raises Stop where a byte differs."""
    for one in first.iterdir():
        if one.read_bytes() != (second / one.name).read_bytes():
            raise Stop(f"{one.name} is not the same when it is built once more")


def check_wheel(wheel: Path) -> None:
    """Raises Stop when a file of the sources is not in the wheel, or one is in it that is none of them."""
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if ".dist-info/" not in name}
    told("wheel", inside, set(expected_in_wheel()))


def expected_in_wheel() -> Iterator[str]:
    """By pyproject.toml: the package, and the files and folders that are put into it."""
    told = tomllib.loads((paths.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    table = told["tool"]["hatch"]["build"]["targets"]["wheel"]
    places = {name: table["sources"].get(name, name) for name in table["only-include"]} | table["force-include"]
    for source, target in places.items():
        path = paths.ROOT / source
        for name in sources(path) if path.is_dir() else [Path()]:
            yield (Path(target) / name).as_posix()


def check_sdist(sdist: Path) -> None:
    """Raises Stop when the sdist lacks a file that git does not ignore, but for what serves the repository alone, or
    has others."""
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()} - {"PKG-INFO"}
    if kept := git("ls-files", "--cached", "--others", "--exclude-standard"):
        told("sdist", inside, {name for name in kept.splitlines() if not name.startswith((".ci/", ".pre-commit"))})


def told(what: str, inside: set[str], wanted: set[str]) -> None:
    """Raises Stop with the names of files that are missing or too many."""
    for fault, names in (("lacks", wanted - inside), ("has, though nobody asked for it,", inside - wanted)):
        if names:
            raise Stop(f"the {what} {fault} {', '.join(sorted(names)[:10])}")


def sources(folder: Path) -> Iterator[Path]:
    """The files below a folder, but for what Python and tools leave there."""
    for path in folder.rglob("*"):
        if path.is_file() and not {"__pycache__", "node_modules"} & set(path.parts):
            yield path.relative_to(folder)


def pythons() -> Iterator[str]:
    """The Pythons of this machine that the package is for, one of each version; pyenv's and uv's too."""
    oldest = int(paths.project()["requires-python"].rpartition(".")[2])
    for minor in range(oldest, oldest + 9):
        name = f"python3.{minor}"
        homes = [Path.home() / ".pyenv/versions", Path.home() / ".local/share/uv/python"]
        found = [str(path) for home in homes for path in sorted(home.glob(f"*/bin/{name}"))]
        if python := next(filter(works, filter(None, [shutil.which(name), *found])), None):
            yield python


def works(python: str) -> bool:
    """Whether it starts and can make environments (a shim of pyenv's may lead to none)."""
    command = [python, "-c", "import ensurepip, venv"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def try_on(python: str, wheel: Path) -> None:
    """Install the wheel, with what runs it natively, in a fresh environment of `python`, and use it there."""
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder, "Scripts/python.exe" if paths.WINDOWS else "bin/python")
        script = Path(folder, "trial.py")
        script.write_text(TRIAL, encoding="utf-8")
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"{wheel}[native]"]
        run_or_stop([python, "-m", "venv", folder], folder, FAILED)
        run_or_stop([own, *install], folder, NETWORK)
        say(f"{python}: {'; '.join(run_or_stop([own, '-I', script], folder, FAILED).splitlines())}")


def run_or_stop(command: Sequence[str | Path], folder: str, code: int) -> str:
    """What a command writes. Raises Stop with its last line and `code` when it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Stop(f"{' '.join(map(str, command[:4]))}: {(done.stderr or done.stdout).strip()[-500:]}", code)
    return done.stdout


def remaining(out: Path, sdist: str, wheel: str) -> str:
    """What a person does then, by what is not done yet."""
    version = paths.project()["version"]
    steps = []
    if git("status", "--porcelain"):
        steps.append("commit what is not committed, and make the release again")
    if not re.search(
        rf"^## {re.escape(version)} ", (paths.ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    ):
        steps.append(f"name the version and the day in CHANGELOG.md: `## {version} - YEAR-MONTH-DAY` below Unreleased")
    if git("tag", "--list", f"v{version}"):
        steps.append(f"give pyproject.toml another version: v{version} is out")
    steps += [f"git tag --sign v{version} && git push origin v{version}", f"twine upload {out / sdist} {out / wheel}"]
    return "\n".join(["To be done by a person:", *(f"{number}. {text}" for number, text in enumerate(steps, 1))])
