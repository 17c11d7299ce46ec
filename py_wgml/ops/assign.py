"""Arithmetic of two views in the place of the first, elementwise, with broadcasting by NumPy's rules; and copies."""

from typing import Literal, get_args

import numpy as np

from ..errors import WgmlError
from ..gpu import Program
from .binary import binary_numpy
from .lib.array import Array
from .lib.view import View, require_apart, require_distinct, strided

__all__ = ["assign", "assign_numpy"]

_WORKGROUP_SIZE = 64

Assignment = Literal["add", "sub", "mul", "div", "copy"]


def assign(program: Program, operation: Assignment, target: View, source: View) -> None:
    """target = target operation source, or target = source ("copy"); source is broadcast to the shape of target.

    Raises WgmlError when there is no such operation, the shape cannot be broadcast, or the two share a buffer.
    """
    if operation not in get_args(Assignment):
        raise WgmlError(f"there is no assignment {operation!r}; there are {', '.join(get_args(Assignment))}")
    require_apart(target, source)
    require_distinct(target)
    rank, params = strided(target.shape, {"out": target, "a": target, "b": source.broadcast(*target.shape)})
    program.dispatch(
        "assign",
        {"out": target.buffer, "b": source.buffer},
        -(-target.size // _WORKGROUP_SIZE),
        params,
        operation=operation,
        rank=rank,
        workgroup_size=_WORKGROUP_SIZE,
    )


def assign_numpy(operation: Assignment, target: Array, source: Array) -> Array:
    """target [..], source of a shape that broadcasts to it -> [..], what `target` becomes."""
    return np.broadcast_to(source, target.shape) if operation == "copy" else binary_numpy(operation, target, source)
