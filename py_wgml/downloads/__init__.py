"""Files of other machines: read as they come, gone on with where the connection broke, and kept.

The hub's own library gives files only when they are whole, and so can't refuse a model by its header, nor let weights
go to the GPU as they come. Standard library only: build.py takes this before anything is installed.
"""

import contextlib
import errno
import hashlib
import io
import logging
import os
import re
import ssl
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import WgmlError, shown
from .folders import Shelf, file_name, hub_folder, is_set
from .hub import find_address, kept_models
from .remote import ADDRESS, PIECE, TRIES, NetworkError, Redirects, Remote, Unreachable, passing

__all__ = [
    "Download", "NetworkError", "Redirects", "Remote", "Shelf", "Showing", "Unreachable", "fetch", "file_name",
    "find_address", "hub_folder", "kept_models", "locked", "open_url", "passing",
]  # fmt: skip

_SUM = re.compile("[0-9a-f]{64}")
_log = logging.getLogger("py_wgml")


class Download(io.RawIOBase):
    """A file of another machine, kept as it is read: `finish` reads the rest of it, and `path` is where it lies then.

    What an earlier run has of it comes from the disk. A disk that is full or can't be written ends the keeping, not the
    reading. Raises as `Remote` does, and NetworkError where the sum of all is not the one that the hub tells.
    """

    def __init__(self, remote: Remote, shelf: Shelf) -> None:
        super().__init__()
        self._remote, self._shelf = remote, shelf
        self.path: Path | None = None
        self._sum = hashlib.sha256()
        self._position = 0
        self._file: BinaryIO | None = None
        self._part = shelf.blob(remote).with_suffix(".py_wgml")
        with self._keeping():
            self._part.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._part.open("a+b")
            self._file.seek(0)
            # Of no known version, or another process fetches it, or just had it whole: this has a copy of its own.
            same = bool(remote.version) and locked(self._file)
            if not same or not os.path.samestat(os.fstat(self._file.fileno()), os.stat(self._part)):
                self._file.close()
                handle, name = tempfile.mkstemp(".py_wgml", "part-", self._part.parent)
                self._file, self._part = os.fdopen(handle, "w+b"), Path(name)

    def readable(self) -> bool:
        return True

    @property
    def size(self) -> int | None:
        """Bytes in all; None: the server does not tell."""
        return self._remote.size

    def read(self, count: int | None = -1) -> bytes:
        """The next bytes, at most `count`, and fewer where fewer are there; none at the end."""
        most = PIECE if count is None or count < 0 else count
        if self.size is not None:
            most = min(most, self.size - self._position)
        data = b""
        if self._file is not None and not self.path:
            with self._keeping():
                data = self._file.read(most)  # of an earlier run
        if not data:
            self._remote.skip_to(self._position)
            data = self._remote.read(most)
            with self._keeping():
                if self._file is not None:
                    self._file.write(data)
        self._position += len(data)
        self._sum.update(data)
        if self.path is None and self._position == (self.size if data or self.size is not None else self._position):
            self._done()
        return data

    def finish(self) -> Path | None:
        """Read the rest; returns where the file lies, None if it could not be kept."""
        while self.path is None and self.read(PIECE):
            pass
        return self.path

    def discard(self) -> None:
        """Keep nothing of it: it is not what was wanted."""
        self._drop()
        if self.path:
            with contextlib.suppress(OSError):
                self._shelf.blob(self._remote).unlink(missing_ok=True)
                self.path.unlink(missing_ok=True)

    def close(self) -> None:
        self._remote.close()
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            if self._part.name.startswith("part-"):
                self._part.unlink(missing_ok=True)
        super().close()

    def _done(self) -> None:
        version = self._remote.version
        if self._shelf.is_hubs and _SUM.fullmatch(version) and self._sum.hexdigest() != version:
            self._drop()
            url = shown(self._remote.url, ADDRESS)
            raise NetworkError(f"{url}: its sha256 sum is not the one that the hub tells; what came was deleted")
        with self._keeping():
            if self._file is not None:
                self._file.close()  # before it is renamed: Windows wants that
                self._file = None
                os.replace(self._part, self._shelf.blob(self._remote))
                self.path = self._shelf.publish(self._remote)

    def _drop(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
                self._part.unlink(missing_ok=True)
            self._file = None

    @contextlib.contextmanager
    def _keeping(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            _log.warning("%s is not kept: %s", self._shelf.path, error)
            self._drop()


def locked(file: Any, wait: bool = False) -> bool:
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


def open_url(url: str, keep: bool = True, context: ssl.SSLContext | None = None) -> tuple[BinaryIO, int | None]:
    """A file of another machine, open for reading at its first byte, and its size where that is known.

    One that is kept, and that the server has unchanged, comes from the disk, and so does one whose server can't be
    asked now, or is not to be ($HF_HUB_OFFLINE, for the hub's files). keep: keep what is read. Raises as `Remote` does.
    """
    shelf = Shelf.of(url)
    kept = shelf.kept()
    offline = shelf.is_hubs and is_set("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    if kept and (offline or shelf.names_content()):
        return kept.open("rb"), kept.stat().st_size
    if offline:
        raise NetworkError(f"{shown(url, ADDRESS)}: it is not kept here, and HF_HUB_OFFLINE forbids to fetch it")
    try:
        remote = Remote(url, context, 1 if kept else TRIES)
    except Unreachable as error:
        if kept is None:
            raise
        _log.info("%s; the copy that is kept here is used", error)
        return kept.open("rb"), kept.stat().st_size
    if found := shelf.find(remote):
        remote.close()
        return found.open("rb"), found.stat().st_size
    stream: Any = Download(remote, shelf) if keep else remote
    return stream, remote.size


Showing = Callable[[int | None], AbstractContextManager[Callable[[int], object]]]
"""Given the bytes of a file, if they are known: within it, called with those that there are."""


def fetch(url: str, showing: Showing, check: Callable[[bytes], object], context: ssl.SSLContext | None = None) -> Path:
    """Where the file of an address lies, fetched if need be. check: called with the first bytes; where it raises,
    nothing is kept. Raises as `Remote` does, and WgmlError where the file can't be kept."""
    stream, size = open_url(url, context=context)
    with stream:
        if not isinstance(stream, Download):
            return Path(stream.name)
        with showing(size) as show:
            data = stream.read(PIECE)
            try:
                check(data)
            except BaseException:
                stream.discard()
                raise
            done = len(data)
            while data := stream.read(PIECE):
                done += len(data)
                show(done)
        if path := stream.finish():
            return path
    raise WgmlError(f"{shown(url, ADDRESS)}: there is no place to keep it: $HF_HOME may name another")
