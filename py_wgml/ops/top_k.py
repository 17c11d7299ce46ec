"""The largest elements of rows, sorted.

Radix selection: Alabi et al., "Fast k-selection algorithms for graphics processing units", ACM JEA 17, 2012.
"""

from collections.abc import Mapping

import numpy as np

from ..errors import WgmlError
from ..gpu import Buffer, Program
from .lib.array import Array
from .lib.view import View, require_apart, require_distinct, strided_rows

__all__ = ["top_k", "top_k_numpy", "top_k_partials"]

_DIGIT_VALUES = 256  # an invocation has one of the eight bits that are looked at
_MAX_K = 1024  # what is found is sorted in workgroup memory


def top_k_partials(rows: int, k: int, splits: int) -> int:
    """Bytes of the buffer `partials` that `top_k` needs for so many rows."""
    return 8 * rows * splits * k


def top_k(
    program: Program, x: View, ids: View, values: View | None = None, splits: int = 1, partials: Buffer | None = None
) -> None:
    """ids[.., j] = the place i of the j-th largest x[.., i], from 0 on, and values[.., j] that element: largest first.

    x: [.., n], finite; ids: uint32 [.., k]; values: float32, shape of ids. Of equal elements the first comes first; 0
    and -0 are equal, and given as 0. A row is read four or five times, whatever k is (nine times where many elements
    are equal).
    splits: workgroups that share a row, for rows too few to fill a GPU; above 1, `partials` takes what each finds
    (`top_k_partials` bytes).
    Raises WgmlError when k is above n or 1024, the shapes don't fit, views share a buffer, or the partials no room.
    """
    outputs = [ids] if values is None else [ids, values]
    k, n = (view.shape[-1] if view.shape else 0 for view in (ids, x))
    if not 0 < k <= min(n, _MAX_K) or any(out.shape != (*x.shape[:-1], k) for out in outputs):
        raise WgmlError(f"the {k} largest of rows of a view of shape {x.shape} do not fit one of {ids.shape}")
    require_apart(ids, x, *outputs[1:])
    for out in outputs:
        require_apart(out, x)
        require_distinct(out)
    rows, rank, params = strided_rows(x.shape, {"ids": ids, "values": outputs[-1], "x": x})
    row = {"x": x.buffer}
    found = {"ids": ids.buffer, "values": None if values is None else values.buffer}

    def select(source: Mapping[str, Buffer], target: Mapping[str, Buffer | None], workgroups: int) -> None:
        program.dispatch(
            "top_k",
            [source, target],
            workgroups,
            [params, {"k": k, "splits": splits}],
            from_partials="partials" in source,
            to_partials="partials_out" in target,
            with_values=values is not None,
            rank=rank,
            workgroup_size=_DIGIT_VALUES,
            capacity=1 << (k - 1).bit_length(),
        )

    if splits == 1:
        select(row, found, rows)
    elif partials is None or partials.nbytes < top_k_partials(rows, k, splits):
        raise WgmlError(f"the {k} largest of {rows} rows in {splits} partials have no room")
    else:
        select(row, {"partials_out": partials}, rows * splits)
        select({"partials": partials}, found, rows)


def top_k_numpy(x: Array, k: int) -> tuple[Array, Array]:
    """x [.., n] -> places and values of the k largest, [.., k] each."""
    ids = np.argsort(-x, axis=-1, kind="stable")[..., :k]
    return ids, np.take_along_axis(x, ids, axis=-1)
