"""Heads of attention, and their keys and values in the cache of a layer."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ...errors import WgmlError
from ...gpu import Buffer
from .array import Array

__all__ = ["Bits", "Heads", "KvCache", "cache_bytes", "cache_numpy"]

Bits = Literal[32, 16, 8]
_BLOCK = 32  # elements that have a scale in common, with 8 bits
_BLOCK_BYTES = 4 + _BLOCK


@dataclass(frozen=True)
class Heads:
    """`heads` heads of queries over `kv_heads` of keys and values, each of `head_dim` elements.

    latent: how many elements of a key, from the first on, are its value too (DeepSeek-V2, arXiv:2405.04434); 0: values
    are others than keys.
    """

    heads: int
    kv_heads: int
    head_dim: int
    latent: int = 0

    @property
    def value_dim(self) -> int:
        """Elements of a value."""
        return self.latent or self.head_dim

    @property
    def width(self) -> int:
        """Elements of a token's queries."""
        return self.heads * self.head_dim

    @property
    def out_width(self) -> int:
        """Elements of what attention makes of them."""
        return self.heads * self.value_dim

    @property
    def widths(self) -> tuple[int, int, int]:
        """Elements of a token's queries, keys, and values other than keys."""
        kv_width = self.kv_heads * self.head_dim
        return self.width, kv_width, 0 if self.latent else kv_width

    @property
    def qkv_width(self) -> int:
        """Elements of all three."""
        return sum(self.widths)


@dataclass(frozen=True)
class KvCache:
    """Keys and values of a sequence: buffers [context, kv_heads, head_dim] of elements of `bits` bits (`cache_bytes`).

    values: None where they are parts of the keys. Raises WgmlError as `cache_bytes` does.
    """

    keys: Buffer
    values: Buffer | None
    heads: Heads
    bits: Bits

    def __post_init__(self) -> None:
        cache_bytes(self.heads.head_dim, self.bits)

    @property
    def bindings(self) -> dict[str, Buffer]:
        """What kernels call them."""
        return {"k_cache": self.keys} | ({} if self.values is None else {"v_cache": self.values})

    @property
    def params(self) -> dict[str, int]:
        """The fields by which kernels find a head in them."""
        return {"heads": self.heads.heads, "kv_heads": self.heads.kv_heads}

    @property
    def template(self) -> dict[str, int]:
        """The parameters of kernels that read or write them."""
        return {"head_dim": self.heads.head_dim, "latent": self.heads.latent, "bits": self.bits, "block": _BLOCK}


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
