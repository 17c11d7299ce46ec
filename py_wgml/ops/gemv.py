"""Dense products of a float32 matrix and a vector on strided views: a transposed matrix is a transposed view."""

import numpy as np

from ..errors import WgmlError
from ..gpu import Program
from .lib.array import Array
from .lib.view import View, full, require_apart, require_distinct

__all__ = ["gemv", "gemv_numpy"]

_WORKGROUP_SIZE = 128
_LANES_ALONG_K = 32
_LANES_ALONG_M = 4


def gemv(program: Program, a: View, x: View, out: View, accumulate: bool = False) -> None:
    """out[.., m] = sum over k of a[.., m, k] x[.., k], or added to what `out` holds (accumulate).

    a: [.., M, K]; x: [.., K]; out: [.., M]; a and x are broadcast over the dimensions before. At most two of those. Any
    strides: `a.T` is the transposed matrix.
    Raises WgmlError when the shapes don't fit, or out shares a buffer with a or x.
    """
    if not out.shape or len(out.shape) > 3 or a.shape[-2:] != (out.shape[-1], *x.shape[-1:]) or not x.shape:
        raise WgmlError(f"the product of views of shapes {a.shape} and {x.shape} does not fit one of {out.shape}")
    *batch, rows = (1, 1, *out.shape)[-3:]
    inner = x.shape[-1]
    a, x = a.broadcast(*out.shape, inner), x.broadcast(*out.shape[:-1], inner)
    require_apart(out, a, x)
    require_distinct(out)
    x = View(x.buffer, (*x.shape[:-1], 1, inner), (*x.strides[:-1], 0, x.strides[-1]), x.offset)
    along_k = a.strides[-1] <= a.strides[-2]
    lanes = _LANES_ALONG_K if along_k else _LANES_ALONG_M
    program.dispatch(
        "gemv",
        {"out": out.buffer, "a": a.buffer, "x": x.buffer},
        (-(-rows * lanes // _WORKGROUP_SIZE), 1, batch[0] * batch[1]),
        [{"shape": (*batch, rows, inner)}, full({"out": out.unsqueeze(), "a": a, "x": x})],
        lanes=lanes,
        along_k=along_k,
        accumulate=accumulate,
        workgroup_size=_WORKGROUP_SIZE,
    )


def gemv_numpy(a: Array, x: Array) -> Array:
    """a [.., M, K], x [.., K] -> [.., M]."""
    out: Array = np.matmul(a, x[..., None])[..., 0]
    return out
