"""Where a model's bytes come from: read once, front to back, the header by Python, the tensors straight to the GPU."""

from __future__ import annotations

import io
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, BinaryIO, cast

from ..errors import WgmlError, said, shown
from ..gpu import Device
from ..reference import address_of, repository_of
from ..threads import aside
from ..values import file_path, wrong
from .header import Header, HeaderParser, join_headers
from .weights import Segment

_PATH = 300  # characters of a path or an address in a message
_PIECE = 4 << 20  # bytes read and uploaded at once

OnProgress = Callable[[int, int], object]
"""Called with the bytes of the file read so far and in all (0: not known)."""


class Source(ABC):
    """A GGUF file as a stream. Call `header` once, then `upload` once."""

    name: str
    size: int | None

    async def header(self) -> Header:
        """Parse the first bytes. Raises WgmlError; so it does for one part of a split model."""
        return join_headers([await self.read_header()])

    @abstractmethod
    async def read_header(self) -> Header:
        """The header of this very file."""

    @abstractmethod
    async def upload(self, device: Device, segments: Sequence[Segment], on_progress: OnProgress) -> None:
        """Read on, and write each segment (in file order) where it belongs. Raises WgmlError if the file ends early."""

    @abstractmethod
    def close(self) -> None:
        """Stop reading."""

    async def refuse(self) -> None:
        """Stop reading: this is no model, or not all of one."""
        self.close()


class StreamSource(Source):
    """A file open for reading in CPython, at its first byte. Whatever it raises as it is read becomes a WgmlError."""

    def __init__(self, stream: BinaryIO, name: str, size: int | None = None) -> None:
        self._stream, self.name, self.size = stream, name, size
        self._head = b""
        self._offset = 0  # where in the file the next byte of _read comes from

    async def read_header(self) -> Header:
        parser = HeaderParser(self.size)
        header = None
        while header is None:
            data = await aside(self._next, _PIECE)
            if not data:
                parser.close()
            self._head += data
            header = parser.feed(data)
        return header

    def _next(self, count: int) -> bytes:
        """What the stream has next, at most `count` bytes; none at its end."""
        try:
            data = self._stream.read(count)
        except WgmlError:
            raise
        except Exception as error:  # a stream may be anybody's, of a library that has errors of its own
            raise self._failed(error) from error
        if not isinstance(data, bytes | bytearray | memoryview):
            raise wrong(f"what {shown(self.name, _PATH)} gives", data, "bytes")
        return bytes(data)

    def _failed(self, error: Exception) -> WgmlError:
        return WgmlError(f"can't read {shown(self.name, _PATH)}: {said(error, 2 * _PATH)}")

    def _read(self, count: int) -> bytes:
        pieces = [self._head[self._offset : self._offset + count]]
        left = count - len(pieces[0])
        while left and (piece := self._next(left)):  # some give less than they have
            pieces.append(piece)
            left -= len(piece)
        data = b"".join(pieces)
        self._offset += len(data)
        if len(data) < count:
            raise WgmlError(f"{shown(self.name, _PATH)} is truncated: it ends at byte {self._offset}")
        return data

    def _skip_to(self, offset: int) -> None:
        try:
            can_seek = getattr(self._stream, "seekable", bool)()  # by no means all have it
            if can_seek and offset > max(self._offset, len(self._head)):
                self._offset = self._stream.seek(offset)
        except Exception as error:
            raise self._failed(error) from error
        while self._offset < offset:
            self._read(min(_PIECE, offset - self._offset))

    async def upload(self, device: Device, segments: Sequence[Segment], on_progress: OnProgress) -> None:
        for segment in segments:
            await aside(self._skip_to, segment.offset)
            for done in range(0, segment.nbytes, _PIECE):
                data = await aside(self._read, min(_PIECE, segment.nbytes - done))
                device.write(segment.buffer, data, segment.buffer_offset + done)
                on_progress(self._offset, self.size or 0)
                await device.written()

    def close(self) -> None:
        self._stream.close()


class DownloadSource(StreamSource):
    """A file of another machine, kept on the disk as it comes (`Download`)."""

    async def upload(self, device: Device, segments: Sequence[Segment], on_progress: OnProgress) -> None:
        await super().upload(device, segments, on_progress)
        await aside(cast(Any, self._stream).finish)

    async def refuse(self) -> None:
        cast(Any, self._stream).discard()
        self.close()


