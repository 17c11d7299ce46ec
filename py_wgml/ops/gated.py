"""Gated activations of feed-forward layers: SwiGLU (Shazeer, arXiv:2002.05202)."""

from typing import Literal

import numpy as np

from ..gpu import Buffer, Program, block
from .array import Array

_WORKGROUP_SIZE = 64

Activation = Literal["silu"]


def gated(
    program: Program, step: Buffer, x: Buffer, out: Buffer, width: int, activation: Activation, max_count: int
) -> None:
    """out[t, i] = activation(x[t, i]) * x[t, width + i].

    x: float32 [max_count, 2 width], gates before values; out: float32 [max_count, width].
    """
    program.dispatch(
        "gated",
        [block(width), step, x, out],
        (-(-width // _WORKGROUP_SIZE), max_count, 1),
        activation=activation,
        workgroup_size=_WORKGROUP_SIZE,
    )


def gated_numpy(x: Array, activation: Activation) -> Array:
    """x [T, 2 width] -> [T, width]."""
    gate, value = np.split(x, 2, axis=-1)
    activated: Array = _ACTIVATIONS[activation](gate) * value
    return activated


def _silu(x: Array) -> Array:
    # By tanh, which does not overflow: 1 / (1 + exp(-x)) = (1 + tanh(x / 2)) / 2.
    out: Array = x * np.float32(0.5) * (1 + np.tanh(x * np.float32(0.5)))
    return out


_ACTIVATIONS = {"silu": _silu}
