"""Causal convolutions, as there are before a recurrence (Mamba, arXiv:2312.00752; gated delta rule, arXiv:2412.06464):
a token is mixed with the few before it, channel by channel."""

import numpy as np

from ..errors import WgmlError
from ..gpu import Buffer, Program
from .lib.array import Array
from .lib.view import Columns
from .short_conv import Taps
from .unary import unary_numpy

__all__ = ["causal_conv", "causal_conv_numpy", "conv_state"]

_WORKGROUP_SIZE = 64
_TOKENS = 16  # that an invocation goes through
_MOST_TAPS = 16  # an invocation holds so many elements


def conv_state(width: int, length: int) -> tuple[int, int]:
    """The shape of the state, float32, for filters of `length` taps."""
    return length, width


def require_taps(length: int) -> None:
    """Refuse filters of a length that the kernel doesn't have. Raises WgmlError."""
    if not 2 <= length <= _MOST_TAPS:
        raise WgmlError(f"a convolution of {length} taps: supported are 2 to {_MOST_TAPS}")


def causal_conv(
    program: Program, step: Buffer, x: Columns, taps: Taps, bias: Buffer | None, state: Buffer, out: Buffer
) -> None:
    """out[t] = silu(bias + sum_k taps[:, length - 1 - k] x[position + t - k]).

    x: [max_count, width]; bias: float32 [width]; out: float32 [max_count, width]; state: float32 `conv_state`, the
    rows of x before the step, each where its position modulo length says; those at its end come in their places.
    Raises WgmlError as `require_taps` does.
    """
    require_taps(taps.length)
    program.dispatch(
        "causal_conv",
        {"step": step, "x": x.buffer, "taps": taps.buffer, "bias": bias, "state": state, "out": out},
        (-(-taps.width // _WORKGROUP_SIZE), -(-(out.nbytes // (4 * taps.width)) // _TOKENS), 1),
        {"width": taps.width, **x.params("x")},
        length=taps.length,
        bias=bias is not None,
        tokens=_TOKENS,
        workgroup_size=_WORKGROUP_SIZE,
    )


def causal_conv_numpy(x: Array, taps: Array, bias: Array | None, before: Array) -> tuple[Array, Array]:
    """x [T, width], taps [width, length], bias [width], the length - 1 rows of x before -> out [T, width], those at the
    end."""
    rows = np.concatenate([before, x])
    length = taps.shape[1]
    mixed = sum(taps[:, k] * rows[k : k + len(x)] for k in range(length))
    return unary_numpy(mixed if bias is None else mixed + bias, "silu"), rows[len(x) :]
