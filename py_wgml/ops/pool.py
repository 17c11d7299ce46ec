"""One row for each text of a step that takes several."""

from typing import Literal

import numpy as np

from ..gpu import Buffer, Program
from .lib.array import Array

__all__ = ["Pooling", "pool", "pool_numpy"]

Pooling = Literal["mean", "cls", "last"]
"""The mean of a text's rows, its first row (that of the token [CLS]) or its last one."""

_WORKGROUP_SIZE = 64


def pool(
    program: Program, step: Buffer, x: Buffer, wholes: Buffer, out: Buffer, kind: Pooling, columns: int, max_count: int
) -> None:
    """out[i] = what `kind` makes of the rows first .. end of x, where wholes[i] is (first, end).

    x, out: float32 [max_count, columns]; wholes: uint32 [max_count, 2], of as many texts as the step has; those of the
    rest of its rows are empty, and their out[i] zeros.
    """
    program.dispatch(
        "pool",
        {"step": step, "x": x, "wholes": wholes, "out": out},
        (-(-columns // _WORKGROUP_SIZE), max_count, 1),
        {"columns": columns},
        kind=kind,
        workgroup_size=_WORKGROUP_SIZE,
    )


def pool_numpy(x: Array, kind: Pooling) -> Array:
    """The rows x [T, columns] of one text -> [columns]."""
    out: Array = x.mean(axis=0, dtype=np.float64).astype(x.dtype) if kind == "mean" else x[0 if kind == "cls" else -1]
    return out
