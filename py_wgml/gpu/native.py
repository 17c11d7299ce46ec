"""The Device over native WebGPU: `wgpu` (wgpu-native, WGSL compiled by naga) or `wgpudawn` (Dawn, Tint), one API."""

import importlib
import re
from collections.abc import Awaitable, Generator, Sequence
from typing import Any

from .. import wgsl
from ..errors import WgmlError
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

_BINDING_TYPE = {"uniform": "uniform", "read": "read-only-storage", "read_write": "storage"}


def open_native_device(
    backend: str = "wgpu",
    default_limits: bool = False,
    features: tuple[str, ...] = OPTIONAL_FEATURES,
    adapter_name: str = "",
) -> "NativeDevice":
    """The first adapter whose device name contains `adapter_name`, as a Device.

    Raises WgmlError when the backend's package is not installed or it finds no such adapter.
    """
    try:
        module = importlib.import_module(backend)
    except ImportError as error:
        raise WgmlError(f"the package {backend} is not installed: pip install {backend}") from error
    adapters = [a for a in module.gpu.enumerate_adapters_sync() if adapter_name.lower() in a.info["device"].lower()]
    if not adapters:
        raise WgmlError(f"{backend} finds no GPU adapter" + (f" named {adapter_name!r}" if adapter_name else ""))
    # A real GPU before a software one.
    adapter = min(adapters, key=lambda a: a.info["adapter_type"] == "CPU")
    return NativeDevice(module, adapter, default_limits, features)


