"""Running sums of rows."""

import numpy as np

from ..errors import WgmlError
from ..gpu import Program
from .lib.array import Array
from .lib.view import View, require_apart, require_distinct, strided_rows

__all__ = ["cumulative_sum", "cumulative_sum_numpy"]

_WORKGROUP_SIZE = 128


def cumulative_sum(program: Program, x: View, out: View) -> None:
    """out[.., i] = x[.., 0] + .. + x[.., i]. x, out: [.., n] of one shape.

    Raises WgmlError when the shapes differ or the views share a buffer.
    """
    if x.shape != out.shape or not x.shape:
        raise WgmlError(f"the running sums of a view of shape {x.shape} do not fit one of {out.shape}")
    require_apart(out, x)
    require_distinct(out)
    rows, rank, params = strided_rows(x.shape, {"out": out, "x": x})
    program.dispatch(
        "cumulative_sum",
        {"out": out.buffer, "x": x.buffer},
        rows,
        params,
        rank=rank,
        workgroup_size=_WORKGROUP_SIZE,
    )


def cumulative_sum_numpy(x: Array) -> Array:
    """x [.., n] -> as x."""
    out: Array = np.cumsum(x, axis=-1)
    return out
