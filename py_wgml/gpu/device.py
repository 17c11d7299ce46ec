"""Device, Buffer, UniformCache, PipelineCache and Program: all that the layers above know of WebGPU.

A model step is a Program: Python records its dispatches once, and each step replays them with one call. What differs
from step to step lies in small buffers that the kernels read. See https://www.w3.org/TR/webgpu/ for the terms.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import wgsl
from ..errors import WgmlError
from ..names import Mappings, joined, require_names

# The optional features that some kernel has a variant for, and so the only ones asked for.
OPTIONAL_FEATURES = ("subgroups", "timestamp-query")
# A feature of the language WGSL that some kernel has a variant for; a device that has it lists it among its features.
INTEGER_PRODUCTS = "packed_4x8_integer_dot_product"
# Products and attention of many tokens by tiles, as large as registers and workgroup memory allow.
TILES = "tiles"
# What kernels are made of beyond their plain form, where the device has it, and computes rightly with it.
VARIANTS = ("subgroups", INTEGER_PRODUCTS, TILES)

# Two limits decide how a tensor is cut into buffers; https://www.w3.org/TR/webgpu/#limits gives their defaults.
DEFAULT_LIMITS = {"maxBufferSize": 256 << 20, "maxStorageBufferBindingSize": 128 << 20}
MAX_WORKGROUPS = 65535  # maxComputeWorkgroupsPerDimension
MAX_STORAGE_BINDINGS = 8  # maxStorageBuffersPerShaderStage
MAX_WORKGROUP_BYTES = 16384  # maxComputeWorkgroupStorageSize
MAX_QUERIES = 4096  # of a query set

Data = bytes | bytearray | memoryview | npt.NDArray[Any]


def _bytes_view(data: Data) -> memoryview:
    """`data` as bytes, without a copy where it is contiguous."""
    view = np.ascontiguousarray(data).data if isinstance(data, np.ndarray) else memoryview(data)
    return view.cast("B")


@dataclass(frozen=True)
class AdapterInfo:
    """Who makes the GPU, as the adapter says (any of them may be empty), and its subgroup sizes in invocations.

    software: it is the CPU. There work costs what it costs, wherever it is done, and dispatches cost little: nothing
    should be done twice, or be shared out, to save one.
    """

    vendor: str = ""
    architecture: str = ""
    device: str = ""
    description: str = ""
    subgroup_min_size: int = 4
    subgroup_max_size: int = 128
    software: bool = False

    @property
    def name(self) -> str:
        """In words; empty where the adapter says nothing."""
        return " ".join(filter(None, (self.vendor, self.architecture, self.device, self.description)))


class Buffer:
    """GPU memory of `nbytes` bytes (a multiple of 4)."""

    __slots__ = ("device", "handle", "label", "nbytes")

    def __init__(self, device: "Device", handle: Any, nbytes: int, label: str) -> None:
        self.device, self.handle, self.nbytes, self.label = device, handle, nbytes, label

    def destroy(self) -> None:
        """Give the memory back. Programs that use the buffer must not run any more."""
        if self.handle is not None:
            self.device._destroy_buffer(self.handle)
            self.device.memory -= self.nbytes
            self.handle = None

    def __repr__(self) -> str:
        return f"Buffer({self.label or 'unnamed'}, {self.nbytes} bytes)"


Bound = Buffer | bytes | Mapping[str, Any]
"""What a binding of a dispatch can be given: see `Program.dispatch`."""


@dataclass(frozen=True, eq=False)
class Pipeline:
    """A compiled kernel: the parameters of its template and what came of it, the bindings that it declares, and the
    backend's handle."""

    name: str
    parameters: Mapping[str, Any]
    code: str
    bindings: tuple[wgsl.Binding, ...]
    handle: Any

    @property
    def variants(self) -> frozenset[str]:
        """Which of VARIANTS it is made of."""
        used = {
            "subgroups": wgsl.uses_subgroups(self.code),
            INTEGER_PRODUCTS: bool(self.parameters.get("x_bytes")),
            TILES: self.name.endswith("_tile"),
        }
        return frozenset(name for name, is_used in used.items() if is_used)


