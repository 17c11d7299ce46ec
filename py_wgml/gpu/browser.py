"""The Device over `navigator.gpu`, under Pyodide. Its JavaScript half, web/worker/gpu.js, has the WebGPU objects."""

from __future__ import annotations

import array
from collections.abc import Awaitable, Callable, Generator, Sequence
from functools import cache
from typing import Any

from .. import wgsl
from ..errors import WgmlError
from ..javascript import module
from .device import (
    DEFAULT_LIMITS,
    INTEGER_PRODUCTS,
    OPTIONAL_FEATURES,
    AdapterInfo,
    Buffer,
    CompileError,
    Device,
    Program,
    padded,
)


@cache
def _helper() -> Any:
    """The module web/worker/gpu.js: the page registered it, or (in a notebook) the package brings it."""
    try:
        import wgml_gpu

        return wgml_gpu
    except ImportError:
        return module("worker/gpu.js")


async def open_browser_device(
    default_limits: bool = False, features: tuple[str, ...] = OPTIONAL_FEATURES
) -> BrowserDevice:
    """The browser's GPU as a Device. Raises WgmlError when it gives none."""
    from pyodide.ffi import JsException

    try:
        gpu = await _helper().open(
            _js(
                {
                    "features": list(features),
                    "languageFeatures": [INTEGER_PRODUCTS],
                    "defaultLimits": DEFAULT_LIMITS,
                    "raiseLimits": not default_limits,
                }
            )
        )
    except JsException as error:
        raise WgmlError(str(error.message)) from error
    return BrowserDevice(gpu)


class BrowserDevice(Device):
    """A Device over a `Gpu` of web/worker/gpu.js. Handles are the numbers under which it keeps WebGPU's objects.

    `lost` is awaitable: it ends when the device is lost, with the reason.
    """

    def __init__(self, gpu: Any) -> None:
        info = gpu.info.to_py()
        super().__init__(
            AdapterInfo(
                info["vendor"],
                info["architecture"],
                info["device"],
                info["description"],
                # Browsers that don't tell have no subgroups, or not yet their sizes: those of the specification.
                info["subgroupMinSize"] or AdapterInfo.subgroup_min_size,
                info["subgroupMaxSize"] or AdapterInfo.subgroup_max_size,
                bool(info["isFallbackAdapter"]),
            ),
            frozenset(gpu.features.to_py()),
            gpu.limits.to_py(),
        )
        self._gpu = gpu
        self.lost: Awaitable[Any] = gpu.lost

    def _create_buffer(self, nbytes: int, label: str) -> int:
        return int(self._gpu.buffer(nbytes, label))

    def _destroy_buffer(self, handle: int) -> None:
        self._gpu.destroyBuffer(handle)

    def _write(self, handle: int, offset: int, data: memoryview) -> None:
        self._gpu.write(handle, offset, data)

    async def read(self, buffer: Buffer, nbytes: int | None = None, offset: int = 0) -> bytes:
        nbytes = buffer.nbytes - offset if nbytes is None else nbytes
        return await _bytes(self._gpu.read(buffer.handle, offset, padded(nbytes)), nbytes)

    def _create_pipeline(self, name: str, code: str, bindings: tuple[wgsl.Binding, ...]) -> int:
        # A browser that knows the sizes checks a buffer once, when it is bound, and not at each dispatch.
        access = _js([binding.access for binding in bindings])
        return int(self._gpu.pipeline(code, access, _js([binding.minimum_size for binding in bindings]), name))

    def _discard_pipeline(self, handle: int) -> None:
        self._gpu.discardPipeline(handle)

    async def written(self) -> None:
        """Nothing to wait for: WebGPU copies what it is given."""

    async def allocated(self) -> None:
        if not await self._gpu.allocated():
            raise WgmlError("the GPU has not enough memory left")

    async def compiled(self) -> None:
        error = await self._gpu.compiled()
        if error is not None:
            failed = next(p for p in self.pipelines.values() if p.handle == error.pipeline)
            raise CompileError(failed.name, failed.code, error.line, error.message, failed)

    async def caught_up(self) -> None:
        """Nothing to wait for: a browser compiles many at once."""

    def _handle_of(self, program: Program) -> Any:
        if program.handle is None:
            numbers = array.array("i")
            for pipeline, buffers, counts in program.dispatches:
                numbers.extend((pipeline.handle, *counts, len(buffers), *(buffer.handle for buffer in buffers)))
            program.handle = self._gpu.program(numbers)
        return program.handle

    def run(self, program: Program) -> None:
        self._gpu.run(self._handle_of(program))

    def run_and_read(
        self, program: Program, buffer: Buffer, offset: int, nbytes: int, times: int = 1
    ) -> Awaitable[bytes]:
        promise = self._gpu.runAndRead(self._handle_of(program), times, buffer.handle, offset, padded(nbytes))
        return _Reading(promise, nbytes)

    async def _timestamps(self, program: Program, times: int, passes: int) -> bytes:
        return bytes((await self._gpu.timestamps(self._handle_of(program), times, passes)).to_bytes())

    def copy(self, source: Buffer, target: Buffer, nbytes: int, offset: int = 0) -> None:
        self._gpu.copy(source.handle, target.handle, nbytes, offset)

    async def upload_file(
        self, file: Any, segments: Sequence[tuple[int, int, int, int]], on_progress: Callable[[int, int], object]
    ) -> None:
        """Write parts of a `ModelFile` (web/worker/files.js) to buffers as it arrives, past Python's memory.

        segments: (offset in the file, bytes, buffer's handle, offset in the buffer), in file order.
        Raises WgmlError when the file can't be read to its end.
        """
        from pyodide.ffi import JsException, create_proxy

        progress = create_proxy(on_progress)
        try:
            table = array.array("d", [number for segment in segments for number in segment])
            await self._gpu.upload(file, table, progress)
        except JsException as error:
            raise WgmlError(str(error.message)) from error
        finally:
            progress.destroy()

    def close(self) -> None:
        self._gpu.close()


class _Reading(Awaitable[bytes]):
    """Bytes on their way from the GPU. A task that waits for them would be one more turn of the event loop."""

    def __init__(self, promise: Awaitable[Any], nbytes: int) -> None:
        self._promise, self._nbytes = promise, nbytes

    def __await__(self) -> Generator[Any, None, bytes]:
        return _bytes(self._promise, self._nbytes).__await__()


async def _bytes(promise: Awaitable[Any], count: int) -> bytes:
    """The first `count` bytes of the Uint8Array that `promise` (whose work is under way) will give."""
    return bytes((await promise).to_bytes()[:count])


def _js(value: Any) -> Any:
    """Python lists and dicts as JavaScript arrays and objects."""
    from js import Object
    from pyodide.ffi import to_js

    return to_js(value, dict_converter=Object.fromEntries)
