"""Arithmetic of two views, elementwise, with broadcasting by NumPy's rules."""

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np

from ..errors import WgmlError
from ..gpu import Program
from .array import Array
from .view import View, require_apart, require_distinct, strided

_WORKGROUP_SIZE = 64

Operation = Literal["add", "sub", "mul", "div"]
Assignment = Literal["add", "sub", "mul", "div", "copy"]


def binary(program: Program, operation: Operation, a: View, b: View, out: View) -> None:
    """out = a operation b; a and b are broadcast to the shape of out.

    Raises WgmlError when there is no such operation, a shape cannot be broadcast, or out shares a buffer with a or b
    (`assign` works in place).
    """
    if operation not in get_args(Operation):
        raise WgmlError(f"there is no binary operation {operation!r}; there are {', '.join(get_args(Operation))}")
    require_apart(out, a, b)
    _dispatch(program, operation, a.broadcast(*out.shape), b, out, assign=False)


def assign(program: Program, operation: Assignment, target: View, source: View) -> None:
    """target = target operation source, or target = source ("copy"); source is broadcast to the shape of target.

    Raises WgmlError when there is no such operation, the shape cannot be broadcast, or the two share a buffer.
    """
    if operation not in get_args(Assignment):
        raise WgmlError(f"there is no assignment {operation!r}; there are {', '.join(get_args(Assignment))}")
    require_apart(target, source)
    _dispatch(program, operation, target, source, target, assign=True)


def _dispatch(program: Program, operation: str, a: View, b: View, out: View, assign: bool) -> None:
    require_distinct(out)
    rank, params = strided(out.shape, {"out": out, "a": a, "b": b.broadcast(*out.shape)})
    program.dispatch(
        "binary",
        {"out": out.buffer, "a": None if assign else a.buffer, "b": b.buffer},
        -(-out.size // _WORKGROUP_SIZE),
        params,
        operation=operation,
        assign=assign,
        rank=rank,
        workgroup_size=_WORKGROUP_SIZE,
    )


def binary_numpy(operation: Operation, a: Array, b: Array) -> Array:
    """a, b [..] of shapes that broadcast -> [..], their common shape."""
    out: Array = _OPERATIONS[operation](a, b)
    return out


def assign_numpy(operation: Assignment, target: Array, source: Array) -> Array:
    """target [..], source of a shape that broadcasts to it -> [..], what `target` becomes."""
    return np.broadcast_to(source, target.shape) if operation == "copy" else binary_numpy(operation, target, source)


_OPERATIONS: dict[str, Callable[[Array, Array], Array]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
}
