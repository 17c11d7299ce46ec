"""A family's forward function computed with NumPy: the reference that the GPU is held to. Runs in CPython."""

import os
from functools import cache
from typing import cast

import numpy as np
import numpy.typing as npt

from ..gguf_model.header import Header, TensorInfo, read_header
from ..gguf_model.rows import Rows, tensor_of
from ..ops import (
    Heads,
    Pooling,
    Routing,
    Scores,
    altup_numpy,
    attention_numpy,
    binary_numpy,
    causal_conv_numpy,
    dequantize_numpy,
    gated_norm_numpy,
    gated_numpy,
    get_rows_numpy,
    latent_append_numpy,
    layer_norm_numpy,
    linear_attention_numpy,
    linear_experts_numpy,
    linear_numpy,
    pool_numpy,
    qk_norm_numpy,
    rms_norm_numpy,
    rope_numpy,
    route_numpy,
    selective_scan_numpy,
    short_conv_numpy,
    statistical_top_k_numpy,
    token_shift_numpy,
    unary_numpy,
    wkv7_numpy,
)
from ..ops.gated import Activation
from ..ops.lib.array import Array
from ..ops.unary import Function
from .config import Attention, Config, Latent, Mixture, Recurrence, Rope
from .graph import Graph
from .planner import norm_names
from .scales import scale_of


