"""Gated short convolutions (LFM2, arXiv:2511.23404): a token is mixed with the few before it, channel by channel."""

from dataclasses import dataclass

import numpy as np

from ..gpu import Buffer, Program
from .lib.array import Array

__all__ = ["Taps", "short_conv", "short_conv_numpy"]

_WORKGROUP_SIZE = 64


@dataclass(frozen=True)
class Taps:
    """Filters of `width` channels: float32 [width, length], of the oldest element first."""

    buffer: Buffer
    width: int
    length: int


def short_conv(
    program: Program, step: Buffer, x: Buffer, taps: Taps, state: Buffer, out: Buffer, max_count: int
) -> None:
    """out[t] = c[t] * sum_k taps[:, length - 1 - k] (b v)[position + t - k], where x is b, c and v side by side.

    x: float32 [max_count, 3 width]; out: float32 [max_count, width]; state: float32 [positions, width], b v of the
    positions so far, to which those of the step are added.
    """
    program.dispatch(
        "short_conv",
        {"step": step, "x": x, "taps": taps.buffer, "state": state, "out": out},
        (-(-taps.width // _WORKGROUP_SIZE), max_count, 1),
        {"width": taps.width},
        length=taps.length,
        workgroup_size=_WORKGROUP_SIZE,
    )


def short_conv_numpy(x: Array, taps: Array, before: Array) -> tuple[Array, Array]:
    """x [T, 3 width], taps [width, length], state before, [positions, width] -> out [T, width], state after."""
    b, c, v = np.split(x, 3, axis=1)
    state = np.concatenate([before, b * v])
    length = taps.shape[1]
    padded = np.concatenate([np.zeros((length - 1, state.shape[1]), state.dtype), state])
    first = len(before)
    mixed = sum(taps[:, k] * padded[first + k : first + k + len(x)] for k in range(length))
    return c * mixed, state
