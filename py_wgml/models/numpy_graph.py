"""A family's forward function computed with NumPy: the reference that the GPU is held to. Runs in CPython."""

import os
from functools import cache

import numpy as np
import numpy.typing as npt

from ..gguf_model.header import Header, TensorInfo, read_header
from ..ops import (
    Routing,
    Scores,
    attention_numpy,
    gated_numpy,
    get_rows_numpy,
    layer_norm_numpy,
    linear_experts_numpy,
    linear_numpy,
    qk_norm_numpy,
    rms_norm_numpy,
    rope_numpy,
    route_numpy,
    short_conv_numpy,
    unary_numpy,
)
from ..ops.gated import Activation
from ..ops.lib.array import Array
from ..ops.route import Gating
from ..ops.unary import Function
from .config import NO_ROPE, Config, Rope
from .graph import Graph, expert_parts


class NumpyGraph(Graph[Array]):
    """Computes a step of the tokens `ids` that follow those of `past`: the keys and values of each layer so far, or
    what it filters.

    past is extended. dtype: float32, or float64 for an exact reference.
    """

    def __init__(self, file: "TensorFile", config: Config, ids: Array, past: list[Array], dtype: npt.DTypeLike) -> None:
        self._file, self._config, self._ids, self._past, self._dtype = file, config, ids, past, dtype

    def _tensor(self, name: str) -> Array:
        return self._file.dequantized(name).astype(self._dtype, copy=False)

    def _bias(self, name: str) -> Array | None:
        return self._tensor(f"{name}.bias") if f"{name}.bias" in self._config.tensors else None

    def embed(self, name: str, scale: float = 1.0) -> Array:
        return get_rows_numpy(self._tensor(f"{name}.weight"), self._ids, scale)

    def add_positions(self, x: Array, name: str) -> Array:
        first = self._past[0].shape[1]
        return x + get_rows_numpy(self._tensor(f"{name}.weight"), np.arange(first, first + len(x)))

    def rms_norm(self, x: Array, name: str, last: bool = False, add_to: Array | None = None) -> Array:
        normed = rms_norm_numpy(x, self._tensor(f"{name}.weight"), self._config.norm_eps)
        return normed if add_to is None else add_to + normed

    def layer_norm(self, x: Array, name: str, last: bool = False) -> Array:
        return layer_norm_numpy(x, self._tensor(f"{name}.weight"), self._bias(name), self._config.norm_eps)

    def linear(self, x: Array, *names: str, add_to: Array | None = None) -> Array:
        product = np.concatenate(
            [linear_numpy(x, self._tensor(f"{name}.weight"), self._bias(name)) for name in names], axis=1
        )
        return product if add_to is None else add_to + product

    def qk_norm(self, qkv: Array, q: str, k: str, whole: bool = False) -> Array:
        c = self._config
        weights = np.concatenate([self._tensor(f"{name}.weight") for name in (q, k)])
        return qk_norm_numpy(qkv, weights, c.heads, c.norm_eps, whole)

    def attention(
        self,
        qkv: Array,
        layer: int,
        rope: Rope = NO_ROPE,
        scale: float | None = None,
        window: int | None = None,
        soft_cap: float | None = None,
        sinks: str | None = None,
        norms: tuple[str, str] | None = None,
    ) -> Array:
        c = self._config
        heads = qkv.reshape(len(qkv), -1, c.head_dim)
        past = self._past[layer]
        position = past.shape[1]
        factors = None if rope.factors is None else self._tensor(rope.factors)
        rotations = rope.rotations(position, len(qkv), factors).astype(self._dtype)
        turned = rope_numpy(heads[:, : c.head_count + c.head_count_kv], rotations, rope.pairing)
        if norms is not None:
            weights = np.repeat(
                [self._tensor(f"{norm}.weight") for norm in norms], [c.head_count, c.head_count_kv], axis=0
            )
            turned = rms_norm_numpy(turned, weights, c.norm_eps)
        new = np.stack([turned[:, c.head_count :], heads[:, c.head_count + c.head_count_kv :]])
        self._past[layer] = np.concatenate([past, new], axis=1)
        keys, values = self._past[layer]
        sink = None if sinks is None else self._tensor(f"{sinks}.weight")
        scores = Scores(scale or c.attention_scale, window, soft_cap, sink)
        out = attention_numpy(turned[:, : c.head_count], keys, values, position, scores)
        return out.reshape(len(qkv), -1)

    def short_conv(self, x: Array, layer: int, name: str) -> Array:
        out, self._past[layer] = short_conv_numpy(x, self._tensor(f"{name}.weight"), self._past[layer])
        return out

    def gated(self, x: Array, activation: Activation) -> Array:
        return gated_numpy(x, activation)

    def experts(
        self,
        x: Array,
        name: str,
        activation: Activation,
        add_to: Array,
        normalise: bool = True,
        gating: Gating = "softmax",
        bias: str | None = None,
    ) -> Array:
        c = self._config

        def multiply(x: Array, name: str) -> Array:
            return linear_experts_numpy(x, self._tensor(f"{name}.weight"), ids, self._bias(name))

        logits = self.linear(x, f"{name}_gate_inp")
        favour = None if bias is None else self._tensor(bias).reshape(-1)
        routing = Routing(c.expert_count, c.expert_used_count, gating, normalise, c.expert_weights_scale)
        ids, gates = route_numpy(logits, routing, favour)
        hidden = np.concatenate([multiply(x[:, None], part) for part in expert_parts(c, name)], axis=-1)
        results = multiply(gated_numpy(hidden, activation), f"{name}_down_exps")
        out: Array = add_to + np.einsum("ts,tse->te", gates, results)
        return out

    def add_gated(self, x: Array, name: str, value: Array, add_to: Array) -> Array:
        gate = unary_numpy(x @ self._tensor(f"{name}.weight").reshape(-1, 1), "sigmoid")
        out: Array = add_to + gate * value
        return out

    def unary(self, x: Array, function: Function, a: float = 0.0) -> Array:
        return unary_numpy(x, function, a)


