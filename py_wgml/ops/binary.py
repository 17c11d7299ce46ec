"""Arithmetic of two views, elementwise, with broadcasting by NumPy's rules."""

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np

from ..errors import WgmlError
from ..gpu import Program
from .lib.array import Array
from .lib.view import View, require_apart, require_distinct, strided

__all__ = ["binary", "binary_numpy"]

_WORKGROUP_SIZE = 64

Operation = Literal["add", "sub", "mul", "div"]


def binary(program: Program, operation: Operation, a: View, b: View, out: View) -> None:
    """out = a operation b; a and b are broadcast to the shape of out.

    Raises WgmlError when there is no such operation, a shape cannot be broadcast, or out shares a buffer with a or b
    (`assign` works in place).
    """
    if operation not in get_args(Operation):
        raise WgmlError(f"there is no binary operation {operation!r}; there are {', '.join(get_args(Operation))}")
    require_apart(out, a, b)
    require_distinct(out)
    views = {"out": out, "a": a.broadcast(*out.shape), "b": b.broadcast(*out.shape)}
    rank, params = strided(out.shape, views)
    program.dispatch(
        "binary",
        {name: view.buffer for name, view in views.items()},
        -(-out.size // _WORKGROUP_SIZE),
        params,
        operation=operation,
        assign=False,
        rank=rank,
        workgroup_size=_WORKGROUP_SIZE,
    )


def binary_numpy(operation: Operation, a: Array, b: Array) -> Array:
    """a, b [..] of shapes that broadcast -> [..], their common shape."""
    out: Array = _OPERATIONS[operation](a, b)
    return out


_OPERATIONS: dict[str, Callable[[Array, Array], Array]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
}
