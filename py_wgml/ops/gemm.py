"""Dense products of float32 matrices on strided views: a transposed factor is a transposed view."""

import numpy as np

from ..errors import WgmlError
from ..gpu import Program
from .lib.array import Array
from .lib.view import View, full, require_apart, require_distinct

__all__ = ["gemm", "gemm_numpy"]

_TILE = 64


def gemm(program: Program, a: View, b: View, out: View, accumulate: bool = False) -> None:
    """out[.., m, n] = sum over k of a[.., m, k] b[.., k, n], or added to what `out` holds (accumulate).

    a: [.., M, K]; b: [.., K, N]; out: [.., M, N]; a and b are broadcast over the dimensions before the last two. Any
    strides: `a.T` is the transposed matrix.
    Raises WgmlError when the shapes don't fit, or out shares a buffer with a or b.
    """
    *batch, rows, columns = (1, 1, *out.shape)[-4:] if len(out.shape) >= 2 else (0, 0, 0, 0)
    inner = a.shape[-1] if a.shape else 0
    if not rows or a.shape[-2:] != (rows, inner) or b.shape[-2:] != (inner, columns):
        raise WgmlError(f"the product of views of shapes {a.shape} and {b.shape} does not fit one of {out.shape}")
    a, b = a.broadcast(*out.shape[:-2], rows, inner), b.broadcast(*out.shape[:-2], inner, columns)
    require_apart(out, a, b)
    require_distinct(out)
    program.dispatch(
        "gemm",
        {"out": out.buffer, "a": a.buffer, "b": b.buffer},
        (-(-columns // _TILE), -(-rows // _TILE), batch[0] * batch[1]),
        [{"shape": (*batch, rows, columns), "inner": inner}, full({"out": out, "a": a, "b": b})],
        tile=_TILE,
        a_along_k=a.strides[-1] <= a.strides[-2],
        b_along_n=b.strides[-1] <= b.strides[-2],
        accumulate=accumulate,
    )


def gemm_numpy(a: Array, b: Array) -> Array:
    """a [.., M, K], b [.., K, N] -> [.., M, N]."""
    out: Array = np.matmul(a, b)
    return out
