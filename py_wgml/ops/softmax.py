"""Softmax of rows, computed relative to their maximum, so that nothing overflows."""

import numpy as np

from ..errors import WgmlError
from ..gpu import Program
from .lib.array import Array
from .lib.view import View, is_in_place, require_distinct, strided_rows

__all__ = ["softmax", "softmax_numpy"]

_WORKGROUP_SIZE = 128


def softmax(program: Program, x: View, out: View) -> None:
    """out[.., i] = exp(x[.., i]) / sum over j of exp(x[.., j]).

    x, out: [.., n] of one shape; finite numbers; x may be out itself.
    Raises WgmlError when the shapes differ, or the views overlap without being the same.
    """
    if x.shape != out.shape or not x.shape:
        raise WgmlError(f"the softmax of a view of shape {x.shape} does not fit one of {out.shape}")
    require_distinct(out)
    in_place = is_in_place(out, x)
    rows, rank, params = strided_rows(x.shape, {"out": out, "x": x})
    program.dispatch(
        "softmax",
        {"out": out.buffer, "x": None if in_place else x.buffer},
        rows,
        params,
        in_place=in_place,
        rank=rank,
        workgroup_size=_WORKGROUP_SIZE,
    )


def softmax_numpy(x: Array) -> Array:
    """x [.., n] -> as x."""
    weights = np.exp(x - x.max(axis=-1, keepdims=True))
    out: Array = weights / weights.sum(axis=-1, keepdims=True)
    return out
