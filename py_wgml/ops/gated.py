"""Gated activations of feed-forward layers: SwiGLU (Shazeer, arXiv:2002.05202)."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from ..gpu import Buffer, Program, block

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


def gated_numpy(x: npt.NDArray[np.float32], activation: Activation) -> npt.NDArray[np.float32]:
    """x [T, 2 width] -> [T, width]."""
    gate, value = np.split(x, 2, axis=-1)
    return _ACTIVATIONS[activation](gate) * value


def _silu(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    # By tanh, which does not overflow: 1 / (1 + exp(-x)) = (1 + tanh(x / 2)) / 2.
    return x * np.float32(0.5) * (1 + np.tanh(x * np.float32(0.5)))


_ACTIVATIONS = {"silu": _silu}
