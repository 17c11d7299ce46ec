"""Rotary position embedding (see rope.py) and the step's keys and values appended to the cache, in one dispatch."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..errors import WgmlError
from ..gpu import Buffer, Program
from ..names import joined
from .array import Array
from .rope import Pairing, require_rotary

_WORKGROUP_SIZE = 64


Bits = Literal[32, 16, 8]
_BLOCK, _BLOCK_BYTES = 32, 36  # with 8 bits: elements, and bytes that they take with their scale


def cache_bytes(head_dim: int, bits: Bits) -> int:
    """Bytes of a head's key or value: float32, float16, or blocks of 32 elements of 8 bits with a float32 scale.

    Raises WgmlError for a head that is no whole number of blocks.
    """
    if bits == 8:
        if head_dim % _BLOCK:
            raise WgmlError(f"a cache of 8 bits takes heads of a multiple of {_BLOCK} elements, not of {head_dim}")
        return head_dim // _BLOCK * _BLOCK_BYTES
    return head_dim * bits // 8


def cache_numpy(x: Array, bits: Bits) -> Array:
    """x [.., head_dim] as it lies in the cache: float32, float16, or uint32 words of blocks."""
    if bits != 8:
        same: Array = x.astype(np.float32 if bits == 32 else np.float16)
        return same
    blocks = x.astype(np.float32).reshape(*x.shape[:-1], -1, _BLOCK)
    largest = np.abs(blocks).max(axis=-1, keepdims=True)
    scaled = np.divide(blocks, largest, out=np.zeros_like(blocks), where=largest > 0)
    bytes_of = np.floor(127 * scaled + np.float32(0.5)).astype(np.int8)
    words = np.concatenate([largest.view(np.uint32), bytes_of.view(np.uint32)], axis=-1)
    packed: Array = words.reshape(*x.shape[:-1], -1)
    return packed


@dataclass(frozen=True)
class Append:
    """What becomes of queries, keys and values [T, (heads + 2 kv_heads) head_dim] on their way to attention.

    rotations: float32 [context, rotary_dim / 2, 2] from `rotations_numpy`, by which queries and keys are turned.
    rotary_dim: how many elements of a head are, from the first on. pairing: an element's partner is its neighbour
    ("norm") or rotary_dim / 2 further ("neox").
    k_cache, v_cache: [context, kv_heads, head_dim]; rows position .. position + count are written. bits: of their
    elements (`cache_bytes`). Raises WgmlError when the dimensions are not supported (see `require_rotary`).
    """

    rotations: Buffer
    k_cache: Buffer
    v_cache: Buffer
    heads: int
    kv_heads: int
    head_dim: int
    rotary_dim: int
    pairing: Pairing
    bits: Bits

    def __post_init__(self) -> None:
        require_rotary(self.head_dim, self.rotary_dim, self.pairing)
        cache_bytes(self.head_dim, self.bits)

    @property
    def bindings(self) -> dict[str, Buffer]:
        """What wgsl/lib/append.wgsl and wgsl/lib/rotate.wgsl read and write, but for the queries."""
        return {"rotations": self.rotations, "k_cache": self.k_cache, "v_cache": self.v_cache}

    @property
    def template(self) -> dict[str, int | str | bool]:
        """The parameters of wgsl/lib/append.wgsl and wgsl/lib/rotate.wgsl."""
        return {
            "head_dim": self.head_dim,
            "rotary_dim": self.rotary_dim,
            "pairing": self.pairing,
            "bits": self.bits,
        }


def rope_append(program: Program, step: Buffer, qkv: Buffer, q: Buffer, append: Append, max_count: int) -> None:
    """Rotate the queries of `qkv` into `q`, its keys into the cache, and copy its values there.

    qkv: float32 [max_count, (heads + 2 kv_heads) head_dim], queries before keys before values. q: float32 [max_count,
    heads, head_dim].
    """
    pairs = (append.heads + 2 * append.kv_heads) * append.head_dim // 2
    program.dispatch(
        "rope_append",
        joined("rope_append", {"step": step, "qkv": qkv, "q": q}, append.bindings),
        (-(-pairs // _WORKGROUP_SIZE), max_count, 1),
        {"heads": append.heads, "kv_heads": append.kv_heads},
        **append.template,
        workgroup_size=_WORKGROUP_SIZE,
    )
