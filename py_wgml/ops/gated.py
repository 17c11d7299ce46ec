"""Gated activations of feed-forward layers: SwiGLU, GeGLU, ReGLU, bilinear ones (Shazeer, arXiv:2002.05202) and their
like."""

from typing import Literal

import numpy as np

from ..gpu import Buffer, Program
from .lib.array import Array
from .lib.view import Columns
from .unary import unary_numpy

__all__ = ["gated", "gated_numpy"]

_WORKGROUP_SIZE = 64

Activation = Literal["silu", "gelu", "gelu_quick", "gelu_erf", "relu", "relu2", "sigmoid", "bilinear", "swiglu_oai"]


def gated(
    program: Program,
    step: Buffer,
    gates: Columns,
    values: Columns,
    out: Columns,
    activation: Activation,
    max_count: int,
    repeat: int = 1,
) -> None:
    """out[r, i] = activation(gates[r, i]) * values[r, i]; SwiGLU is "silu", GeGLU "gelu" (tanh form), ReGLU "relu".

    "bilinear" leaves gates as they are.
    "swiglu_oai" is that of gpt-oss (arXiv:2508.10925), for a gate x and a value v: gelu_quick(min(x, 7)) times
    1 + clamp(v, -7, 7). gates, values: [max_count repeat, width]; out: whole rows of as many. repeat: rows of a
    token.
    """
    program.dispatch(
        "gated",
        {"step": step, "gates": gates.buffer, "values": values.buffer, "out": out.buffer},
        (-(-out.stride // _WORKGROUP_SIZE), max_count * repeat, 1),
        {"width": out.stride, "repeat": repeat, **gates.params("gates"), **values.params("values")},
        function=activation,
        workgroup_size=_WORKGROUP_SIZE,
    )


def gated_numpy(x: Array, activation: Activation) -> Array:
    """x [T, 2 width] -> [T, width]."""
    gate, value = np.split(x, 2, axis=-1)
    if activation == "swiglu_oai":
        limited: Array = unary_numpy(np.minimum(gate, 7), "gelu_quick") * (1 + np.clip(value, -7, 7))
        return limited
    activated: Array = (gate if activation == "bilinear" else unary_numpy(gate, activation)) * value
    return activated
