"""The place of the largest element of rows: the first of `top_k`."""

import numpy as np

from ..gpu import Buffer, Program
from .lib.array import Array
from .lib.view import View
from .top_k import top_k

__all__ = ["argmax", "argmax_numpy"]


def argmax(program: Program, x: View, ids: View, splits: int = 1, partials: Buffer | None = None) -> None:
    """ids[..] = the place of the largest x[.., i], the first of equals. x: [.., n]; ids: uint32 [..].

    splits, partials: as for `top_k`, with k = 1.
    """
    top_k(program, x, ids.unsqueeze(), splits=splits, partials=partials)


def argmax_numpy(x: Array) -> Array:
    """x [.., n] -> [..]."""
    out: Array = np.argmax(x, axis=-1)
    return out