def padded(nbytes: int) -> int:
    """What WebGPU copies and writes: whole words."""
    return nbytes + -nbytes % 4


class UniformCache:
    """Uniform buffers by content: equal contents share one (WebGPU has no push constants)."""

    def __init__(self, device: "Device") -> None:
        self._device = device
        self._buffers: dict[bytes, Buffer] = {}

    def __getitem__(self, content: bytes) -> Buffer:
        if content not in self._buffers:
            self._buffers[content] = self._device.upload(content, label="uniform")
        return self._buffers[content]


class PipelineCache:
    """Pipelines by kernel name and template parameters."""

    def __init__(self, device: "Device") -> None:
        self._device = device
        self._pipelines: dict[tuple[str, tuple[tuple[str, Any], ...]], Pipeline] = {}

    def get(self, name: str, parameters: Mapping[str, Any]) -> Pipeline:
        key = (name, tuple(sorted(parameters.items())))
        if key not in self._pipelines:
            code = wgsl.compose(name, parameters)
            if wgsl.uses_subgroups(code) and self._device.subgroups_directive:
                code = "enable subgroups;\n" + code
            bindings = wgsl.bindings(code)
            handle = self._device._create_pipeline(name, code, bindings)
            self._pipelines[key] = Pipeline(name, dict(parameters), code, bindings, handle)
        return self._pipelines[key]

    def values(self) -> list[Pipeline]:
        return list(self._pipelines.values())

    def discard(self, variant: str) -> None:
        """Forget those made of `variant`: nobody asks for them, or waits for them to be compiled, any more."""
        for key, pipeline in [*self._pipelines.items()]:
            if variant in pipeline.variants:
                self._device._discard_pipeline(pipeline.handle)
                del self._pipelines[key]


@dataclass(eq=False)
class Program:
    """A list of dispatches, recorded once and replayed with one call.

    Dispatches run in order, each seeing what those before it wrote.
    """

    device: "Device"
    label: str = ""
    dispatches: list[tuple[Pipeline, tuple[Buffer, ...], tuple[int, int, int]]] = field(default_factory=list)
    handle: Any = None

    def dispatch(
        self,
        kernel: str,
        bindings: Mappings[Bound | None],
        workgroups: int | tuple[int, int, int],
        params: Mappings[Any] | None = None,
        **template: Any,
    ) -> None:
        """Append one dispatch of `wgsl/<kernel>.wgsl`.

        bindings: what it declares, by name; None is as good as not given, `bytes` are the content of a buffer that none
        writes, and a mapping that of a uniform buffer (`wgsl.uniform`). params: the one that kernels call so. Both may
        come in several mappings, a name in one of them.
        workgroups: (x, y, z), or a number that may exceed what one dimension takes (the kernel then reads its index
        with `lib/workgroup_index.wgsl`). template: parameters of the WGSL template; `subgroups` (are they used on this
        GPU?) is added to them.
        Raises WgmlError, with the kernel and the names, when a binding or a field of a uniform is missing, unknown or
        given twice, or a value does not fit its type.
        """
        device, what = self.device, f"kernel {kernel}"
        pipeline = device.pipelines.get(kernel, {"subgroups": device.uses("subgroups"), **template})
        given = joined(what, bindings)
        if params is not None:
            given = joined(what, (given, {"params": joined(f"{what}: params", params)}))
        bound = {name: value for name, value in given.items() if value is not None}
        require_names(what, [binding.name for binding in pipeline.bindings], bound)
        buffers = tuple(self._buffer(what, binding, bound[binding.name]) for binding in pipeline.bindings)
        counts = fold(workgroups) if isinstance(workgroups, int) else workgroups
        if not all(0 < count <= MAX_WORKGROUPS for count in counts):
            raise WgmlError(f"kernel {kernel}: a dispatch of {counts} workgroups is out of bounds")
        self.dispatches.append((pipeline, buffers, counts))

    def _buffer(self, what: str, binding: wgsl.Binding, value: Bound) -> Buffer:
        if isinstance(value, Buffer):
            return value
        if isinstance(value, Mapping):
            if binding.access != "uniform" or binding.type is None:
                raise WgmlError(f"{what}: {binding.name} is no uniform buffer of known fields")
            value = wgsl.uniform(f"{what}: {binding.name}", binding.type, value)
        if not isinstance(value, bytes):
            raise WgmlError(f"{what}: {binding.name} is no Buffer but of type {type(value).__name__}")
        return self.device.uniforms[value]

    def rebind(self, others: Mapping[Buffer, Buffer]) -> None:
        """Give the dispatches other buffers in the place of some: larger ones, say, that hold the same."""
        self.dispatches = [
            (pipeline, tuple(others.get(buffer, buffer) for buffer in buffers), counts)
            for pipeline, buffers, counts in self.dispatches
        ]
        self.handle = None

    def run(self) -> None:
        """Submit the dispatches to the GPU; returns at once."""
        self.device.run(self)


