"""The Device over native WebGPU: `wgpu` (wgpu-native, WGSL compiled by naga) or `wgpudawn` (Dawn, Tint), one API.

Both may block whoever calls them, for as long as a step takes. So three threads call them: one compiles kernels, one
hands work to the GPU, in the order in which it was asked for, and one waits for what is read. An event loop goes on
meanwhile.
"""

import asyncio
import importlib
import re
import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from .. import wgsl
from ..errors import WgmlError, quoted, said
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

BACKENDS = ("wgpu", "wgpudawn")  # packages
_LOCKED = "implicit-device-synchronization"  # Dawn's, without which one thread alone may use a device
_LONGEST_NAP = 1e-3  # seconds
_BINDING_TYPE = {"uniform": "uniform", "read": "read-only-storage", "read_write": "storage"}


_Dispatch = tuple[Future[Any], Any, tuple[int, int, int]]
"""A pipeline, a bind group and workgroups."""


def open_native_device(
    backend: str | None = None,
    default_limits: bool = False,
    features: tuple[str, ...] = OPTIONAL_FEATURES,
    adapter_name: str = "",
) -> "NativeDevice":
    """The first adapter whose device name contains `adapter_name`, as a Device; a real GPU before a software one.

    backend: None: the first of BACKENDS that has one. Raises WgmlError when its package is not installed or it finds no
    such adapter.
    """
    problems: list[str] = []
    for name in (backend,) if backend else BACKENDS:
        try:
            module = importlib.import_module(name)
        except ImportError as error:
            missing = isinstance(error, ModuleNotFoundError) and error.name == name
            installs = f"is not installed (pip install {name})"
            problems.append(f"the package {name} {installs if missing else f'can not be imported: {said(error)}'}")
            continue
        adapters = [a for a in module.gpu.enumerate_adapters_sync() if adapter_name.lower() in a.info["device"].lower()]
        if adapters:
            return NativeDevice(module, min(adapters, key=_is_software), default_limits, features)
        problems.append(f"{name} finds no adapter" + (f" named {quoted(adapter_name)}" if adapter_name else ""))
    raise WgmlError(f"no GPU can be used: {', '.join(problems)}")


def _is_software(adapter: Any) -> bool:
    return bool(adapter.info["adapter_type"] == "CPU")


