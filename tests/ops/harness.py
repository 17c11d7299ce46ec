"""How an op is tested: inputs on the GPU, poisoned outputs, one run, and the error of what it left behind.

`cases/` has a file an operation: its cases (TABLE; LARGE are for timing), what it refuses (refusals), and how what it
runs is broken on purpose (MUTATIONS). Every case runs on each compiler (naga, Tint), with and without subgroups, at
default limits.
"""

import asyncio
import itertools
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gpus
import numpy as np

from py_wgml.errors import WgmlError
from py_wgml.gguf_model.ggml import GGMLQuantizationType
from py_wgml.gguf_model.weights import Matrix, Stripe
from py_wgml.gpu import Buffer, Device, Program
from py_wgml.ops import dequantize_numpy, step_uniform

VARIANTS = ("naga", "tint", "naga-subgroups", "tint-subgroups")

# An output holds this NaN before a run, and GUARD words more of it than the op may write.
POISON = np.uint32(0x7FC0DEAD)
GUARD = 64

# What the inputs of a case hold: scales of a normal distribution. float32 numbers below 1.2e-38 are denormal.
VALUES = {"normal": 1.0, "zeros": 0.0, "denormal": 1e-42, "large": 1e12}


def device(variant: str, timestamps: bool = False) -> Device:
    """The device of one of VARIANTS. Raises WgmlError when its adapter lacks what the variant is to have."""
    compiler, _, subgroups = variant.partition("-")
    found = gpus.device(compiler, bool(subgroups), timestamps)
    if subgroups and "subgroups" not in found.features:
        raise WgmlError(f"the adapter of {compiler} has no subgroups")
    return found


@dataclass(frozen=True)
class Job:
    """One run of an op. expected: what it must leave in each output; NaN where it must write nothing.

    flops: its arithmetic operations. nbytes: what it must at least move; None: all that the case has on the GPU.
    """

    record: Callable[[Program], None]
    expected: Mapping[Buffer, Any]
    flops: int = 0
    nbytes: int | None = None


