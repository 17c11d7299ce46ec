"""Normalisation of rows: RMSNorm (Zhang and Sennrich, arXiv:1910.07467), LayerNorm (Ba et al., arXiv:1607.06450)."""

import numpy as np

from ..gpu import Buffer, Program, block
from .array import Array

_WORKGROUP_SIZE = 128


def rms_norm(
    program: Program,
    step: Buffer,
    x: Buffer,
    weight: Buffer,
    out: Buffer,
    columns: int,
    eps: float,
    max_count: int,
    last: bool = False,
) -> None:
    """out[t] = x[t] / sqrt(mean(x[t]^2) + eps) * weight.

    x, out: float32 [max_count, columns]; weight: float32 [columns].
    last: only the step's last token is normalised, into row 0 of `out`.
    """
    _norm(program, step, x, weight, None, out, columns, eps, max_count, last, centred=False)


def layer_norm(
    program: Program,
    step: Buffer,
    x: Buffer,
    weight: Buffer,
    bias: Buffer | None,
    out: Buffer,
    columns: int,
    eps: float,
    max_count: int,
    last: bool = False,
) -> None:
    """out[t] = (x[t] - mean(x[t])) / sqrt(variance(x[t]) + eps) * weight (+ bias).

    x, out: float32 [max_count, columns]; weight, bias: float32 [columns].
    last: only the step's last token is normalised, into row 0 of `out`.
    """
    _norm(program, step, x, weight, bias, out, columns, eps, max_count, last, centred=True)


def _norm(
    program: Program,
    step: Buffer,
    x: Buffer,
    weight: Buffer,
    bias: Buffer | None,
    out: Buffer,
    columns: int,
    eps: float,
    max_count: int,
    last: bool,
    centred: bool,
) -> None:
    program.dispatch(
        "norm",
        [block(columns, float(eps)), step, x, weight, out, *([] if bias is None else [bias])],
        (1 if last else max_count, 1, 1),
        centred=centred,
        bias=bias is not None,
        last=last,
        workgroup_size=_WORKGROUP_SIZE,
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