class NativeDevice(Device):
    """A Device over one adapter of `wgpu` or `wgpudawn`."""

    def __init__(self, module: Any, adapter: Any, default_limits: bool, features: tuple[str, ...]) -> None:
        # wgpu-native names the standard's feature "subgroups" in the singular.
        offered = {"subgroups" if name == "subgroup" else name: name for name in adapter.features}
        wanted = [f for f in features if f in offered]
        locked = [_LOCKED] if _LOCKED in adapter.features else []
        limits = dict(DEFAULT_LIMITS)
        if not default_limits:
            limits = {key: adapter.limits[_dashed(key)] for key in DEFAULT_LIMITS}
        self._device = adapter.request_device_sync(
            required_features=[*(offered[f] for f in wanted), *locked],
            required_limits={_dashed(key): value for key, value in limits.items()},
        )
        info = adapter.info
        super().__init__(
            AdapterInfo(
                info.get("vendor", ""),
                info.get("architecture", ""),
                info["device"],
                info["description"],
                software=_is_software(adapter),
            ),
            frozenset([*wanted, INTEGER_PRODUCTS]),  # naga and Tint have it
            limits,
        )
        self.subgroups_directive = module.__name__ == "wgpudawn"
        self._usage = module.BufferUsage
        self._stage = module.ShaderStage.COMPUTE
        self._gpu_error = module.GPUError
        self._layouts: dict[tuple[wgsl.Access, ...], Any] = {}
        self._compiling, self._working, self._waiting = (
            ThreadPoolExecutor(1, f"py_wgml {name}") for name in ("compiles", "works", "waits")
        )
        self._failed: list[BaseException] = []  # what went wrong in work that nobody waits for
        if poller := getattr(self._device, "_poller", None):
            poller._poll_func = _polling(poller._poll_func)

    def _create_buffer(self, nbytes: int, label: str) -> Any:
        usage = self._usage.STORAGE | self._usage.UNIFORM | self._usage.COPY_SRC | self._usage.COPY_DST
        return self._device.create_buffer(size=nbytes, usage=usage, label=label)

    def _destroy_buffer(self, handle: Any) -> None:
        self._work(handle.destroy)

    def _write(self, handle: Any, offset: int, data: memoryview) -> None:
        content = data if isinstance(data.obj, bytes) else bytes(data)  # what may be changed until it is written
        self._work(self._device.queue.write_buffer, handle, offset, content)

    async def written(self) -> None:
        await asyncio.wrap_future(self._work(int))

    async def read(self, buffer: Buffer, nbytes: int | None = None, offset: int = 0) -> bytes:
        nbytes = buffer.nbytes - offset if nbytes is None else nbytes
        return await self._read(lambda encoder: None, buffer.handle, offset, nbytes)

    def _work(self, function: Callable[..., Any], *given: Any) -> Future[Any]:
        """Have a function called after all work before it. What goes wrong is told to who reads next."""
        done = self._working.submit(function, *given)
        done.add_done_callback(self._notice)
        return done

    def _notice(self, done: Future[Any]) -> None:
        if not done.cancelled() and (error := done.exception()):
            self._failed.append(error)

    def _read(self, encode: Callable[[Any], object], source: Any, offset: int, nbytes: int) -> "_Reading":
        """Submit what `encode` does with a command encoder, then a read of `source`."""
        size = padded(nbytes)

        def submit() -> Any:
            staging = self._device.create_buffer(size=size, usage=self._usage.COPY_DST | self._usage.MAP_READ)
            encoder = self._device.create_command_encoder()
            encode(encoder)
            encoder.copy_buffer_to_buffer(source, offset, staging, 0, size)
            self._device.queue.submit([encoder.finish()])
            return staging

        submitted = self._working.submit(submit)

        def wait() -> bytes:
            staging = submitted.result()
            staging.map_sync("READ")
            data = bytes(staging.read_mapped()[:nbytes])
            staging.destroy()
            if self._failed:
                raise self._failed.pop()
            return data

        return _Reading(self._waiting.submit(wait))

    def _layout(self, bindings: tuple[wgsl.Binding, ...]) -> Any:
        access = tuple(binding.access for binding in bindings)
        if access not in self._layouts:
            self._layouts[access] = self._device.create_bind_group_layout(
                entries=[
                    {"binding": i, "visibility": self._stage, "buffer": {"type": _BINDING_TYPE[a]}}
                    for i, a in enumerate(access)
                ]
            )
        return self._layouts[access]

    def _create_pipeline(self, name: str, code: str, bindings: tuple[wgsl.Binding, ...]) -> Future[Any]:
        return self._compiling.submit(self._compile, name, code, bindings)

    def _compile(self, name: str, code: str, bindings: tuple[wgsl.Binding, ...]) -> Any:
        layout = self._device.create_pipeline_layout(bind_group_layouts=[self._layout(bindings)])
        try:
            module = self._device.create_shader_module(code=code, label=name)
            return self._device.create_compute_pipeline(
                layout=layout, compute={"module": module, "entry_point": "main"}, label=name
            )
        except (self._gpu_error, RuntimeError) as error:
            # naga writes "wgsl:LINE:COLUMN", Tint ":LINE:COLUMN error: ..."
            found = re.search(r":(\d+):\d+", str(error))
            raise CompileError(name, code, int(found[1]) if found else 1, str(error).strip()) from error

    def _discard_pipeline(self, handle: Future[Any]) -> None:
        handle.cancel()

    async def allocated(self) -> None:
        """Nothing to wait for: a native buffer has its memory, or is not made."""

    async def compiled(self) -> None:
        await self.caught_up()
        for pipeline in self.pipelines.values():
            done = pipeline.handle.done() and not pipeline.handle.cancelled()
            if done and (error := pipeline.handle.exception()):
                if isinstance(error, CompileError):
                    error.pipeline = pipeline
                raise error

    async def caught_up(self) -> None:
        for pipeline in self.pipelines.values():
            if not pipeline.handle.done():
                await asyncio.wait([asyncio.wrap_future(pipeline.handle)])

    def run(self, program: Program) -> None:
        dispatches = self._made(program)
        self._submit(lambda encoder: _encode_pass(encoder, dispatches))

    def _submit(self, encode: Callable[[Any], object]) -> None:
        def submit() -> None:
            encoder = self._device.create_command_encoder()
            encode(encoder)
            self._device.queue.submit([encoder.finish()])

        self._work(submit)

    def _made(self, program: Program) -> list[_Dispatch]:
        """The dispatches as they are now, with their bind groups."""
        if program.handle is None:
            program.handle = [
                (pipeline.handle, self._bind_group(pipeline.bindings, buffers), counts)
                for pipeline, buffers, counts in program.dispatches
            ]
        dispatches: list[_Dispatch] = program.handle
        return dispatches

    def _bind_group(self, bindings: tuple[wgsl.Binding, ...], buffers: tuple[Buffer, ...]) -> Any:
        return self._device.create_bind_group(
            layout=self._layout(bindings),
            entries=[
                {"binding": i, "resource": {"buffer": b.handle, "offset": 0, "size": b.nbytes}}
                for i, b in enumerate(buffers)
            ],
        )

    def run_and_read(
        self, program: Program, buffer: Buffer, offset: int, nbytes: int, times: int = 1
    ) -> Awaitable[bytes]:
        dispatches = self._made(program)
        return self._read(lambda encoder: _encode_pass(encoder, dispatches * times), buffer.handle, offset, nbytes)

    async def _timestamps(self, program: Program, times: int, passes: int) -> bytes:
        queries = self._device.create_query_set(type="timestamp", count=2 * passes)
        usage = self._usage.QUERY_RESOLVE | self._usage.COPY_SRC
        clock = self._device.create_buffer(size=8 * queries.count, usage=usage)
        dispatches = self._made(program) * times
        share = len(dispatches) // passes

        def encode(encoder: Any) -> None:
            for i in range(passes):
                writes = {
                    "query_set": queries,
                    "beginning_of_pass_write_index": 2 * i,
                    "end_of_pass_write_index": 2 * i + 1,
                }
                _encode_pass(encoder, dispatches[i * share : (i + 1) * share], writes)
            encoder.resolve_query_set(queries, 0, queries.count, clock, 0)

        stamps = await self._read(encode, clock, 0, clock.size)
        queries.destroy()
        clock.destroy()
        return stamps

    def copy(self, source: Buffer, target: Buffer, nbytes: int, offset: int = 0) -> None:
        ends = source.handle, 0, target.handle, offset, nbytes
        self._submit(lambda encoder: encoder.copy_buffer_to_buffer(*ends))

    def close(self) -> None:
        for thread in (self._compiling, self._working, self._waiting):
            thread.shutdown(cancel_futures=True)
        self._device.destroy()


