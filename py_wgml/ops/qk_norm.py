"""RMSNorm of queries and keys, and of values where wanted, where they are."""

import numpy as np

from ..gpu import Buffer, Program
from .lib.array import Array
from .lib.heads import Heads
from .rms_norm import rms_norm_numpy

__all__ = ["qk_norm", "qk_norm_numpy"]

_WORKGROUP_SIZE = 128
_HEAD_WORKGROUP_SIZE = 32  # of a single head


def qk_norm(
    program: Program,
    step: Buffer,
    qkv: Buffer,
    weights: Buffer | None,
    heads: Heads,
    eps: float,
    max_count: int,
    whole: bool = False,
    values: bool = False,
    width: int | None = None,
) -> None:
    """Normalise queries and keys where they are: each head by itself, or all heads of a token as one row (whole).

    qkv: float32 [max_count, (heads + 2 kv_heads) head_dim], queries before keys before values. weights: float32, those
    of the queries' rows before those of the keys' (head_dim each; whole: (heads + kv_heads) head_dim); None: all 1.
    values: each head of theirs too, without weights (not with whole). width: elements of a row, where there are others
    behind the values.
    """
    q_rows, k_rows = (1, 1) if whole else (heads.heads, heads.kv_heads)
    rows = q_rows + (2 if values else 1) * k_rows
    program.dispatch(
        "qk_norm",
        {"step": step, "qkv": qkv, "weights": weights},
        (rows, max_count, 1),
        {
            "width": width or heads.qkv_width,
            "q_rows": q_rows,
            "k_rows": k_rows,
            "q_columns": heads.heads // q_rows * heads.head_dim,
            "k_columns": heads.kv_heads * heads.head_dim if whole else heads.head_dim,
            "eps": eps,
        },
        weights=weights is not None,
        workgroup_size=_WORKGROUP_SIZE if whole else _HEAD_WORKGROUP_SIZE,
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
