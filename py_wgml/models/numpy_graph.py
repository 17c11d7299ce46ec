"""A family's forward function computed with NumPy: the reference that the GPU is held to. Runs in CPython."""

import math
import os
from functools import cache

import numpy as np
import numpy.typing as npt

from ..gguf_model.header import Header, TensorInfo, read_header
from ..ops import (
    attention_numpy,
    gated_numpy,
    get_rows_numpy,
    linear_numpy,
    rms_norm_numpy,
    rope_numpy,
    rotations_numpy,
)
from ..ops.array import Array
from ..ops.gated import Activation
from ..ops.rope import Pairing
from .config import Config
from .graph import Graph


class NumpyGraph(Graph[Array]):
    """Computes a step of the tokens `ids` that follow those of `past`, the keys and values of each layer so far.

    past is extended. dtype: float32, or float64 for an exact reference.
    """

    def __init__(self, file: "TensorFile", config: Config, ids: Array, past: list[Array], dtype: npt.DTypeLike) -> None:
        self._file, self._config, self._ids, self._past, self._dtype = file, config, ids, past, dtype

    def _tensor(self, name: str) -> Array:
        return self._file.dequantized(name).astype(self._dtype, copy=False)

    def embed(self, name: str) -> Array:
        return get_rows_numpy(self._tensor(f"{name}.weight"), self._ids)

    def rms_norm(self, x: Array, name: str, last: bool = False) -> Array:
        return rms_norm_numpy(x, self._tensor(f"{name}.weight"), self._config.norm_eps)

    def linear(self, x: Array, *names: str, add_to: Array | None = None) -> Array:
        results = []
        for name in names:
            bias = self._tensor(f"{name}.bias") if f"{name}.bias" in self._file.header.tensors else None
            results.append(linear_numpy(x, self._tensor(f"{name}.weight"), bias))
        product = np.concatenate(results, axis=1)
        return product if add_to is None else add_to + product

    def attention(self, qkv: Array, layer: int, pairing: Pairing) -> Array:
        c = self._config
        heads = qkv.reshape(len(qkv), -1, c.head_dim)
        past = self._past[layer]
        position = past.shape[1]
        rotations = rotations_numpy(
            position, len(qkv), c.rope_dim, c.rope_base, c.rope_scale, self._file.rope_factors()
        ).astype(self._dtype)
        turned = rope_numpy(heads[:, : c.head_count + c.head_count_kv], rotations, pairing)
        new = np.stack([turned[:, c.head_count :], heads[:, c.head_count + c.head_count_kv :]])
        self._past[layer] = np.concatenate([past, new], axis=1)
        keys, values = self._past[layer]
        out = attention_numpy(turned[:, : c.head_count], keys, values, position, 1 / math.sqrt(c.head_dim))
        return out.reshape(len(qkv), -1)

    def gated(self, x: Array, activation: Activation) -> Array:
        return gated_numpy(x, activation)


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

    def rope_factors(self) -> Array | None:
        """Per-pair divisors of the rotary frequencies, where the file has them."""
        return self.dequantized("rope_freqs.weight") if "rope_freqs.weight" in self.header.tensors else None


class NumpyModel:
    """The reference of a model of any family: `logits` of token ids, all at once or bit by bit."""

    def __init__(self, path: str | os.PathLike[str], dtype: npt.DTypeLike = np.float32) -> None:
        from . import family_of

        self._file = TensorFile(path)
        self.config = Config.from_header(self._file.header)
        self._forward = family_of(self.config.architecture)
        self._dtype = dtype
        self.reset()

    def reset(self) -> None:
        """Forget the tokens so far."""
        c = self.config
        self._past: list[Array] = [
            np.zeros((2, 0, c.head_count_kv, c.head_dim), self._dtype) for _ in range(c.block_count)
        ]

    def logits(self, ids: npt.ArrayLike) -> Array:
        """ids [T], which follow those of earlier calls -> logits [T, vocabulary]."""
        graph = NumpyGraph(self._file, self.config, np.asarray(ids), self._past, self._dtype)
        logits: Array = self._forward(graph, self.config)
        return logits