class SplitSource(Source):
    """All parts of a split model, in any order: the headers of all, then the tensors of one part after the other."""

    def __init__(self, parts: Sequence[Source]) -> None:
        self._parts = list(parts)
        self._ends: list[int] = []  # where the tensors of each part end, in the joined header's count
        self.name = parts[0].name
        sizes = [part.size for part in parts]
        self.size = None if None in sizes else sum(size or 0 for size in sizes)

    async def read_header(self) -> Header:
        headers = [await part.read_header() for part in self._parts]
        try:
            header = join_headers(headers)
        except WgmlError:
            for part in self._parts:
                await part.refuse()
            raise
        order = sorted(range(len(headers)), key=lambda place: headers[place].part[0])
        self._parts = [self._parts[place] for place in order]
        for place in order:
            self._ends.append((self._ends or [0])[-1] + headers[place].end)
        return header

    async def upload(self, device: Device, segments: Sequence[Segment], on_progress: OnProgress) -> None:
        start = 0
        for part, end in zip(self._parts, self._ends, strict=True):
            own = [replace(s, offset=s.offset - start) for s in segments if start <= s.offset < end]
            await part.upload(device, own, partial(self._report, on_progress, start))
            start = end

    def _report(self, on_progress: OnProgress, start: int, done: int, _size: int) -> None:
        on_progress(start + done, self.size or 0)

    def close(self) -> None:
        for part in self._parts:
            part.close()


_SPLIT = re.compile(r"-(\d{5})-of-(\d{5})(?=\.gguf(?:\?|$))")


def part_names(name: str) -> list[str]:
    """The paths or addresses of all parts of the split model that `name` is one of; `name` alone for any other file."""
    found = _SPLIT.search(name)
    count = int(found[2]) if found else 1
    return [_SPLIT.sub(f"-{number:05}-of-{count:05}", name) for number in range(1, count + 1)] or [name]


def open_source(
    model: str | os.PathLike[str] | BinaryIO | Sequence[str | os.PathLike[str]] | bytes, keep: bool = True
) -> Source:
    """What to load, in CPython: a path, an http(s) URL, a file on the Hugging Face Hub (`address_of` says what names
    one; `owner/repository:Q4_K_M` means one too, see `find_address`), an open binary file, or its bytes.

    The parts of a split model are found from the name of one, or given as several paths or URLs in any order. keep:
    keep what is fetched. Raises WgmlError when it can't be opened, or is none of these.
    """
    if isinstance(model, str | os.PathLike):
        name = file_path("the model", model)
        names = part_names(name if os.path.exists(name) else _of_repository(name) or address_of(name) or name)
    elif isinstance(model, bytes | bytearray | memoryview):
        return StreamSource(io.BytesIO(model), "the model", memoryview(model).nbytes)
    elif isinstance(model, Sequence):
        names = [file_path(f"part {number} of the model", part) for number, part in enumerate(model, 1)]
    elif all(callable(getattr(model, method, None)) for method in ("read", "close")):
        title = getattr(model, "name", None)  # of a file without one in the system it is a number
        return StreamSource(model, title if isinstance(title, str) else "the model")
    else:
        raise wrong("the model", model, "a path, an address, a list of these, an open file, or bytes")
    if not names:
        raise WgmlError("the model is a list without a single path")
    parts: list[Source] = []
    try:
        for name in names:
            parts.append(_open(name, keep))
    except (OSError, ValueError, WgmlError) as error:  # ValueError: of names that no file or server can have
        for part in parts:
            part.close()
        place = f" (part {len(parts) + 1} of {len(names)})" if len(names) > 1 else ""
        if isinstance(error, WgmlError):  # it names the address
            raise type(error)(f"can't open{place} {error}") from error
        why = (error.strerror if isinstance(error, OSError) else None) or said(error, 2 * _PATH)
        raise WgmlError(f"can't open {shown(name, _PATH)}{place}: {why}") from error
    return parts[0] if len(parts) == 1 else SplitSource(parts)


def _of_repository(name: str) -> str | None:
    """The address of the file that is meant where `name` is of a repository of the hub."""
    if repository_of(name) is None:
        return None
    from ..downloads import find_address  # what no page needs

    return find_address(name)


def _open(name: str, keep: bool) -> StreamSource:
    short = os.path.basename(name)
    if not re.match("https?://", name, re.IGNORECASE):
        return StreamSource(open(name, "rb"), short, os.path.getsize(name))
    from ..downloads import Download, open_url

    stream, size = open_url(name, keep)
    return (DownloadSource if isinstance(stream, Download) else StreamSource)(stream, short, size)
