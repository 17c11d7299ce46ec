"""A family's forward function recorded as a Program."""

import math
from collections import defaultdict

import numpy as np
import numpy.typing as npt

from ..gguf_model.weights import Weights
from ..gpu import Buffer, Device, Program
from ..ops import attention, gated, get_rows, linear, rms_norm, rope_append, rotations_numpy
from ..ops.gated import Activation
from ..ops.rope import Pairing
from .config import Config
from .graph import Graph

_ROTATIONS_AT_ONCE = 4096  # positions: bounds what is made on the CPU
_ROTATION_BYTES = 4  # an element of a position: cosine and sine of a pair are two f32


class Cache:
    """Keys and values of every position processed so far, a pair of buffers a layer, and each position's rotations.

    half: kept in half precision. It grows as the sequence does; `length` is how many positions it has room for,
    `max_length` how many it can have.
    """

    def __init__(self, device: Device, config: Config, half: bool) -> None:
        self._device, self._config, self.half = device, config, half
        self._factors: npt.NDArray[np.float32] | None = None
        self._position_bytes = config.head_count_kv * config.head_dim * (2 if half else 4)
        self.length = 0
        self.layers: list[tuple[Buffer, Buffer]] = []
        self.rotations: Buffer | None = None
        largest = max(self._position_bytes, config.rope_dim * _ROTATION_BYTES)
        self.max_length = min(config.context_length, device.max_tensor_bytes // largest)

    def grow(self, length: int) -> None:
        """Make room for `length` positions, keeping what is there. Programs recorded before must not run any more."""
        device, config = self._device, self._config
        nbytes = length * self._position_bytes
        old = self.layers
        self.layers = []
        for layer in range(config.block_count):
            pair = device.buffer(nbytes, f"k_cache.{layer}"), device.buffer(nbytes, f"v_cache.{layer}")
            if old:
                for source, target in zip(old[layer], pair, strict=True):
                    device.copy(source, target, self.length * self._position_bytes)
                    source.destroy()
            self.layers.append(pair)
        if self.rotations is not None:
            self.rotations.destroy()
        self.rotations = device.buffer(length * config.rope_dim * _ROTATION_BYTES, "rotations")
        self.length = length
        self._write_rotations()

    def set_rope_factors(self, factors: npt.NDArray[np.float32]) -> None:
        """Divide the rotary frequencies by `factors` [rope_dim / 2] from now on."""
        self._factors = factors
        self._write_rotations()

    def _write_rotations(self) -> None:
        c = self._config
        assert self.rotations is not None
        for first in range(0, self.length, _ROTATIONS_AT_ONCE):
            count = min(_ROTATIONS_AT_ONCE, self.length - first)
            table = rotations_numpy(first, count, c.rope_dim, c.rope_base, c.rope_scale, self._factors)
            self._device.write(self.rotations, table, first * c.rope_dim * _ROTATION_BYTES)

    def destroy(self) -> None:
        """Give the memory back."""
        for buffer in (self.rotations, *(buffer for pair in self.layers for buffer in pair)):
            if buffer is not None:
                buffer.destroy()


class Pool:
    """Buffers for activations. One goes back when the last reference to its Tensor goes, so that a layer uses the
    memory of the layer before."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._free: dict[int, list[Buffer]] = defaultdict(list)
        self._all: list[Buffer] = []

    def take(self, nbytes: int) -> Buffer:
        if self._free[nbytes]:
            return self._free[nbytes].pop()
        self._all.append(self._device.buffer(nbytes, "activation"))
        return self._all[-1]

    def give(self, buffer: Buffer, nbytes: int) -> None:
        self._free[nbytes].append(buffer)

    def destroy(self) -> None:
        """Give the memory back."""
        for buffer in self._all:
            buffer.destroy()


class Tensor:
    """An activation: float32 [rows, width] in a buffer of the pool."""

    def __init__(self, pool: Pool, rows: int, width: int) -> None:
        self._pool, self.rows, self.width = pool, rows, width
        self._nbytes = 4 * rows * width
        self.buffer = pool.take(self._nbytes)

    def __del__(self) -> None:
        self._pool.give(self.buffer, self._nbytes)


class GpuGraph(Graph[Tensor]):
    """Records a step of at most `max_count` tokens into `program`. every: logits of all its tokens, not of the last."""

    def __init__(
        self,
        program: Program,
        step: Buffer,
        tokens: Buffer,
        weights: Weights,
        config: Config,
        cache: Cache,
        pool: Pool,
        max_count: int,
        every: bool = False,
    ) -> None:
        self._program, self._step, self._tokens = program, step, tokens
        self._weights, self._config, self._cache, self._pool = weights, config, cache, pool
        self._max_count, self._every = max_count, every

    def embed(self, name: str) -> Tensor:
        matrix = self._weights.matrices[name,]
        out = Tensor(self._pool, self._max_count, matrix.columns)
        get_rows(self._program, self._step, self._tokens, matrix, out.buffer, self._max_count)
        return out

    def rms_norm(self, x: Tensor, name: str, last: bool = False) -> Tensor:
        last = last and not self._every
        out = Tensor(self._pool, 1 if last else x.rows, x.width)
        weight = self._weights.vectors[name,]
        rms_norm(self._program, self._step, x.buffer, weight, out.buffer, x.width, self._config.norm_eps, x.rows, last)
        return out

    def linear(self, x: Tensor, *names: str, add_to: Tensor | None = None) -> Tensor:
        matrix = self._weights.matrices[names]
        bias = self._weights.vectors.get(tuple(f"{name}.bias" for name in names))
        out = add_to or Tensor(self._pool, x.rows, matrix.rows)
        linear(self._program, self._step, x.buffer, matrix, out.buffer, x.rows, bias, accumulate=add_to is not None)
        return out

    def attention(self, qkv: Tensor, layer: int, pairing: Pairing) -> Tensor:
        c, cache = self._config, self._cache
        k_cache, v_cache = cache.layers[layer]
        assert cache.rotations is not None
        width = c.head_count * c.head_dim
        q, out = Tensor(self._pool, qkv.rows, width), Tensor(self._pool, qkv.rows, width)
        rope_append(
            self._program, self._step, qkv.buffer, cache.rotations, q.buffer, k_cache, v_cache,
            c.head_count, c.head_count_kv, c.head_dim, c.rope_dim, pairing, cache.half, qkv.rows,
        )  # fmt: skip
        attention(
            self._program, self._step, q.buffer, k_cache, v_cache, out.buffer,
            c.head_count, c.head_count_kv, c.head_dim, 1 / math.sqrt(c.head_dim), cache.half, qkv.rows,
        )  # fmt: skip
        return out

    def gated(self, x: Tensor, activation: Activation) -> Tensor:
        out = Tensor(self._pool, x.rows, x.width // 2)
        gated(self._program, self._step, x.buffer, out.buffer, out.width, activation, x.rows)
        return out