def _encode_pass(encoder: Any, dispatches: Sequence[_Dispatch], writes: dict[str, Any] | None = None) -> None:
    """A compute pass; writes: of timestamps."""
    compute = encoder.begin_compute_pass(timestamp_writes=writes)
    for pipeline, group, counts in dispatches:
        compute.set_pipeline(pipeline.result())
        compute.set_bind_group(0, group)
        compute.dispatch_workgroups(*counts)
    compute.end()


class _Reading(Awaitable[bytes]):
    """Bytes on their way from the GPU, which a thread waits for."""

    def __init__(self, data: Future[bytes]) -> None:
        self._data = data

    def __await__(self) -> Generator[Any, None, bytes]:
        return asyncio.wrap_future(self._data).__await__()


def _polling(poll: Callable[[bool], object]) -> Callable[[bool], None]:
    """What wgpu's own thread does as long as somebody waits, in the place of a call that ends with the last thing
    submitted: until then nothing more could be submitted, and what came first would be told with the last.

    poll: whether to wait -> calls back who waited for what is done.
    """
    began = 0.0

    def poll_and_rest(waiting: bool) -> None:
        nonlocal began
        now = time.perf_counter()
        if waiting:
            time.sleep(min(_LONGEST_NAP, (now - began) / 20))
        else:
            began = now
        poll(False)

    return poll_and_rest


def _dashed(limit: str) -> str:
    """`maxBufferSize` as wgpu-py spells it: `max-buffer-size`."""
    return re.sub(r"([A-Z])", lambda m: "-" + m[1].lower(), limit)
