"""The cache on the disk: one process at a time fills it, and nothing in it is half made."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from py_wgml.downloads import locked

from . import paths
from .errors import Stop, say

holders = 0  # of the lock of the cache, one within the other, in this process


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One process at a time fills the cache; others wait. (The lock is the system's: it ends with its holder.)"""
    global holders
    try:
        paths.CACHE.mkdir(parents=True, exist_ok=True)
        opened = (paths.CACHE / "lock").open("w")
    except OSError as error:
        why = error.strerror or error
        raise Stop(f"{paths.CACHE} can't be written ({why}): name a folder for it in PY_WGML_CACHE") from None
    with opened as file:
        if not holders and not locked(file):
            say("waiting for another process, which is filling the cache")
            locked(file, wait=True)
        holders += 1
        try:
            yield
        finally:
            holders -= 1


def sha256_of(path: Path) -> str:
    """The sum of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
