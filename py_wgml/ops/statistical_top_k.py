"""Statistical top-k (Spark Transformer, arXiv:2506.06644): the largest of many normally distributed numbers, without a
sort."""

import numpy as np

from ..gpu import Buffer, Program
from .lib.array import Array

__all__ = ["statistical_top_k", "statistical_top_k_numpy"]

_WORKGROUP_SIZE = 128


def statistical_top_k(
    program: Program, step: Buffer, x: Buffer, columns: int, stride: int, deviations: float, max_count: int
) -> None:
    """x[t, i] = max(x[t, i] - mean - deviations * standard deviation, 0), both those of the first `columns` elements of
    the token, which are altered where they are.

    x: float32 [max_count, stride].
    """
    program.dispatch(
        "statistical_top_k",
        {"step": step, "x": x},
        (max_count, 1, 1),
        {"columns": columns, "stride": stride, "deviations": deviations},
        workgroup_size=_WORKGROUP_SIZE,
    )


def statistical_top_k_numpy(x: Array, columns: int, deviations: float) -> Array:
    """x [T, stride] -> as x."""
    rows = x[:, :columns]
    least = rows.mean(axis=1, keepdims=True) + np.float32(deviations) * rows.std(axis=1, keepdims=True)
    return np.concatenate([np.maximum(rows - least, 0), x[:, columns:]], axis=1)
