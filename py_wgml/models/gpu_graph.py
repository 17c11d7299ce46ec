"""A family's forward function recorded as a Program."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from weakref import WeakSet

import numpy as np
import numpy.typing as npt

from ..gguf_model.weights import Matrix, Weights
from ..gpu import Buffer, Device, Program
from ..ops import (
    Append,
    Bits,
    Experts,
    Fusion,
    Groups,
    KvCache,
    Norm,
    Parts,
    Routing,
    Scores,
    Taps,
    View,
    assign,
    attention,
    attention_merge,
    attention_splits,
    cache_bytes,
    can_append,
    can_gate,
    can_merge,
    gated,
    gemm,
    get_rows,
    group_experts,
    group_size,
    layer_norm,
    linear,
    linear_experts,
    qk_norm,
    rms_norm,
    rope_append,
    route,
    short_conv,
    unary,
)
from ..ops.gated import Activation
from ..ops.route import Gating
from ..ops.unary import Function
from .config import NO_ROPE, Config, Rope
from .graph import Graph, expert_parts

_ROTATIONS_AT_ONCE = 4096  # positions: bounds what is made on the CPU
_GROUPED = 2  # tokens of an expert on average, from which on its matrices are read once for several of them
_ROTATION_BYTES = 4  # an element of a position: cosine and sine of a pair are two f32


class Cache:
    """Keys and values of every position processed so far, a pair of buffers a layer, and each position's rotations.
    Layers that are short convolutions have one buffer, of what they filter: it too is kept for every position, so that
    a conversation can go on from any.

    bits: of their elements. ropes: the rotary embeddings there are. It grows as the sequence does; `length` is how many
    positions it has room for, `max_length` how many it can have, `position_bytes` what one takes in all layers.
    """

    def __init__(self, device: Device, config: Config, ropes: Iterable[Rope], bits: Bits) -> None:
        self._device, self._config, self._ropes, self.bits = device, config, tuple(ropes), bits
        self._factors: dict[str, npt.NDArray[np.float32]] = {}
        keys = config.head_count_kv * cache_bytes(config.head_dim, bits)
        self._shapes = [  # bytes of a position in each of a layer's buffers
            {"state": 4 * config.embedding_length}
            if config.is_convolution(layer)
            else {"k_cache": keys, "v_cache": keys}
            for layer in range(config.block_count)
        ]
        self.length = 0
        self.layers: list[tuple[Buffer, ...]] = []
        sizes = [size for shape in self._shapes for size in shape.values()]
        self.position_bytes = sum(sizes)
        self.rotations: dict[Rope, Buffer] = {}
        largest = max(*sizes, *(rope.dim * _ROTATION_BYTES for rope in self._ropes))
        self.max_length = min(config.context_length, device.max_tensor_bytes // largest)

    def grow(self, length: int) -> None:
        """Make room for `length` positions, keeping of what is there as much as fits. Programs recorded before must not
        run any more."""
        device = self._device
        old = self.layers
        self.layers = []
        for layer, shape in enumerate(self._shapes):
            new = tuple(device.buffer(length * size, f"{name}.{layer}") for name, size in shape.items())
            if old:
                for source, target, size in zip(old[layer], new, shape.values(), strict=True):
                    device.copy(source, target, min(self.length, length) * size)
                    source.destroy()
            self.layers.append(new)
        for buffer in self.rotations.values():
            buffer.destroy()
        self.rotations = {rope: device.buffer(length * rope.dim * _ROTATION_BYTES, "rotations") for rope in self._ropes}
        self.length = length
        self._write_rotations()

    async def read_factors(self, weights: Weights) -> None:
        """Take the factors of the rotary frequencies from the weights, once they are there."""
        for rope in self._ropes:
            if rope.factors is not None:
                vector = weights.vectors[rope.factors,]
                self._factors[rope.factors] = await self._device.read_array(vector, (rope.dim // 2,))
        self._write_rotations()

    def _write_rotations(self) -> None:
        for rope, buffer in self.rotations.items():
            factors = self._factors.get(rope.factors) if rope.factors is not None else None
            for first in range(0, self.length if rope.dim else 0, _ROTATIONS_AT_ONCE):
                table = rope.rotations(first, min(_ROTATIONS_AT_ONCE, self.length - first), factors)
                self._device.write(buffer, table, first * rope.dim * _ROTATION_BYTES)

    def destroy(self) -> None:
        """Give the memory back."""
        for buffer in (*self.rotations.values(), *(buffer for layer in self.layers for buffer in layer)):
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
    """An activation: float32 [rows, width] in a buffer of the pool.

    `record` appends the dispatches that fill it to the program. That is put off until `buffer` is first asked for, so
    that the op which takes it up can do its work along with its own instead: a product that of the norm before it, a
    gate that of itself in the product before it. Then it never gets a buffer.
    """

    def __init__(
        self, pool: Pool, rows: int, width: int, record: Callable[[Buffer], None], source: "Tensor | None" = None
    ) -> None:
        self._pool, self.rows, self.width = pool, rows, width
        self._nbytes = 4 * rows * width
        self._record: Callable[[Buffer], None] | None = record
        self._buffer: Buffer | None = None
        self.norm: tuple[Tensor, Norm] | None = None
        self.product: Product | None = None
        self.parts: tuple[Tensor, Parts] | None = None
        # A tensor that is written again must first be read by those who still have to.
        self._readers: WeakSet[Tensor] = WeakSet()
        if source is not None:
            source._readers.add(self)

    def make(self) -> Buffer:
        """Record it, if that is still to be done; from then on it needs nothing that it is made from."""
        if self._buffer is None:
            self._buffer = self._pool.take(self._nbytes)
            assert self._record is not None
            self._record(self._buffer)
            # Let go of what it was made from, which may give its memory back.
            self._record = self.norm = self.product = self.parts = None
        return self._buffer

    @property
    def buffer(self) -> Buffer:
        return self.make()

    def settle(self) -> Buffer:
        """The buffer, once everything that is made from its present content has been recorded."""
        for reader in list(self._readers):
            reader.make()
        self._readers.clear()
        return self.buffer

    def __del__(self) -> None:
        if self._buffer is not None:
            self._pool.give(self._buffer, self._nbytes)


@dataclass(frozen=True)
class Product:
    """A product with weights that has not been recorded yet, and so can still take in what comes after it."""

    x: Tensor
    matrix: Matrix
    bias: Buffer | None


class GpuGraph(Graph[Tensor]):
    """Records a step of at most `max_count` tokens into `program`, meant for positions below `length`.

    every: logits of all its tokens, not of the last. integers: of the products of a single token, see `linear`.
    Steps of one token take fewer dispatches: there a product does the gate after it as well, and the norm before it,
    unless the adapter is a software one (each workgroup makes the norm).
    """

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
        length: int,
        every: bool = False,
        integers: bool = False,
    ) -> None:
        self._program, self._step, self._tokens = program, step, tokens
        self._weights, self._config, self._cache, self._pool = weights, config, cache, pool
        self._max_count, self._every, self._integers = max_count, every, integers
        self._length, self._software = length, program.device.info.software

    def embed(self, name: str, scale: float = 1.0) -> Tensor:
        matrix = self._weights.matrices[name,]

        def record(out: Buffer) -> None:
            get_rows(self._program, self._step, self._tokens, matrix, out, self._max_count, scale)

        return Tensor(self._pool, self._max_count, matrix.columns, record)

    def add_positions(self, x: Tensor, name: str) -> Tensor:
        matrix = self._weights.matrices[name,]
        get_rows(self._program, self._step, None, matrix, x.settle(), x.rows, accumulate=True)
        return x

    def rms_norm(self, x: Tensor, name: str, last: bool = False, add_to: Tensor | None = None) -> Tensor:
        last = last and not self._every
        norm = self._norm(name, x)

        def record(out: Buffer) -> None:
            rms_norm(self._program, self._step, x.buffer, norm, out, x.rows, last, accumulate=add_to is not None)

        if add_to is not None:
            x.make()  # so that it no longer needs what add_to holds
            record(add_to.settle())
            return add_to
        out = Tensor(self._pool, 1 if last else x.rows, x.width, record, x)
        if x.rows == 1 and x.width % 8 == 0 and not self._software:
            out.norm = x, norm
        return out

    def layer_norm(self, x: Tensor, name: str, last: bool = False) -> Tensor:
        last = last and not self._every
        norm, bias = self._norm(name, x), self._weights.vectors.get((f"{name}.bias",))

        def record(out: Buffer) -> None:
            layer_norm(self._program, self._step, x.buffer, norm, bias, out, x.rows, last)

        return Tensor(self._pool, 1 if last else x.rows, x.width, record, x)

    def _norm(self, name: str, x: Tensor) -> Norm:
        return Norm(self._weights.vectors[f"{name}.weight",], x.width, self._config.norm_eps)

    def linear(self, x: Tensor, *names: str, add_to: Tensor | None = None) -> Tensor:
        matrix = self._weights.matrices[names]
        bias = self._weights.vectors.get(tuple(f"{name}.bias" for name in names))

        def record(out: Buffer) -> None:
            self._product(x, matrix, out, Fusion(bias, accumulate=add_to is not None))

        if add_to is not None:
            # So that it no longer needs what add_to holds.
            if x.parts is not None:
                x.parts[0].make()
            elif x.norm is None:
                x.make()
            record(add_to.settle())
            return add_to
        out = Tensor(self._pool, x.rows, matrix.rows, record, x)
        if x.rows == 1:
            out.product = Product(x, matrix, bias)
        return out

    def _product(self, x: Tensor, matrix: Matrix, out: Buffer, after: Fusion) -> None:
        """Record a product that takes in what comes `after` it, and what it can of what comes before."""
        source, norm = x.norm or (x, None)
        parts = None
        if x.parts is not None and after.append is None and can_merge(self._program.device, matrix, x.parts[1]):
            source, parts = x.parts
        fusion = replace(after, norm=norm, parts=parts)
        linear(self._program, self._step, source.buffer, matrix, out, x.rows, fusion, self._integers)

    def qk_norm(self, qkv: Tensor, q: str, k: str, whole: bool = False) -> Tensor:
        c = self._config
        weights = self._weights.vectors[f"{q}.weight", f"{k}.weight"]
        qk_norm(self._program, self._step, qkv.settle(), weights, c.heads, c.norm_eps, qkv.rows, whole)
        return qkv

    def attention(
        self,
        qkv: Tensor,
        layer: int,
        rope: Rope = NO_ROPE,
        scale: float | None = None,
        window: int | None = None,
        soft_cap: float | None = None,
        sinks: str | None = None,
        norms: tuple[str, str] | None = None,
    ) -> Tensor:
        c = self._config
        keys, values = self._cache.layers[layer]
        cache = KvCache(keys, values, c.heads, self._cache.bits)
        append = Append(self._cache.rotations[rope], rope.dim, rope.pairing, cache)
        sink = None if sinks is None else self._weights.vectors[f"{sinks}.weight",]
        scores = Scores(scale or c.attention_scale, window, soft_cap, sink)
        if norms is not None:
            # A rotation leaves a root mean square as it is, so the heads may be scaled before. Their weights may not be
            # applied before; but scores are sums of products, so the keys' may go to the queries too.
            qk_norm(self._program, self._step, qkv.settle(), None, c.heads, c.norm_eps, qkv.rows)
        product = qkv.product

        def rotate(out: Buffer) -> None:
            if product is not None and qkv.product is product and self._can_append(product, append):
                self._product(product.x, product.matrix, out, Fusion(product.bias, append=append))
            else:
                rope_append(self._program, self._step, qkv.buffer, out, append, qkv.rows)
            if norms is not None:
                weights = View.of(self._weights.vectors[tuple(f"{norm}.weight" for norm in norms)], 2, c.head_dim)
                for weight in (weights[:1], weights[1:]):
                    assign(self._program, "mul", View.of(out, qkv.rows * c.head_count, c.head_dim), weight)

        def attend(out: Buffer) -> None:
            attention(self._program, self._step, q.buffer, cache, out, scores, rows, splits)

        # What follows must not hold `qkv`: it will have been made, and what it is made from is let go of.
        rows, length = qkv.rows, min(self._length, window or self._length)
        splits = attention_splits(self._program.device, rows, length)
        q = Tensor(self._pool, rows, c.heads.width, rotate, qkv)
        if splits == 1:
            return Tensor(self._pool, rows, c.heads.width, attend, q)
        parts = Parts(c.heads, splits)
        source = Tensor(self._pool, 1, parts.nbytes(rows) // 4, attend, q)

        def merge(out: Buffer) -> None:
            attention_merge(self._program, self._step, source.buffer, parts, out, rows)

        out = Tensor(self._pool, rows, c.heads.width, merge, source)
        out.parts = source, parts
        return out

    def _can_append(self, product: Product, append: Append) -> bool:
        return can_append(product.matrix, append, (product.bias is not None) + (product.x.norm is not None))

    def short_conv(self, x: Tensor, layer: int, name: str) -> Tensor:
        (state,), taps = self._cache.layers[layer], self._weights.vectors[f"{name}.weight",]
        filters = Taps(taps, self._config.embedding_length, self._config.conv_length)

        def record(out: Buffer) -> None:
            short_conv(self._program, self._step, x.buffer, filters, state, out, x.rows)

        return Tensor(self._pool, x.rows, filters.width, record, x)

    def experts(
        self,
        x: Tensor,
        name: str,
        activation: Activation,
        add_to: Tensor,
        normalise: bool = True,
        gating: Gating = "softmax",
        bias: str | None = None,
    ) -> Tensor:
        c, rows = self._config, x.rows
        slots = c.expert_used_count
        routing = Routing(c.expert_count, slots, gating, normalise, c.expert_weights_scale)
        favour = None if bias is None else self._weights.vectors[bias,]
        chosen: Buffer | Groups

        def multiply(x: Tensor, name: str, out: Tensor, shared: bool = False, first: int = 0) -> int:
            matrix, shift = self._weights.matrices[name,], self._weights.vectors.get((f"{name}.bias",))
            of = Experts(c.expert_count, slots, shared, shift, first, out.width, self._integers)
            linear_experts(self._program, self._step, x.buffer, matrix, chosen, out.buffer, of, rows)
            return matrix.rows // c.expert_count

        x.make()  # several products take it
        ids, gates = self._scratch(rows, slots), self._scratch(rows, slots)
        logits = self.linear(x, f"{name}_gate_inp")  # kept, lest ids or gates get its buffer
        route(self._program, self._step, logits.buffer, ids.buffer, gates.buffer, routing, rows, favour)
        chosen = ids.buffer
        if rows * slots >= _GROUPED * c.expert_count:
            size, count = group_size(c.expert_count, rows * slots)
            tiles, order = self._scratch(count, 3), self._scratch(rows, slots)
            chosen = Groups(tiles.buffer, order.buffer, size, count)
            group_experts(self._program, self._step, ids.buffer, chosen, c.expert_count, slots)
        width = self._weights.matrices[f"{name}_down_exps",].columns
        hidden, active = self._scratch(rows * slots, 2 * width), self._scratch(rows * slots, width)
        first = 0
        for part in expert_parts(c, name):
            first += multiply(x, part, hidden, shared=True, first=first)
        gated(self._program, self._step, hidden.buffer, active.buffer, width, activation, rows, slots)
        results = self._scratch(rows * slots, add_to.width)
        multiply(active, f"{name}_down_exps", results)
        gemm(
            self._program,
            View.of(gates.buffer, rows, 1, slots),
            View.of(results.buffer, rows, slots, add_to.width),
            View.of(add_to.settle(), rows, 1, add_to.width),
            accumulate=True,
        )
        return add_to

    def add_gated(self, x: Tensor, name: str, value: Tensor, add_to: Tensor) -> Tensor:
        rows, weight = x.rows, self._weights.vectors[f"{name}.weight",]
        gates = self._scratch(rows, 1)
        gate = View.of(gates.buffer, rows, 1, 1)
        vector = View.of(weight, x.width, 1)
        gemm(self._program, View.of(x.buffer, rows, x.width), vector, View.of(gates.buffer, rows, 1))
        unary(self._program, "sigmoid", gate, gate)
        values = View.of(value.buffer, rows, 1, value.width)
        gemm(self._program, gate, values, View.of(add_to.settle(), rows, 1, value.width), accumulate=True)
        return add_to

    def _scratch(self, rows: int, width: int) -> Tensor:
        return Tensor(self._pool, rows, width, lambda buffer: None)

    def unary(self, x: Tensor, function: Function, a: float = 0.0) -> Tensor:
        def record(out: Buffer) -> None:
            source, target = (View.of(buffer, x.rows, x.width) for buffer in (x.buffer, out))
            unary(self._program, function, source, target, a)

        return Tensor(self._pool, x.rows, x.width, record, x)

    def gated(self, x: Tensor, activation: Activation) -> Tensor:
        product = x.product

        def record(out: Buffer) -> None:
            if product is not None and x.product is product and product.bias is None and can_gate(product.matrix):
                self._product(product.x, product.matrix, out, Fusion(activation=activation))
            else:
                gated(self._program, self._step, x.buffer, out, x.width // 2, activation, x.rows)

        return Tensor(self._pool, x.rows, x.width // 2, record, x)
