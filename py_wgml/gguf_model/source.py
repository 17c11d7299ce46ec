"""Where a model's bytes come from: read once, front to back, the header by Python, the tensors straight to the GPU."""

import os
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import BinaryIO, Protocol

from ..errors import WgmlError
from ..gpu import Device
from .header import Header, HeaderParser
from .weights import Segment

_PIECE = 4 << 20  # bytes read and uploaded at once

OnProgress = Callable[[int, int], object]
"""Called with the bytes of the file read so far and in all (0: not known)."""


class Source(ABC):
    """A GGUF file as a stream. Call `header` once, then `upload` once."""

    name: str
    size: int | None

    @abstractmethod
    async def header(self) -> Header:
        """Parse the first bytes. Raises WgmlError."""

    @abstractmethod
    async def upload(self, device: Device, segments: Sequence[Segment], on_progress: OnProgress) -> None:
        """Read on, and write each segment (in file order) where it belongs. Raises WgmlError if the file ends early."""

    @abstractmethod
    def close(self) -> None:
        """Stop reading."""


class StreamSource(Source):
    """A file open for reading in CPython."""

    def __init__(self, stream: BinaryIO, name: str, size: int | None = None) -> None:
        self._stream, self.name, self.size = stream, name, size
        self._head = b""
        self._at = 0  # where in the file the next byte of _read comes from

    async def header(self) -> Header:
        parser = HeaderParser(self.size)
        header = None
        while header is None:
            data = self._stream.read(_PIECE)
            if not data:
                parser.close()
            self._head += data
            header = parser.feed(data)
        return header

    def _read(self, count: int) -> bytes:
        data = self._head[self._at : self._at + count]
        if len(data) < count:
            data += self._stream.read(count - len(data))
        self._at += len(data)
        if len(data) < count:
            raise WgmlError(f"{self.name} is truncated: it ends at byte {self._at}")
        return data

    async def upload(self, device: Device, segments: Sequence[Segment], on_progress: OnProgress) -> None:
        for segment in segments:
            while self._at < segment.offset:
                self._read(min(_PIECE, segment.offset - self._at))
            for done in range(0, segment.nbytes, _PIECE):
                data = self._read(min(_PIECE, segment.nbytes - done))
                device.write(segment.buffer, data, segment.buffer_offset + done)
                on_progress(self._at, self.size or 0)

    def close(self) -> None:
        self._stream.close()


class _File(Protocol):
    """`ModelFile` of web/files.js: a stream of chunks that remembers those of the header."""

    name: str
    size: int | None

    async def next(self) -> "_Chunk | None": ...
    def rewind(self) -> None: ...
    def close(self) -> None: ...


class _Chunk(Protocol):
    def to_bytes(self) -> bytes: ...


class BrowserSource(Source):
    """A `ModelFile` of the page. Only the header's bytes enter the WebAssembly heap."""

    def __init__(self, file: _File) -> None:
        self._file, self.name, self.size = file, file.name, file.size

    async def header(self) -> Header:
        parser = HeaderParser(self.size)
        header = None
        while header is None:
            chunk = await self._file.next()
            if chunk is None:
                parser.close()
                raise AssertionError("unreachable: the parser refuses a file that ends within its header")
            header = parser.feed(chunk.to_bytes())
        self._file.rewind()
        return header

    async def upload(self, device: Device, segments: Sequence[Segment], on_progress: OnProgress) -> None:
        from ..gpu.browser import BrowserDevice

        assert isinstance(device, BrowserDevice)
        await device.upload_file(
            self._file, [(s.offset, s.nbytes, s.buffer.handle, s.buffer_offset) for s in segments], on_progress
        )

    def close(self) -> None:
        self._file.close()


def open_source(model: str | os.PathLike[str] | BinaryIO) -> StreamSource:
    """A path, an http(s) URL or an open binary file, in CPython. Raises WgmlError when it can't be opened."""
    if not isinstance(model, str | os.PathLike):
        return StreamSource(model, getattr(model, "name", "the model"))
    name = os.path.basename(os.fspath(model))
    try:
        if str(model).startswith(("http://", "https://")):
            response = urllib.request.urlopen(str(model))
            length = response.headers.get("Content-Length")
            return StreamSource(response, name, int(length) if length else None)
        return StreamSource(open(model, "rb"), name, os.path.getsize(model))
    except (OSError, urllib.error.URLError) as error:
        raise WgmlError(f"can't open {os.fspath(model)}: {error}") from error
