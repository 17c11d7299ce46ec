"""RMSNorm of queries and keys, and of values where wanted, where they are."""

from dataclasses import dataclass

import numpy as np

from ..gpu import Buffer, Program
from .lib.array import Array
from .lib.heads import Heads
from .lib.view import Columns
from .rms_norm import rms_norm_numpy

__all__ = ["HeadNorm", "qk_norm", "qk_norm_numpy"]

_WORKGROUP_SIZE = 128


def head_lanes(head_dim: int) -> int:
    """Invocations for a head, a power of two: one for each pair of elements, so that all are read at once."""
    return min(max(1 << (head_dim // 2 - 1).bit_length(), 32), 256)


@dataclass(frozen=True)
class HeadNorm:
    """How heads of queries and keys are scaled to a root mean square of 1: each by itself, or all of a token as one row
    (whole).

    weights: float32, those of the queries' rows before those of the keys' (head_dim each; whole: (heads + kv_heads)
    head_dim); None: all 1. eps: is added to the mean square. values: each head of theirs too, without weights (not with
    whole).
    """

    weights: Buffer | None
    eps: float
    values: bool = False
    whole: bool = False


def qk_norm(program: Program, step: Buffer, qkv: Columns, heads: Heads, norm: HeadNorm, max_count: int) -> None:
    """Normalise queries and keys where they are.

    qkv: whole rows, [max_count, (heads + 2 kv_heads) head_dim] and what may be behind: queries before keys before
    values.
    """
    weights, whole, values = norm.weights, norm.whole, norm.values
    q_rows, k_rows = (1, 1) if whole else (heads.heads, heads.kv_heads)
    rows = q_rows + (2 if values else 1) * k_rows
    program.dispatch(
        "qk_norm",
        {"step": step, "qkv": qkv.buffer, "weights": weights},
        (rows, max_count, 1),
        {
            "width": qkv.stride,
            "q_rows": q_rows,
            "k_rows": k_rows,
            "q_columns": heads.heads // q_rows * heads.head_dim,
            "k_columns": heads.kv_heads * heads.head_dim if whole else heads.head_dim,
            "eps": norm.eps,
        },
        weights=weights is not None,
        workgroup_size=_WORKGROUP_SIZE if whole else head_lanes(heads.head_dim),
    )


def qk_norm_numpy(
    qkv: Array, weights: Array, heads: Heads, eps: float, whole: bool = False, values: bool = False
) -> Array:
    """qkv [T, (heads + 2 kv_heads) head_dim] and what is behind, weights as for `qk_norm` -> as qkv."""
    q, k, v, rest = np.split(qkv, np.cumsum(heads.widths), axis=-1)
    q_weight, k_weight = np.split(weights, [heads.width if whole else heads.head_dim])

    def normed(x: Array, weight: Array) -> Array:
        return rms_norm_numpy(x.reshape(len(x), -1, len(weight)), weight, eps).reshape(x.shape)

    q = normed(q, q_weight)
    k = normed(k, k_weight) if k.size else k
    v = normed(v, np.ones(heads.head_dim, v.dtype)) if values and v.size else v
    return np.concatenate([q, k, v, rest], axis=-1)
