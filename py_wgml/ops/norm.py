"""Normalisation of rows: RMSNorm (Zhang and Sennrich, arXiv:1910.07467), LayerNorm (Ba et al., arXiv:1607.06450)."""

from dataclasses import dataclass

import numpy as np

from ..gpu import Buffer, Program
from .array import Array
from .heads import Heads

_WORKGROUP_SIZE = 128
_HEAD_WORKGROUP_SIZE = 32  # of a single head


@dataclass(frozen=True)
class Norm:
    """A normalisation of rows: its weight, float32 [columns], and the number added to the mean square."""

    weight: Buffer
    columns: int
    eps: float


def rms_norm(
    program: Program,
    step: Buffer,
    x: Buffer,
    norm: Norm,
    out: Buffer,
    max_count: int,
    last: bool = False,
    accumulate: bool = False,
) -> None:
    """out[t] = x[t] / sqrt(mean(x[t]^2) + eps) * weight, or added to what `out` holds (accumulate).

    x, out: float32 [max_count, columns]. last: only the step's last token is normalised, into row 0 of `out`.
    """
    bindings: dict[str, Buffer | None] = {"step": step, "x": x, "out": out}
    _norm(program, bindings, norm, max_count, last=last, centred=False, bias=False, accumulate=accumulate)


def layer_norm(
    program: Program,
    step: Buffer,
    x: Buffer,
    norm: Norm,
    bias: Buffer | None,
    out: Buffer,
    max_count: int,
    last: bool = False,
) -> None:
    """out[t] = (x[t] - mean(x[t])) / sqrt(variance(x[t]) + eps) * weight (+ bias).

    x, out: float32 [max_count, columns]; bias: float32 [columns]. last: only the step's last token is normalised, into
    row 0 of `out`.
    """
    bindings = {"step": step, "x": x, "out": out, "bias": bias}
    _norm(program, bindings, norm, max_count, last=last, centred=True, bias=bias is not None, accumulate=False)


def _norm(
    program: Program, bindings: dict[str, Buffer | None], norm: Norm, max_count: int, *, last: bool, **template: bool
) -> None:
    program.dispatch(
        "norm",
        [bindings, {"weight": norm.weight}],
        (1 if last else max_count, 1, 1),
        {"columns": norm.columns, "eps": norm.eps},
        last=last,
        workgroup_size=_WORKGROUP_SIZE,
        **template,
    )


def qk_norm(
    program: Program,
    step: Buffer,
    qkv: Buffer,
    weights: Buffer | None,
    heads: Heads,
    eps: float,
    max_count: int,
    whole: bool = False,
) -> None:
    """Normalise queries and keys where they are: each head by itself, or all heads of a token as one row (whole).

    qkv: float32 [max_count, (heads + 2 kv_heads) head_dim], queries before keys before values. weights: float32, those
    of the queries' rows before those of the keys' (head_dim each; whole: (heads + kv_heads) head_dim); None: all 1.
    """
    q_rows, k_rows = (1, 1) if whole else (heads.heads, heads.kv_heads)
    program.dispatch(
        "qk_norm",
        {"step": step, "qkv": qkv, "weights": weights},
        (q_rows + k_rows, max_count, 1),
        {
            "width": heads.qkv_width,
            "q_rows": q_rows,
            "k_rows": k_rows,
            "q_columns": heads.heads // q_rows * heads.head_dim,
            "k_columns": heads.kv_heads // k_rows * heads.head_dim,
            "eps": eps,
        },
        weights=weights is not None,
        workgroup_size=_WORKGROUP_SIZE if whole else _HEAD_WORKGROUP_SIZE,
    )


def rms_norm_numpy(x: Array, weight: Array, eps: float) -> Array:
    """x [T, columns], weight [columns] -> [T, columns]."""
    mean_square = np.mean(x * x, axis=-1, keepdims=True)
    normalised: Array = x / np.sqrt(mean_square + np.float32(eps)) * weight
    return normalised


def layer_norm_numpy(x: Array, weight: Array, bias: Array | None, eps: float) -> Array:
    """x [T, columns], weight and bias [columns] -> [T, columns]."""
    normalised = rms_norm_numpy(x - x.mean(axis=-1, keepdims=True), weight, eps)
    return normalised if bias is None else normalised + bias


def qk_norm_numpy(qkv: Array, weights: Array, heads: Heads, eps: float, whole: bool = False) -> Array:
    """qkv [T, (heads + 2 kv_heads) head_dim], weights as for `qk_norm` -> as qkv."""
    q, k, v = np.split(qkv, [heads.width, heads.width + heads.kv_heads * heads.head_dim], axis=-1)
    q_weight, k_weight = np.split(weights, [heads.width if whole else heads.head_dim])
    q, k = (
        rms_norm_numpy(x.reshape(len(x), -1, len(weight)), weight, eps).reshape(x.shape)
        for x, weight in ((q, q_weight), (k, k_weight))
    )
    return np.concatenate([q, k, v], axis=-1)
