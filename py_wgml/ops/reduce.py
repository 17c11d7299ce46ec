"""Reductions of rows: sum, product, minimum, maximum, squared norm, and the dot product of two."""

from collections.abc import Callable
from typing import Literal, get_args

from ..errors import WgmlError
from ..gpu import Program
from .lib.array import Array
from .lib.view import View, require_apart, require_distinct, strided_rows

__all__ = ["reduce", "reduce_numpy"]

_WORKGROUP_SIZE = 128

Reduction = Literal["sum", "product", "min", "max", "squared_norm", "dot"]


def reduce(program: Program, kind: Reduction, x: View, out: View, y: View | None = None) -> None:
    """out[..] = the reduction of x[.., i] over i; `dot`: the sum of x[.., i] y[.., i], y broadcast to the shape of x.

    x: [.., n]; out: the shape of x without its last dimension. One workgroup reduces a row: a long vector is reduced
    sooner as a view of several rows, and then those. `min` and `max` take finite numbers.
    Raises WgmlError when there is no such reduction, y is missing or too much, the shapes don't fit, or out shares a
    buffer with x or y.
    """
    if kind not in get_args(Reduction):
        raise WgmlError(f"there is no reduction {kind!r}; there are {', '.join(get_args(Reduction))}")
    if (y is not None) != (kind == "dot"):
        raise WgmlError("a dot product takes two views, other reductions one")
    if x.shape[:-1] != out.shape or not x.shape:
        raise WgmlError(f"the {kind} of rows of a view of shape {x.shape} does not fit one of {out.shape}")
    second = x if y is None else y.broadcast(*x.shape)
    require_apart(out, x, second)
    require_distinct(out)
    rows, rank, params = strided_rows(x.shape, {"out": out.unsqueeze(), "x": x, "y": second})
    program.dispatch(
        "reduce",
        {"out": out.buffer, "x": x.buffer, "y": None if y is None else y.buffer},
        rows,
        params,
        kind=kind,
        rank=rank,
        workgroup_size=_WORKGROUP_SIZE,
    )


def reduce_numpy(kind: Reduction, x: Array, y: Array | None = None) -> Array:
    """x [.., n] (and y, which broadcasts to it) -> [..]."""
    out: Array = _REDUCTIONS[kind](x, x if y is None else y)
    return out


_REDUCTIONS: dict[str, Callable[[Array, Array], Array]] = {
    "sum": lambda x, y: x.sum(axis=-1),
    "product": lambda x, y: x.prod(axis=-1),
    "min": lambda x, y: x.min(axis=-1),
    "max": lambda x, y: x.max(axis=-1),
    "squared_norm": lambda x, y: (x * x).sum(axis=-1),
    "dot": lambda x, y: (x * y).sum(axis=-1),
}
