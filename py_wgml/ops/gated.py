"""Gated activations of feed-forward layers: SwiGLU, GeGLU, ReGLU (Shazeer, arXiv:2002.05202) and their like."""

from typing import Literal

import numpy as np

from ..gpu import Buffer, Program, block
from .array import Array
from .unary import unary_numpy

_WORKGROUP_SIZE = 64

Activation = Literal["silu", "gelu", "gelu_quick", "gelu_erf", "relu", "relu2", "sigmoid"]


def gated(
    program: Program, step: Buffer, x: Buffer, out: Buffer, width: int, activation: Activation, max_count: int
) -> None:
    """out[t, i] = activation(x[t, i]) * x[t, width + i]; SwiGLU is "silu", GeGLU "gelu" (tanh form), ReGLU "relu".

    x: float32 [max_count, 2 width], gates before values; out: float32 [max_count, width].
    """
    program.dispatch(
        "gated",
        [block(width), step, x, out],
        (-(-width // _WORKGROUP_SIZE), max_count, 1),
        function=activation,
        workgroup_size=_WORKGROUP_SIZE,
    )


def gated_numpy(x: Array, activation: Activation) -> Array:
    """x [T, 2 width] -> [T, width]."""
    gate, value = np.split(x, 2, axis=-1)
    activated: Array = unary_numpy(gate, activation) * value
    return activated
