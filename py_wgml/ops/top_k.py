"""The largest elements of rows, sorted; argmax is the first of them."""

import numpy as np

from ..errors import WgmlError
from ..gpu import Program, block
from .array import Array
from .view import View, require_apart, require_distinct, rows_block

_WORKGROUP_SIZE = 256
_MAX_COLUMNS = 1 << 24  # places are compared in float32


def top_k(program: Program, x: View, ids: View, values: View | None = None) -> None:
    """ids[.., j] = the place i of the j-th largest x[.., i], from 0 on, and values[.., j] that element.

    x: [.., n], finite; ids: uint32 [.., k]; values: float32, shape of ids. Of equal elements the first comes first.
    Takes k passes over x: meant for k up to a few dozen.
    Raises WgmlError when k is above n, n above 2^24, the shapes don't fit, or views share a buffer.
    """
    outputs = [ids] if values is None else [ids, values]
    k, n = (view.shape[-1] if view.shape else 0 for view in (ids, x))
    if not 0 < k <= n <= _MAX_COLUMNS or any(out.shape != (*x.shape[:-1], k) for out in outputs):
        raise WgmlError(f"the {k} largest of rows of a view of shape {x.shape} do not fit one of {ids.shape}")
    require_apart(ids, x, *outputs[1:])
    for out in outputs:
        require_apart(out, x)
        require_distinct(out)
    rows, rank, params = rows_block(x.shape, [ids, outputs[-1], x])
    program.dispatch(
        "top_k",
        [params + block(k), ids.buffer, x.buffer, *([] if values is None else [values.buffer])],
        rows,
        with_values=values is not None,
        rank=rank,
        workgroup_size=_WORKGROUP_SIZE,
    )


def argmax(program: Program, x: View, ids: View) -> None:
    """ids[..] = the place of the largest x[.., i], the first of equals. x: [.., n]; ids: uint32 [..]. See `top_k`."""
    top_k(program, x, ids.unsqueeze())


def top_k_numpy(x: Array, k: int) -> tuple[Array, Array]:
    """x [.., n] -> places and values of the k largest, [.., k] each."""
    ids = np.argsort(-x, axis=-1, kind="stable")[..., :k]
    return ids, np.take_along_axis(x, ids, axis=-1)


def argmax_numpy(x: Array) -> Array:
    """x [.., n] -> [..]."""
    out: Array = np.argmax(x, axis=-1)
    return out