class NativeDevice(Device):
    """A Device over one adapter of `wgpu` or `wgpudawn`."""

    def __init__(self, module: Any, adapter: Any, default_limits: bool, features: tuple[str, ...]) -> None:
        # wgpu-native names the standard's feature "subgroups" in the singular.
        offered = {"subgroups" if name == "subgroup" else name: name for name in adapter.features}
        wanted = [f for f in features if f in offered]
        limits = dict(DEFAULT_LIMITS)
        if not default_limits:
            limits = {key: adapter.limits[_dashed(key)] for key in DEFAULT_LIMITS}
        self._device = adapter.request_device_sync(
            required_features=[offered[f] for f in wanted],
            required_limits={_dashed(key): value for key, value in limits.items()},
        )
        info = adapter.info
        super().__init__(
            AdapterInfo(
                info.get("vendor", ""),
                info.get("architecture", ""),
                info["device"],
                info["description"],
                software=info["adapter_type"] == "CPU",
            ),
            frozenset([*wanted, INTEGER_PRODUCTS]),  # naga and Tint have it
            limits,
        )
        self.subgroups_directive = module.__name__ == "wgpudawn"
        self._usage = module.BufferUsage
        self._stage = module.ShaderStage.COMPUTE
        self._gpu_error = module.GPUError
        self._layouts: dict[tuple[wgsl.Access, ...], Any] = {}

    def _create_buffer(self, nbytes: int, label: str) -> Any:
        usage = self._usage.STORAGE | self._usage.UNIFORM | self._usage.COPY_SRC | self._usage.COPY_DST
        return self._device.create_buffer(size=nbytes, usage=usage, label=label)

    def _destroy_buffer(self, handle: Any) -> None:
        handle.destroy()

    def _write(self, handle: Any, offset: int, data: memoryview) -> None:
        self._device.queue.write_buffer(handle, offset, data)

    async def read(self, buffer: Buffer, nbytes: int | None = None, offset: int = 0) -> bytes:
        return self._read(buffer, buffer.nbytes - offset if nbytes is None else nbytes, offset)

    def _read(self, buffer: Buffer, nbytes: int, offset: int) -> bytes:
        return bytes(self._device.queue.read_buffer(buffer.handle, offset, padded(nbytes))[:nbytes])

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

    def _create_pipeline(self, name: str, code: str, bindings: tuple[wgsl.Binding, ...]) -> Any:
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

    def _discard_pipeline(self, handle: Any) -> None:
        """Nothing to do: it is compiled, or was never made."""

    async def allocated(self) -> None:
        """Nothing to wait for: a native buffer has its memory, or is not made."""

    async def compiled(self) -> None:
        """Nothing to wait for: native pipelines are compiled when they are asked for."""

    def run(self, program: Program) -> None:
        self._submit(self._encode(program))

    def _submit(self, encoder: Any) -> None:
        self._device.queue.submit([encoder.finish()])

    def _make(self, program: Program) -> None:
        if program.handle is None:
            program.handle = [
                (pipeline.handle, self._bind_group(pipeline.bindings, buffers), counts)
                for pipeline, buffers, counts in program.dispatches
            ]

    def _encode(self, program: Program, times: int = 1) -> Any:
        """`program`, `times` over in one pass."""
        self._make(program)
        encoder = self._device.create_command_encoder()
        _encode_pass(encoder, program.handle * times)
        return encoder

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
        size = padded(nbytes)
        staging = self._device.create_buffer(size=size, usage=self._usage.COPY_DST | self._usage.MAP_READ)
        encoder = self._encode(program, times)
        encoder.copy_buffer_to_buffer(buffer.handle, offset, staging, 0, size)
        self._submit(encoder)
        return _Reading(staging, nbytes)

    async def _timestamps(self, program: Program, times: int, passes: int) -> bytes:
        self._make(program)
        queries = self._device.create_query_set(type="timestamp", count=2 * passes)
        usage = self._usage.QUERY_RESOLVE | self._usage.COPY_SRC
        clock = self._device.create_buffer(size=8 * queries.count, usage=usage)
        encoder = self._device.create_command_encoder()
        dispatches = program.handle * times
        share = len(dispatches) // passes
        for i in range(passes):
            writes = {
                "query_set": queries,
                "beginning_of_pass_write_index": 2 * i,
                "end_of_pass_write_index": 2 * i + 1,
            }
            _encode_pass(encoder, dispatches[i * share : (i + 1) * share], writes)
        encoder.resolve_query_set(queries, 0, queries.count, clock, 0)
        self._submit(encoder)
        stamps = bytes(self._device.queue.read_buffer(clock))
        queries.destroy()
        clock.destroy()
        return stamps

    def copy(self, source: Buffer, target: Buffer, nbytes: int, offset: int = 0) -> None:
        encoder = self._device.create_command_encoder()
        encoder.copy_buffer_to_buffer(source.handle, 0, target.handle, offset, nbytes)
        self._submit(encoder)

    def close(self) -> None:
        self._device.destroy()


def _encode_pass(
    encoder: Any, dispatches: Sequence[tuple[Any, Any, tuple[int, int, int]]], writes: dict[str, Any] | None = None
) -> None:
    """A compute pass of (pipeline, bind group, workgroups); writes: of timestamps."""
    compute = encoder.begin_compute_pass(timestamp_writes=writes)
    for pipeline, group, counts in dispatches:
        compute.set_pipeline(pipeline)
        compute.set_bind_group(0, group)
        compute.dispatch_workgroups(*counts)
    compute.end()


class _Reading(Awaitable[bytes]):
    """Bytes on their way to a staging buffer. Waiting for them blocks: native WebGPU has no event loop of its own."""

    def __init__(self, staging: Any, nbytes: int) -> None:
        self._staging, self._nbytes = staging, nbytes

    def __await__(self) -> Generator[Any, None, bytes]:
        yield  # others may run, though not while this waits
        self._staging.map_sync("READ")
        data = bytes(self._staging.read_mapped()[: self._nbytes])
        self._staging.destroy()
        return data


def _dashed(limit: str) -> str:
    """`maxBufferSize` as wgpu-py spells it: `max-buffer-size`."""
    return re.sub(r"([A-Z])", lambda m: "-" + m[1].lower(), limit)