class TensorFile:
    """A GGUF file's tensors, dequantized by the `gguf` package when first asked for and then kept."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = path
        self.header: Header = read_header(path)
        self.dequantized = cache(self._dequantized)

    def _dequantized(self, name: str) -> Array:
        from gguf import quants

        tensor: TensorInfo = self.header.tensors[name]
        raw = np.fromfile(self.path, np.uint8, tensor.nbytes, offset=tensor.offset)
        if tensor.type.name in ("F32", "F16"):
            raw = raw.view(np.float32 if tensor.type.name == "F32" else np.float16)
        return quants.dequantize(raw.reshape(*tensor.shape[:-1], -1), tensor.type).reshape(tensor.shape)


class NumpyModel:
    """The reference of a model of any family: `logits` of token ids, all at once or bit by bit."""

    def __init__(
        self, path: str | os.PathLike[str], dtype: npt.DTypeLike = np.float32, context: int | None = None
    ) -> None:
        from . import plan

        self._file = TensorFile(path)
        self.config, self._forward, _ = plan(self._file.header, context)
        self._dtype = dtype
        self.reset()

    def reset(self) -> None:
        """Forget the tokens so far."""
        c = self.config
        keys, filtered = (2, 0, c.head_count_kv, c.head_dim), (0, c.embedding_length)
        self._past: list[Array] = [
            np.zeros(filtered if c.is_convolution(layer) else keys, self._dtype) for layer in range(c.block_count)
        ]

    def logits(self, ids: npt.ArrayLike) -> Array:
        """ids [T], which follow those of earlier calls -> logits [T, vocabulary]."""
        graph = NumpyGraph(self._file, self.config, np.asarray(ids), self._past, self._dtype)
        logits: Array = self._forward(graph, self.config)
        return logits
