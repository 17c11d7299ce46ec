"""Causal convolutions, as there are before a recurrence (Mamba, arXiv:2312.00752; gated delta rule, arXiv:2412.06464):
a token is mixed with the few before it, channel by channel."""

import numpy as np

from ..gpu import Buffer, Program
from .lib.array import Array
from .lib.columns import Columns
from .short_conv import Taps
from .unary import unary_numpy

__all__ = ["causal_conv", "causal_conv_numpy", "conv_state"]

_WORKGROUP_SIZE = 64


def conv_state(width: int, length: int) -> tuple[int, int]:
    """The shape of the state, float32, for filters of `length` taps."""
    return length, width


def causal_conv(
    program: Program, step: Buffer, x: Columns, taps: Taps, bias: Buffer | None, state: Buffer, out: Buffer
) -> None:
    """out[t] = silu(bias + sum_k taps[:, length - 1 - k] x[position + t - k]).

    x: [max_count, width]; bias: float32 [width]; out: float32 [max_count, width]; state: float32 `conv_state`, the
    rows of x before the step, each where its position modulo length says; those at its end come in their places.
    """
    program.dispatch(
        "causal_conv",
        {"step": step, "x": x.buffer, "taps": taps.buffer, "bias": bias, "state": state, "out": out},
        -(-taps.width // _WORKGROUP_SIZE),
        {"width": taps.width, **x.params("x")},
        length=taps.length,
        bias=bias is not None,
        workgroup_size=_WORKGROUP_SIZE,
    )


def causal_conv_numpy(x: Array, taps: Array, bias: Array | None, before: Array) -> tuple[Array, Array]:
    """x [T, width], taps [width, length], bias [width], the length - 1 rows of x before -> out [T, width], those at the
    end."""
    rows = np.concatenate([before, x])
    length = taps.shape[1]
    mixed = sum(taps[:, k] * rows[k : k + len(x)] for k in range(length))
    return unary_numpy(mixed if bias is None else mixed + bias, "silu"), rows[len(x) :]
