"""Models in a browser, the page or anybody's notebook: through the page's JavaScript, past Python's memory."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, BinaryIO, Protocol

from ..errors import WgmlError
from ..gpu import Device
from ..javascript import module
from ..reference import address_of, repository_of
from ..threads import aside
from .header import Header, HeaderParser
from .source import OnProgress, Source, SplitSource, open_source
from .weights import Segment

ModelName = str | os.PathLike[str] | BinaryIO | Sequence[str | os.PathLike[str]] | bytes | Source
"""What a model is loaded from, as `find_source` has it."""


class _File(Protocol):
    """`ModelFile` of web/worker/files.js: a stream of chunks that remembers those of the header."""

    name: str
    size: int | None

    async def next(self) -> _Chunk | None: ...
    def rewind(self) -> None: ...
    async def refuse(self) -> None: ...
    def close(self) -> None: ...


class _Chunk(Protocol):
    def to_bytes(self) -> bytes: ...


class BrowserSource(Source):
    """A `ModelFile`. Only the header's bytes enter the WebAssembly heap."""

    def __init__(self, file: _File) -> None:
        self._file, self.name, self.size = file, file.name, file.size

    async def read_header(self) -> Header:
        parser = HeaderParser(self.size)
        header = None
        while header is None:
            with _in_one_line():
                chunk = await self._file.next()
            try:
                if not chunk:  # JavaScript's null is false, and not None
                    parser.close()
                    raise AssertionError("unreachable: the parser refuses a file that ends within its header")
                header = parser.feed(chunk.to_bytes())
            except WgmlError:
                await self.refuse()
                raise
        self._file.rewind()
        return header

    async def refuse(self) -> None:
        """Stop reading, and let the browser keep no copy: this is no model, or not all of one."""
        await self._file.refuse()

    async def upload(self, device: Device, segments: Sequence[Segment], on_progress: OnProgress) -> None:
        from ..gpu.browser import BrowserDevice

        assert isinstance(device, BrowserDevice)
        await device.upload_file(
            self._file, [(s.offset, s.nbytes, s.buffer.handle, s.buffer_offset) for s in segments], on_progress
        )

    def close(self) -> None:
        self._file.close()


async def find_source(model: ModelName) -> Source:
    """What `open_source` takes. In a browser what has an address comes by `fetch`, and a copy of it stays on the device
    where the browser keeps one for this page: it is found again, without a network too. There a File, a Blob or a
    Uint8Array of JavaScript's will do as well.

    Raises WgmlError of one line when there is no such model to be had.
    """
    if isinstance(model, Source):
        return model
    if sys.platform != "emscripten":
        return await aside(open_source, model)  # a server may let us wait
    names = [model] if isinstance(model, str) else model if isinstance(model, list | tuple) else []
    if not any(
        isinstance(name, str) and not os.path.exists(name) and (address_of(name) or repository_of(name))
        for name in names
    ):
        if hasattr(model, "arrayBuffer"):
            return BrowserSource(await _notebook().openFile(model))
        return open_source(model.to_bytes() if hasattr(model, "to_bytes") else model)
    files: list[Any] = []
    try:
        with _in_one_line():
            # Of a split model each file names all.
            found = {source.url: source for name in names for source in await _notebook().find(os.fspath(name))}
            for source in found.values():
                files.append(await _notebook().open(source))
    except BaseException:
        for file in files:
            file.close()
        raise
    sources = [BrowserSource(file) for file in files]
    return sources[0] if len(sources) == 1 else SplitSource(sources)


@cache
def _notebook() -> Any:
    """The module web/worker/notebook.js. Its sums are Python's own, and no library comes with the package for them."""
    from js import Object
    from pyodide.ffi import create_proxy, to_js

    with _in_one_line():
        return module(
            "worker/notebook.js", sum=to_js({"startSum": create_proxy(_Sum)}, dict_converter=Object.fromEntries)
        )


class _Sum:
    """web/worker/sum.js, by hashlib."""

    def __init__(self) -> None:
        self._sum = hashlib.sha256()

    def update(self, chunk: _Chunk) -> None:
        self._sum.update(chunk.to_bytes())

    def digest(self) -> str:
        return self._sum.hexdigest()


@contextmanager
def _in_one_line() -> Iterator[None]:
    """What JavaScript says went wrong becomes a WgmlError."""
    try:
        yield
    except Exception as error:
        if type(error).__name__ != "JsException":
            raise
        raise WgmlError(str(error.message)) from error  # type: ignore[attr-defined]