class NumpyGraph(Graph[Array]):
    """Computes a step of the tokens `ids` that follow those of `past`: the keys and values of each layer so far, or
    what it filters.

    past is extended, states (what else is remembered) replaced. dtype: float32, or float64 for an exact reference.
    types: of the tokens [T] (None: all 0).
    """

    def __init__(
        self,
        file: "TensorFile",
        config: Config,
        ids: Array,
        past: dict[int, Array],
        states: dict[str, Array],
        dtype: npt.DTypeLike,
        types: Array | None = None,
    ) -> None:
        self._file, self._config, self._ids, self._dtype = file, config, ids, dtype
        self._past, self._states = past, states
        self._types = np.zeros(len(ids), int) if types is None else types

    def _tensor(self, name: str) -> Array:
        return self._file.dequantized(name).astype(self._dtype, copy=False)

    def _rows(self, name: str | Rows, suffix: str) -> Array:
        whole = self._tensor(f"{tensor_of(name)}{suffix}")
        return (
            whole if isinstance(name, str) else name.of(whole.reshape(-1, whole.shape[-1]) if whole.ndim > 2 else whole)
        )

    def _bias(self, name: str) -> Array | None:
        return self._tensor(f"{name}.bias") if f"{name}.bias" in self._config.tensors else None

    def _scale(self, name: str, count: int) -> Array | None:
        scale = scale_of(self._file.header.tensors, name, count)
        return None if scale is None else self._tensor(scale.name)

    def embed(self, name: str, scale: float = 1.0) -> Array:
        return get_rows_numpy(self._tensor(f"{name}.weight"), self._ids, scale)

    def add_positions(self, x: Array, name: str) -> Array:
        first = self._past[0].shape[1]
        return x + get_rows_numpy(self._tensor(f"{name}.weight"), np.arange(first, first + len(x)))

    def add_types(self, x: Array, name: str) -> Array:
        rows = self._tensor(f"{name}.weight")
        return x + get_rows_numpy(rows, np.minimum(self._types, len(rows) - 1))

    def rms_norm(
        self, x: Array, name: str | None, last: bool = False, parts: int = 1, eps: float | None = None
    ) -> Array:
        rows = x.reshape(len(x), parts, -1)
        weight = None if name is None else self._tensor(self._config.norm(name)).reshape(-1, rows.shape[2])
        return rms_norm_numpy(rows, weight, self._config.norm_eps if eps is None else eps).reshape(x.shape)

    def layer_norm(self, x: Array, name: str, last: bool = False) -> Array:
        return layer_norm_numpy(x, self._tensor(f"{name}.weight"), self._bias(name), self._config.norm_eps)

    def linear(self, x: Array, *names: str | Rows) -> Array:
        def multiply(name: str | Rows) -> Array:
            tensor, weights = tensor_of(name), self._rows(name, ".weight")
            bias = self._rows(name, ".bias") if f"{tensor}.bias" in self._config.tensors else None
            return linear_numpy(x, weights, bias, self._scale(tensor, 1))

        return np.concatenate([multiply(name) for name in names], axis=1)

    def linear_parts(self, x: Array, *names: str) -> Array:
        parts = np.split(x, len(names), axis=1)
        return np.concatenate([part @ self._tensor(f"{n}.weight").T for part, n in zip(parts, names, strict=True)], 1)

    def qk_norm(
        self, qkv: Array, q: str, k: str | None, heads: Heads, whole: bool = False, values: bool = False
    ) -> Array:
        if qkv.shape[1] < heads.qkv_width:
            qkv = np.concatenate([qkv, qkv[:, heads.width :]], axis=1)
        weights = np.concatenate([self._tensor(name) for name in norm_names(q, k)])
        return qk_norm_numpy(qkv, weights, heads, self._config.norm_eps, whole, values)

    def attention(self, qkv: Array, how: Attention) -> Array:
        q, kv, rope = how.heads.heads, how.taken.kv_heads, how.rope
        heads = qkv[:, : how.taken.qkv_width].reshape(len(qkv), -1, how.heads.head_dim)
        past = self._past[how.kept]
        position = past.shape[1] - (0 if kv else len(qkv))
        turned = rope_numpy(heads[:, : q + kv], self._rotations(rope, position), rope.pairing)
        if how.norms is not None:
            weights = np.repeat([self._tensor(f"{norm}.weight") for norm in how.norms], [q, kv], axis=0)
            turned = rms_norm_numpy(turned, weights, self._config.norm_eps)
        if kv:
            new = np.stack([turned[:, q:], heads[:, q + kv :]])
            self._past[how.kept] = np.concatenate([past, new], axis=1)
        keys, values = self._past[how.kept]
        sink = None if how.sinks is None else self._tensor(f"{how.sinks}.weight")
        scores = Scores(how.scale, how.window, how.soft_cap, sink, how.causal, how.alibi)
        out = attention_numpy(turned[:, :q], keys, values, position, scores)
        return out.reshape(len(qkv), -1)

    def latent_attention(self, q: Array, kv: Array, how: Latent) -> Array:
        """With keys and values of every head made anew for all positions: as the paper has it, not as the GPU does."""
        past, rank = self._past[how.layer], how.rank
        position = len(past)
        weight = self._tensor(f"{how.norm}.weight")
        heads = q[:, : how.count * (how.nope + how.pe)].reshape(len(q), how.count, -1)
        rotations, pairing = self._rotations(how.rope, position), how.rope.pairing
        turned, new = latent_append_numpy(heads, kv, weight, self._config.eps, rotations, pairing)
        queries = np.concatenate([heads[..., : how.nope], turned], axis=2)
        self._past[how.layer] = np.concatenate([past, new])
        latents, shared = np.split(self._past[how.layer], [rank], axis=1)
        keys, values = (self._rows(name, ".weight") for name in (how.keys, how.values))
        if not isinstance(how.keys, str):
            keys = keys.reshape(how.count, -1, rank).swapaxes(1, 2)
        all_keys = np.einsum("pr,hrn->phn", latents, keys)
        all_keys = np.concatenate([all_keys, np.repeat(shared[:, None], how.count, axis=1)], axis=2)
        all_values = np.einsum("pr,hvr->phv", latents, values.reshape(how.count, -1, rank))
        return attention_numpy(queries, all_keys, all_values, position, Scores(how.scale)).reshape(len(q), -1)

    def _rotations(self, rope: Rope, position: int) -> Array:
        factors = None if rope.factors is None else self._tensor(rope.factors)
        return rope.rotations(position, len(self._ids), factors).astype(self._dtype)

    def short_conv(self, x: Array, layer: int, name: str) -> Array:
        out, self._past[layer] = short_conv_numpy(x, self._tensor(f"{name}.weight"), self._past[layer])
        return out

    def causal_conv(self, x: Array, *names: str) -> Array:
        name, length = names[0], self._config.ssm.conv_kernel
        taps = np.concatenate([self._tensor(f"{name}.weight").reshape(-1, length) for name in names])
        before = self._states[name][1 - length :]
        out, self._states[name] = causal_conv_numpy(x, taps, self._bias(name), before)
        return out

    def linear_attention(self, x: Array, gates: Array, how: Recurrence) -> Array:
        rates = np.concatenate([self._tensor(name).reshape(-1) for name in how.rates])
        state = self._states[how.name]
        out, self._states[how.name] = linear_attention_numpy(x, gates, rates, how.memory, state)
        return out

    def selective_scan(self, x: Array, steps: Array, keys: Array, queries: Array, prefix: str) -> Array:
        rates = np.concatenate([self._tensor(f"{prefix}.{name}").reshape(-1) for name in ("ssm_a", "ssm_d")])
        before = self._states[prefix]
        out, self._states[prefix] = selective_scan_numpy(x, steps, keys, queries, rates, before)
        return out

    def token_shift(self, x: Array, name: str, *order: int) -> Array:
        mixes = self._tensor(f"{name}.weight").reshape(-1, x.shape[1])
        out, self._states[name] = token_shift_numpy(x, mixes, order, self._states[name])
        return out.reshape(len(x), -1)

    def wkv7(
        self, rkv: Array, decay: Array, rate: Array, prefix: str, mixed: tuple[Array, Array] | None = None
    ) -> Array:
        heads, names = self._config.wkv(decay.shape[1], prefix, mixed is not None)
        constants = np.stack([self._tensor(name) for name in names])
        state = self._states[prefix]
        out, self._states[prefix] = wkv7_numpy(rkv, decay, rate, constants, heads, state, mixed)
        return out

    def gated_norm(
        self, x: Array, gate: Array, name: str, parts: int, before: bool = False, activation: Function = "silu"
    ) -> Array:
        rows, gates = (array.reshape(len(x), parts, -1) for array in (x, gate))
        weight = self._tensor(f"{name}.weight").reshape(-1, rows.shape[2])
        return gated_norm_numpy(rows, gates, weight, self._config.eps, before, activation).reshape(x.shape)

    def gated(self, x: Array, activation: Activation, values: Array | None = None) -> Array:
        return gated_numpy(x if values is None else np.concatenate([x, values], axis=1), activation)

    def experts(self, x: Array, how: Mixture, router: Array | None = None) -> Array:
        c, name = self._config, how.name

        def multiply(x: Array, name: str) -> Array:
            scale = self._scale(name, c.expert_count)
            return linear_experts_numpy(x, self._tensor(f"{name}.weight"), ids, self._bias(name), scale)

        logits = self.linear(x if router is None else router, f"{name}_gate_inp")
        favour = None if how.bias is None else self._tensor(how.bias).reshape(-1)
        routing = Routing(c.expert_count, c.expert_used_count, how.gating, how.normalise, c.expert_weights_scale)
        ids, gates = route_numpy(logits, routing, favour)
        hidden = np.concatenate([multiply(x[:, None], tensor) for tensor in how.hidden(c)], axis=-1)
        activation = how.activation
        active = gated_numpy(hidden, activation) if how.gated else unary_numpy(hidden, cast(Function, activation))
        results = multiply(active, f"{name}_down_exps")
        out: Array = np.einsum("ts,tse->te", gates, results)
        return out

    def altup(
        self, x: Array, others: Array, router: Array, name: str, result: Array | None = None
    ) -> tuple[Array, Array]:
        count, width = router.shape[1], x.shape[1]
        streams = np.concatenate([x, others], axis=1).reshape(-1, count, width)
        coefficients = self._tensor(f"{name}.weight").reshape(-1, *[count] * (2 if result is None else 1))
        out = altup_numpy(streams, router, coefficients, 1 / width, result)
        return out[:, 0], out[:, 1:].reshape(len(x), -1)

    def statistical_top_k(self, x: Array, parts: int, deviations: float) -> Array:
        return statistical_top_k_numpy(x, x.shape[1] // parts, deviations)

    def magnitude(self, x: Array) -> Array:
        out: Array = np.sqrt(np.mean(x * x, axis=1, keepdims=True))
        return out

    def token_gate(self, x: Array, name: str) -> Array:
        return unary_numpy(x @ self._tensor(f"{name}.weight").reshape(-1, 1), "sigmoid")

    def unary(self, x: Array, function: Function, a: float = 0.0, b: float = 0.0) -> Array:
        return unary_numpy(x, function, a, b)

    def scale(self, x: Array, name: str, single: bool = False) -> Array:
        return binary_numpy("mul", x, self._tensor(name).reshape(1, -1))

    def pool(self, x: Array, kind: Pooling) -> Array:
        return pool_numpy(x, kind)[None]

    def add(self, x: Array, y: Array, parts: int = 1) -> Array:
        return binary_numpy("add", x.reshape(len(x), parts, -1), y[:, None]).reshape(x.shape)

    def mul(self, x: Array, y: Array) -> Array:
        return binary_numpy("mul", x, y)

    def slice(self, x: Array, first: int, width: int) -> Array:
        return x[:, first : first + width]

    def concat(self, *xs: Array) -> Array:
        return np.concatenate(xs, axis=1)


class TensorFile:
    """A GGUF file's tensors, dequantized when first asked for and then kept."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = path
        self.header: Header = read_header(path)
        self.dequantized = cache(self._dequantized)

    def _dequantized(self, name: str) -> Array:
        tensor: TensorInfo = self.header.tensors[name]
        raw = np.fromfile(self.path, np.uint8, tensor.nbytes, offset=tensor.offset)
        return dequantize_numpy(raw.reshape(*tensor.shape[:-1], -1), tensor.type).reshape(tensor.shape)


class NumpyModel:
    """The reference of a model of any family: `logits` of token ids, all at once or bit by bit; of one that embeds, the
    `vector` of a text."""

    def __init__(
        self, path: str | os.PathLike[str], dtype: npt.DTypeLike = np.float32, context: int | None = None
    ) -> None:
        from . import plan

        self._file = TensorFile(path)
        self.config, self._forward, self._plan = plan(self._file.header, context)
        self._dtype = dtype
        self.reset()

    def reset(self) -> None:
        """Forget the tokens so far."""
        self._past = {layer: np.zeros(_no_tokens(kept), self._dtype) for layer, kept in self._plan.kept.items()}
        self._states = {name: np.zeros(shape, self._dtype) for name, shape in self._plan.states.items()}

    def logits(self, ids: npt.ArrayLike) -> Array:
        """ids [T], which follow those of earlier calls -> logits [T, vocabulary]."""
        graph = NumpyGraph(self._file, self.config, np.asarray(ids), self._past, self._states, self._dtype)
        logits: Array = self._forward(graph, self.config)
        return logits

    def vector(self, ids: npt.ArrayLike, types: npt.ArrayLike | None = None) -> Array:
        """ids [T] of a text, and their types -> its vector or scores [width], as `pooled` makes them."""
        self.reset()
        given = None if types is None else np.asarray(types)
        graph = NumpyGraph(self._file, self.config, np.asarray(ids), self._past, self._states, self._dtype, given)
        vector: Array = self._forward(graph, self.config)[0]
        return vector


def _no_tokens(kept: Heads | int) -> tuple[int, ...]:
    """The shape of what is remembered before there is a token."""
    if isinstance(kept, int):
        return 0, kept
    return (0, kept.head_dim) if kept.latent else (2, 0, kept.kv_heads, kept.head_dim)