class Bench:
    """What a test of an op needs. `values` names the scale of what `normal` draws; see VALUES."""

    def __init__(self, device: Device, values: str = "normal", seed: int = 7) -> None:
        self.device = device
        self.scale = np.float32(VALUES[values])
        self.random = np.random.default_rng(seed)
        self.buffers: list[Buffer] = []
        self._outputs: dict[Buffer, tuple[tuple[int, ...], Any]] = {}

    def normal(self, *shape: int) -> Any:
        return self.random.standard_normal(shape, np.float32) * self.scale

    def up(self, array: Any) -> Buffer:
        self.buffers.append(self.device.upload(np.ascontiguousarray(array)))
        return self.buffers[-1]

    def poison(self, *shape: int, dtype: Any = np.float32) -> Buffer:
        """An output full of POISON: whatever an op leaves unwritten shows, and so does what it writes beyond."""
        words = -(-int(np.prod(shape)) * np.dtype(dtype).itemsize // 4)
        out = self.up(np.full(words + GUARD, POISON))
        self._outputs[out] = shape, dtype
        return out

    def held(self, array: Any) -> Buffer:
        """An output that holds `array` before the run, and POISON beyond."""
        out = self.poison(*array.shape, dtype=array.dtype)
        self.device.write(out, array)
        return out

    def step(self, position: int, count: int) -> Buffer:
        return self.up(np.frombuffer(step_uniform(position, count), np.uint32))

    def matrix(self, values: Any, type: GGMLQuantizationType, cuts: tuple[int, ...] = ()) -> tuple[Matrix, Any]:
        """`values` quantized, cut into parts before the rows `cuts`; and what it dequantizes to."""
        from quantize import quantize

        rows = quantize(values, type)
        bounds = [0, *cuts, len(rows)]
        parts = tuple(Stripe(self.up(rows[a:b]), type, a, b - a) for a, b in itertools.pairwise(bounds))
        return Matrix(parts, values.shape[1]), dequantize_numpy(rows, type).reshape(values.shape)

    def run(self, record: Callable[[Program], None], out: Buffer, *shape: int) -> Any:
        program = self.device.program()
        record(program)
        program.run()
        return self.array(out, *shape)

    def array(self, buffer: Buffer, *shape: int, dtype: Any = np.float32) -> Any:
        return asyncio.run(self.device.read_array(buffer, shape, dtype))

    def error(self, job: Job) -> float:
        """The largest error of the outputs after a run. AssertionError: one was not written, or beyond its end."""
        program = self.device.program()
        job.record(program)
        program.run()
        return max(self._error_of(out, np.asarray(expected)) for out, expected in job.expected.items())

    def _error_of(self, out: Buffer, expected: Any) -> float:
        shape, dtype = self._outputs[out]
        assert expected.shape == shape, f"expected {expected.shape} of an output {shape}"
        words = np.frombuffer(asyncio.run(self.device.read(out)), np.uint32)
        assert (words[len(words) - GUARD :] == POISON).all(), "written beyond the end"
        got = words.view(dtype)[: expected.size].reshape(shape)
        if np.dtype(dtype).itemsize == 4:
            unwritten = got.view(np.uint32) == POISON
            assert not (np.isnan(expected) & ~unwritten).any(), "written where nothing was to be"
            assert not (unwritten & ~np.isnan(expected)).any(), "left unwritten"
        due = ~np.isnan(expected)
        return normalised_error(got[due], expected[due])

    def close(self) -> None:
        """Give the memory back."""
        for buffer in self.buffers:
            buffer.destroy()


def normalised_error(got: Any, expected: Any) -> float:
    """|got - expected| / |expected| (Euclidean norms); |got| where nothing but zeros is expected.

    A GPU may take denormal numbers for zeros, so they are zeros on both sides.
    """
    tiny = np.finfo(np.float32).tiny
    got, expected = (np.where(np.abs(a) < tiny, 0.0, a.astype(np.float64)) for a in (got, expected))
    norm = float(np.linalg.norm(expected))
    difference = float(np.linalg.norm(got - expected))
    return difference / norm if norm else difference


@dataclass(frozen=True)
class Case:
    """A row of the table, multiplied out: an op's recipe with options. error must be at most `bound`."""

    recipe: Callable[..., Job]
    bound: float
    kind: str
    values: str
    options: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.recipe.__name__.removesuffix("_case")

    @property
    def id(self) -> str:
        options = [f"{key}={value}".replace(" ", "") for key, value in self.options.items()]
        return "-".join([self.name, self.kind, self.values, *options])

    def bench(self, device: Device) -> Bench:
        return Bench(device, self.values, zlib.crc32(self.id.encode()))

    def job(self, bench: Bench) -> Job:
        return self.recipe(bench, self.kind, **self.options)

    def error(self, device: Device) -> float:
        bench = self.bench(device)
        try:
            return bench.error(self.job(bench))
        finally:
            bench.close()


def cases(
    recipe: Callable[..., Job], kinds: Iterable[str], bound: float, values: Sequence[str], **options: Iterable[Any]
) -> list[Case]:
    """One row of the table: every kind, every choice of options. Values other than the first go with the first choice
    of options only: they try arithmetic, not shapes."""
    choices: list[dict[str, Any]] = [
        dict(zip(options, choice, strict=True)) for choice in itertools.product(*options.values())
    ]
    return [
        Case(recipe, bound, str(kind), value, choice)
        for kind in kinds
        for value in values
        for choice in (choices if value == values[0] else choices[:1])
    ]


# Calls that must raise WgmlError, each with what its message must match.
Refusals = Iterable[tuple[Callable[[], object], str]]


@dataclass(frozen=True)
class Mutation:
    """`text`, which stands in `file` (of wgsl/) once, becomes `replacement`; `tests` is what pytest's -k is given."""

    name: str
    file: str
    text: str
    replacement: str
    tests: str
