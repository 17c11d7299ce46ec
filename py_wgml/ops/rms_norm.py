"""Root mean square layer normalisation (Zhang and Sennrich, arXiv:1910.07467)."""

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
    program.dispatch(
        "rms_norm",
        [block(columns, float(eps)), step, x, weight, out],
        (1 if last else max_count, 1, 1),
        last=last,
        workgroup_size=_WORKGROUP_SIZE,
    )


def rms_norm_numpy(x: Array, weight: Array, eps: float) -> Array:
    """x [T, columns], weight [columns] -> [T, columns]."""
    mean_square = np.mean(x * x, axis=-1, keepdims=True)
    normalised: Array = x / np.sqrt(mean_square + np.float32(eps)) * weight
    return normalised
