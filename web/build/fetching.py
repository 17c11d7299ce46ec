"""Downloads that go on where they broke off, over whatever the network is like here."""

from __future__ import annotations

import contextlib
import functools
import http.client
import os
import re
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from py_wgml import downloads
from py_wgml.downloads import NetworkError
from py_wgml.errors import WgmlError

from .environment import pip, run
from .errors import NETWORK, USAGE, Stop, say

SENT = re.compile("bytes ([0-9]{1,18})-")  # a Content-Range


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
    try:
        return downloads.passing(error)
    except NetworkError as final:
        raise Stop(f"{label}: {final}", NETWORK) from None
    except WgmlError as wrong:
        raise Stop(f"{label}: {wrong}", USAGE) from None


def transfer(url: str, target: Path, label: str, start: int, have: int, length: int | None) -> int | None:
    """One request of `download`. Returns how many bytes the target should have in the end, None if nobody knows."""
    first, last = start + have, "" if length is None else start + length - 1
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={first}-{last}"} if first or length else {})
    if have and version_of(target).exists() and (version := version_of(target).read_text(encoding="utf-8")):
        headers["If-Range"] = version
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=tls()), downloads.Redirects)
    with opener.open(urllib.request.Request(url, headers=headers), timeout=60) as answer:
        total, skip = length, 0
        if answer.status != 206:  # the whole, though we asked for a range
            skip, have = start, 0
        elif (sent := SENT.match(answer.headers.get("Content-Range", ""))) and int(sent[1]) != first:
            raise http.client.HTTPException("the server sends another part than it was asked for")
        size = re.fullmatch("[0-9]{1,18}", answer.headers.get("Content-Length", ""))
        if total is None and size:
            total = have + int(size[0])
        tag, date = answer.headers.get("ETag", ""), answer.headers.get("Last-Modified", "")
        version = tag if tag.startswith('"') else date
        with progress(label, total) as show, written(target, have > 0, version, label) as write:
            while skip and (chunk := answer.read(min(skip, 1 << 18))):
                skip -= len(chunk)
            while total is None or have < total:
                chunk = answer.read(1 << 18 if total is None else min(1 << 18, total - have))
                if not chunk:
                    break
                write(chunk)
                have += len(chunk)
                show(have)
    return total


@contextlib.contextmanager
def written(target: Path, appending: bool, version: str, label: str) -> Iterator[Callable[[bytes], None]]:
    """A file to write to, behind what it has where `appending` is set. What goes wrong with it, a full disk say, ends
    the download: it is no trouble of the network's."""

    def told(act: Callable[[], Any]) -> Any:
        try:
            return act()
        except OSError as error:
            raise Stop(f"{label}: {target} can't be written: {error.strerror or error}") from None

    told(lambda: version_of(target).write_text(version, encoding="utf-8"))
    file = told(lambda: target.open("ab" if appending else "wb"))

    def write(chunk: bytes) -> None:
        told(lambda: (file.write(chunk), file.flush()))

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
            while chunk := source.read(1 << 18):
                target.write(engine.decompress(chunk))
            target.write(engine.flush())
    except zlib.error:
        pass  # what there is of it will not have the right sum
    out.replace(path)
