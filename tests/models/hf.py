"""How the models of Hugging Face transformers differ from GGUF files: what llama.cpp's converter does is undone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tiny import Tiny

Tensors = dict[str, Any]


def interleaved(name: str, array: Any, tiny: Tiny) -> Any:
    """llama.cpp's converter puts the two halves of a head of queries or keys in turn; this takes them apart."""
    if ".attn_q." in name or ".attn_k." in name:
        shape = array.shape
        return array.reshape(-1, tiny.head_dim // 2, 2, *shape[1:]).swapaxes(1, 2).reshape(shape)
    return array


def shifted(name: str, array: Any, tiny: Tiny) -> Any:
    """The converter adds 1 to the weights of norms."""
    return array - 1 if name.endswith("norm.weight") else array


def transposed(name: str, array: Any, tiny: Tiny) -> Any:
    """GPT-2 keeps the matrices of its layers with columns first."""
    return array.T if array.ndim == 2 and name.startswith("blk.") else array


def grouped(name: str, array: Any, tiny: Tiny) -> Any:
    """GPT-NeoX and Falcon keep the queries, keys and values of a head of keys together."""
    if ".attn_qkv." not in name:
        return array
    rest = array.shape[1:]
    q, k, v = np.split(array, np.cumsum([tiny.heads, tiny.kv_heads]) * tiny.head_dim)
    parts = (x.reshape(tiny.kv_heads, -1, tiny.head_dim, *rest) for x in (q, k, v))
    return np.concatenate(list(parts), axis=1).reshape(-1, *rest)


@dataclass(frozen=True)
class Hf:
    """A model's type and configuration in transformers, and how its tensors differ from a GGUF file's.

    undo: makes a tensor of the one of the file that the gguf package's table of names gives it. join: makes one of
    several, by the name that transformers has for it; also says their names. None: it is none of those.
    """

    type: str
    undo: Callable[[str, Any, Tiny], Any] = lambda name, array, tiny: array
    config: Mapping[str, Any] = field(default_factory=dict)
    join: Callable[[str, Tensors, Tiny], tuple[tuple[str, ...], Any] | None] = lambda key, tensors, tiny: None


def rope(type: str = "default", theta: float = 10000.0, **more: Any) -> dict[str, Any]:
    return {"rope_type": type, "rope_theta": theta, **more}