def fold(workgroups: int) -> tuple[int, int, int]:
    """A count of workgroups laid out in two dimensions, where one would be too long; the last row may overhang."""
    if workgroups <= MAX_WORKGROUPS:
        return workgroups, 1, 1
    rows = -(-workgroups // MAX_WORKGROUPS)
    return -(-workgroups // rows), rows, 1


class Device(ABC):
    """One GPU. `memory` counts the bytes of its living buffers, `peak_memory` the most there were.

    distrusted: those of VARIANTS with which it was found to compute something wrong, each with what that was. tried:
    the error of each kind of kernel that was tried on it (generate/trial.py). timed: microseconds of a product, by what
    it multiplies (generate/timing.py).
    """

    info: AdapterInfo
    features: frozenset[str]
    limits: Mapping[str, int]
    subgroups_directive = True  # naga has the feature but does not know its `enable` directive

    def __init__(self, info: AdapterInfo, features: frozenset[str], limits: Mapping[str, int]) -> None:
        self.info, self.features, self.limits = info, features, limits
        self.distrusted: dict[str, str] = {}
        self.tried: dict[str, float] = {}
        self.timed: dict[str, float] = {}
        self.memory = self.peak_memory = 0
        self.uniforms = UniformCache(self)
        self.pipelines = PipelineCache(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.info.name!r}, {self.memory / 1e6:,.1f} MB in use)"

    def uses(self, variant: str) -> bool:
        """Whether kernels are to be made of one of VARIANTS here."""
        return variant not in self.distrusted and (variant == TILES or variant in self.features)

    def distrust(self, variant: str, reason: str) -> None:
        """Make no more kernels of one of VARIANTS. Programs that were recorded before have them still."""
        self.distrusted[variant] = reason
        self.pipelines.discard(variant)

    def buffer(self, nbytes: int, label: str = "") -> Buffer:
        """New zeroed memory of at least `nbytes` bytes, for any use a kernel or a copy can make of it.

        Raises WgmlError when it is larger than this device's buffers can be.
        """
        nbytes = max(16, padded(nbytes))
        if nbytes > self.limits["maxBufferSize"]:
            raise WgmlError(f"buffer {label!r} of {nbytes} bytes: this GPU's limit is {self.limits['maxBufferSize']}")
        handle = self._create_buffer(nbytes, label)
        self.memory += nbytes
        self.peak_memory = max(self.peak_memory, self.memory)
        return Buffer(self, handle, nbytes, label)

    def upload(self, data: Data, label: str = "") -> Buffer:
        """New memory that holds `data`."""
        view = _bytes_view(data)
        buffer = self.buffer(view.nbytes, label)
        self.write(buffer, view)
        return buffer

    def program(self, label: str = "") -> Program:
        """An empty Program."""
        return Program(self, label)

    def write(self, buffer: Buffer, data: Data, offset: int = 0) -> None:
        """Copy `data` to `buffer` at byte `offset` (a multiple of 4); a length that is no multiple of 4 is padded."""
        view = _bytes_view(data)
        if view.nbytes % 4:
            view = memoryview(bytes(view) + b"\0" * (-view.nbytes % 4))
        if view.nbytes:
            self._write(buffer.handle, offset, view)

    @abstractmethod
    async def written(self) -> None:
        """Wait until what was written has left Python's memory."""

    @property
    def max_tensor_bytes(self) -> int:
        """The most bytes of a tensor that one binding can see."""
        return min(self.limits["maxBufferSize"], self.limits["maxStorageBufferBindingSize"])

    @abstractmethod
    async def read(self, buffer: Buffer, nbytes: int | None = None, offset: int = 0) -> bytes:
        """The bytes of `buffer` from `offset`, once all submitted work is done."""

    async def read_array(self, buffer: Buffer, shape: tuple[int, ...], dtype: npt.DTypeLike = np.float32) -> Any:
        """The first elements of `buffer` as a NumPy array."""
        count = int(np.prod(shape))
        data = await self.read(buffer, count * np.dtype(dtype).itemsize)
        return np.frombuffer(data, dtype, count).reshape(shape)

    @abstractmethod
    def run(self, program: Program) -> None:
        """Submit `program` to the GPU; returns at once."""

    @abstractmethod
    def run_and_read(
        self, program: Program, buffer: Buffer, offset: int, nbytes: int, times: int = 1
    ) -> Awaitable[bytes]:
        """Submit `program`, `times` over, then a read of `buffer`; returns at once an awaitable of the bytes."""

    async def time(self, program: Program, times: int) -> float:
        """Run `program`, `times` over in one pass; the seconds that one run takes, by the GPU's clock.

        Raises WgmlError when the device has no `timestamp-query`.
        """
        return (await self._seconds(program, times, 1))[0] / times

    async def profile(self, program: Program) -> list[float]:
        """Run `program`; the seconds each of its dispatches takes, in a pass of its own (browsers round them).

        Raises WgmlError when the device has no `timestamp-query`, or no room for as many.
        """
        return await self._seconds(program, 1, len(program.dispatches))

    async def _seconds(self, program: Program, times: int, passes: int) -> list[float]:
        if "timestamp-query" not in self.features or 2 * passes > MAX_QUERIES:
            raise WgmlError("this GPU can't time this program")
        clock = np.frombuffer(await self._timestamps(program, times, passes), np.uint64).astype(np.int64)
        seconds: list[float] = ((clock[1::2] - clock[::2]) * 1e-9).tolist()
        return seconds

    @abstractmethod
    async def _timestamps(self, program: Program, times: int, passes: int) -> bytes:
        """Run `program`, `times` over, shared out evenly among `passes` passes: u64 nanoseconds at which each began and
        ended."""

    @abstractmethod
    def copy(self, source: Buffer, target: Buffer, nbytes: int, offset: int = 0) -> None:
        """Copy the first `nbytes` bytes from `source` to `target` on the GPU, to byte `offset` of it."""

    @abstractmethod
    async def allocated(self) -> None:
        """Wait until the buffers made so far have their memory. Raises WgmlError when one can't get it."""

    @abstractmethod
    async def compiled(self) -> None:
        """Wait until every pipeline asked for is compiled. Raises CompileError with the WGSL line that failed."""

    @abstractmethod
    async def caught_up(self) -> None:
        """Wait until what is compiled one by one is compiled, or has failed: what is not urgent waits for that."""

    @abstractmethod
    def close(self) -> None:
        """Destroy the device and all its buffers."""

    @abstractmethod
    def _create_buffer(self, nbytes: int, label: str) -> Any: ...

    @abstractmethod
    def _destroy_buffer(self, handle: Any) -> None: ...

    @abstractmethod
    def _write(self, handle: Any, offset: int, data: memoryview) -> None: ...

    @abstractmethod
    def _create_pipeline(self, name: str, code: str, bindings: tuple[wgsl.Binding, ...]) -> Any: ...

    @abstractmethod
    def _discard_pipeline(self, handle: Any) -> None:
        """Wait no more for a pipeline."""


class CompileError(WgmlError):
    """A kernel does not compile: what the compiler says and the composed lines around it.

    pipeline: which one, where it was asked for before that was known.
    """

    def __init__(self, name: str, code: str, line: int, message: str, pipeline: Pipeline | None = None) -> None:
        super().__init__(f"kernel {name}, line {line}: {message}\n{wgsl.excerpt(code, line)}")
        self.pipeline = pipeline
