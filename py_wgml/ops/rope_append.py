"""Rotary position embedding (Su et al., arXiv:2104.09864) and the step's keys and values appended to the cache."""

from typing import Literal

import numpy as np

from ..errors import WgmlError
from ..gpu import Buffer, Program, block
from .array import Array

_WORKGROUP_SIZE = 64

Pairing = Literal["norm", "neox"]


def rope_append(
    program: Program,
    step: Buffer,
    qkv: Buffer,
    rotations: Buffer,
    q: Buffer,
    k_cache: Buffer,
    v_cache: Buffer,
    heads: int,
    kv_heads: int,
    head_dim: int,
    rotary_dim: int,
    pairing: Pairing,
    half: bool,
    max_count: int,
) -> None:
    """Rotate the queries of `qkv` into `q`, its keys into the cache, and copy its values there.

    qkv: float32 [max_count, (heads + 2 kv_heads) head_dim], queries before keys before values. rotations: float32
    [context, rotary_dim / 2, 2] from `rotations_numpy`. q: float32 [max_count, heads, head_dim]. k_cache, v_cache:
    [context, kv_heads, head_dim] in half precision (half) or float32; rows position .. position + count are written.
    rotary_dim: how many elements of a head are rotated, from the first on. pairing: an element's partner is its
    neighbour ("norm") or rotary_dim / 2 further ("neox").
    Raises WgmlError when head_dim is odd, or rotary_dim is (for "neox": no multiple of 4).
    """
    if head_dim % 2 or rotary_dim % (4 if pairing == "neox" else 2) or rotary_dim > head_dim:
        raise WgmlError(f"{pairing} rotary embedding of {rotary_dim} of {head_dim} elements is not supported")
    pairs = (heads + 2 * kv_heads) * head_dim // 2
    program.dispatch(
        "rope_append",
        [block(heads, kv_heads), step, qkv, rotations, q, k_cache, v_cache],
        (-(-pairs // _WORKGROUP_SIZE), max_count, 1),
        head_dim=head_dim,
        rotary_dim=rotary_dim,
        pairing=pairing,
        half=half,
        workgroup_size=_WORKGROUP_SIZE,
    )


def rotations_numpy(
    first: int,
    count: int,
    rotary_dim: int,
    base: float,
    scale: float = 1.0,
    factors: Array | None = None,
) -> Array:
    """Cosine and sine of every pair's angle at positions first .. first + count: float32 [count, rotary_dim / 2, 2].

    Pair i turns by base^(-2i / rotary_dim) / factors[i] / scale radians a position. Made in float64: a GPU's sine of a
    large angle is not to be relied on.
    """
    frequencies = base ** (-np.arange(0, rotary_dim, 2, dtype=np.float64) / rotary_dim)
    if factors is not None:
        frequencies = frequencies / factors
    angles = np.outer(np.arange(first, first + count, dtype=np.float64), frequencies / scale)
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1).astype(np.float32)


def rope_numpy(x: Array, rotations: Array, pairing: Pairing) -> Array:
    """x [T, heads, head_dim], rotations [T, rotary_dim / 2, 2] -> x rotated."""
    pairs = rotations.shape[1]
    cosine, sine = rotations[:, None, :, 0], rotations[:, None, :, 1]
    out = x.copy()
    first, second = (
        (slice(0, 2 * pairs, 2), slice(1, 2 * pairs, 2))
        if pairing == "norm"
        else (slice(0, pairs), slice(pairs, 2 * pairs))
    )
    out[..., first] = x[..., first] * cosine - x[..., second] * sine
    out[..., second] = x[..., first] * sine + x[..., second] * cosine
    return out
