"""Functions of one number, elementwise.

GELU: Hendrycks and Gimpel, arXiv:1606.08415 (`gelu` in its tanh form, `gelu_quick` in its sigmoid form, `gelu_erf`
exact); SiLU: Elfwing et al., arXiv:1702.03118; ELU: Clevert et al., arXiv:1511.07289; xIELU: Huang and Schlag,
arXiv:2411.13010; squared ReLU: So et al., arXiv:2109.08668; hard sigmoid and hard swish: Howard et al.,
arXiv:1905.02244.
"""

import math
from collections.abc import Callable
from typing import Literal, get_args

import numpy as np

from ..errors import WgmlError
from ..gpu import Program
from .lib.array import Array
from .lib.view import View, is_in_place, require_distinct, strided

__all__ = ["unary", "unary_numpy"]

_WORKGROUP_SIZE = 64

XIELU_BETA = 0.5
"""Slope of xIELU at 0, the same in all models."""

Function = Literal[
    "abs", "sgn", "neg", "step", "elu", "gelu", "gelu_quick", "gelu_erf", "silu", "tanh", "relu", "relu2", "sigmoid",
    "hard_sigmoid", "hard_swish", "xielu", "sqr", "sqrt", "log", "leaky_relu", "soft_cap", "clamp", "scale",
    "add_scalar",
]  # fmt: skip


def unary(program: Program, function: Function, x: View, out: View, a: float = 0.0, b: float = 0.0) -> None:
    """out[i] = function(x[i]), for views of one shape; x may be out itself.

    a and b are what `elu` and `leaky_relu` (a: slope or scale of the negative side), `xielu` (x / 2, and a x^2 above 0,
    b (exp(x) - 1 - x) below), `soft_cap` (a tanh(x / a)), `clamp` (a .. b), `scale` (times a) and `add_scalar` (plus a)
    take. `step` is 1 above 0, else 0; `sqrt` and `log`
    take positive numbers only.
    Raises WgmlError when there is no such function, the shapes differ, or the views overlap without being the same.
    """
    if function not in get_args(Function):
        raise WgmlError(f"there is no unary function {function!r}; there are {', '.join(get_args(Function))}")
    if x.shape != out.shape:
        raise WgmlError(f"{function} of a view of shape {x.shape} does not fit one of {out.shape}")
    require_distinct(out)
    in_place = is_in_place(out, x)
    rank, params = strided(out.shape, {"out": out, "x": x})
    program.dispatch(
        "unary",
        {"out": out.buffer, "x": None if in_place else x.buffer},
        -(-out.size // _WORKGROUP_SIZE),
        [params, {"a": a, "b": b}],
        function=function,
        in_place=in_place,
        rank=rank,
        workgroup_size=_WORKGROUP_SIZE,
    )


def unary_numpy(x: Array, function: Function, a: float = 0.0, b: float = 0.0) -> Array:
    """x of any shape -> as x."""
    out: Array = _FUNCTIONS[function](x, a, b)
    return out


def _sigmoid(x: Array) -> Array:
    # By tanh, which does not overflow.
    out: Array = 0.5 * (1 + np.tanh(0.5 * x))
    return out


def _erf(x: Array) -> Array:
    out: Array = np.vectorize(math.erf, otypes=[x.dtype])(x)
    return out


def _gelu(x: Array) -> Array:
    limited = np.clip(x, -100, 100)
    out: Array = x * _sigmoid(2 * math.sqrt(2 / math.pi) * (limited + 0.044715 * limited**3))
    return out


def _hard_sigmoid(x: Array) -> Array:
    out: Array = np.clip(x / 6 + 0.5, 0, 1)
    return out


_FUNCTIONS: dict[str, Callable[[Array, float, float], Array]] = {
    "abs": lambda x, a, b: np.abs(x),
    "sgn": lambda x, a, b: np.sign(x),
    "neg": lambda x, a, b: -x,
    "step": lambda x, a, b: np.where(x > 0, x.dtype.type(1), x.dtype.type(0)),
    "elu": lambda x, a, b: np.where(x > 0, x, a * np.expm1(np.minimum(x, 0))),
    "gelu": lambda x, a, b: _gelu(x),
    "gelu_quick": lambda x, a, b: x * _sigmoid(1.702 * x),
    "gelu_erf": lambda x, a, b: x * 0.5 * (1 + _erf(x * math.sqrt(0.5))),
    "silu": lambda x, a, b: x * _sigmoid(x),
    "tanh": lambda x, a, b: np.tanh(x),
    "relu": lambda x, a, b: np.maximum(x, 0),
    "relu2": lambda x, a, b: np.maximum(x, 0) ** 2,
    "sigmoid": lambda x, a, b: _sigmoid(x),
    "hard_sigmoid": lambda x, a, b: _hard_sigmoid(x),
    "hard_swish": lambda x, a, b: x * _hard_sigmoid(x),
    "xielu": lambda x, a, b: XIELU_BETA * x + np.where(x > 0, a * x * x, b * (np.expm1(np.minimum(x, 0)) - x)),
    "sqr": lambda x, a, b: x * x,
    "sqrt": lambda x, a, b: np.sqrt(x),
    "log": lambda x, a, b: np.log(x),
    "leaky_relu": lambda x, a, b: np.maximum(x, 0) + a * np.minimum(x, 0),
    "soft_cap": lambda x, a, b: a * np.tanh(x / a),
    "clamp": lambda x, a, b: np.clip(x, a, b),
    "scale": lambda x, a, b: x * a,
    "add_scalar": lambda x, a, b: x + a,
}
