"""Each test of an op runs on every compiler, with and without subgroups."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import gpus
import numpy as np
import pytest

from py_wgml.gguf_model.ggml import GGMLQuantizationType
from py_wgml.gguf_model.weights import Matrix, Part
from py_wgml.gpu import Buffer, Device, Program
from py_wgml.ops import step_block


@pytest.fixture(params=["naga", "tint", "naga-subgroups", "tint-subgroups"])
def device(request: pytest.FixtureRequest) -> Device:
    compiler, _, subgroups = request.param.partition("-")
    return gpus.device(compiler, bool(subgroups))


class Bench:
    """What a test of an op needs: inputs on the GPU, poisoned outputs, one run, the result as an array."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.random = np.random.default_rng(7)

    def normal(self, *shape: int) -> Any:
        return self.random.standard_normal(shape).astype(np.float32)

    def up(self, array: Any) -> Buffer:
        return self.device.upload(np.ascontiguousarray(array))

    def poison(self, *shape: int) -> Buffer:
        """An output full of NaN: whatever an op leaves unwritten shows."""
        return self.up(np.full(shape, np.nan, np.float32))

    def step(self, position: int, count: int) -> Buffer:
        return self.device.upload(step_block(position, count))

    def matrix(self, values: Any, type: GGMLQuantizationType, cuts: tuple[int, ...] = ()) -> tuple[Matrix, Any]:
        """`values` quantized by the gguf package, cut into parts before the rows `cuts`; and what it dequantizes to."""
        from gguf import quants
        from quantize import quantize

        rows = quantize(values, type)
        bounds = [0, *cuts, len(rows)]
        parts = tuple(Part(self.up(rows[a:b]), type, a, b - a) for a, b in itertools.pairwise(bounds))
        return Matrix(parts, values.shape[1]), quants.dequantize(rows, type).reshape(values.shape)

    def run(self, record: Callable[[Program], None], out: Buffer, *shape: int) -> Any:
        program = self.device.program()
        record(program)
        program.run()
        return self.array(out, *shape)

    def array(self, buffer: Buffer, *shape: int, dtype: Any = np.float32) -> Any:
        return asyncio.run(self.device.read_array(buffer, shape, dtype))


@pytest.fixture
def bench(device: Device) -> Bench:
    return Bench(device)
