"""Token shift (RWKV, Peng et al., arXiv:2305.13048): each token is mixed with the one before it, channel by channel,
in as many ways as there are products to be made of it."""

from collections.abc import Sequence

import numpy as np

from ..gpu import Buffer, Program
from .lib.array import Array

__all__ = ["token_shift", "token_shift_numpy"]

_LANES_OF_ONE = 64  # channels of a workgroup, for a single token
_LANES, _STRANDS = 16, 16  # for many


def token_shift(
    program: Program,
    step: Buffer,
    x: Buffer,
    mixes: Buffer,
    order: Sequence[int],
    state: Buffer,
    out: Buffer,
    width: int,
    max_count: int,
) -> None:
    """out[t, p] = x[t] + mixes[order[p]] * (x[t - 1] - x[t]).

    x: float32 [max_count, width]; mixes: float32 [.., width]; out: float32 [max_count, len(order), width]; state:
    float32 [width], the token before the step, in whose place comes that at its end.
    """
    lanes, strands = (_LANES, _STRANDS) if max_count > 1 else (_LANES_OF_ONE, 1)
    program.dispatch(
        "token_shift",
        {"step": step, "x": x, "mixes": mixes, "state": state, "out": out},
        -(-width // lanes),
        {"width": width},
        order=tuple(order),
        lanes=lanes,
        strands=strands,
    )


def token_shift_numpy(x: Array, mixes: Array, order: Sequence[int], before: Array) -> tuple[Array, Array]:
    """x [T, width], mixes [.., width], the token before, [width] -> out [T, len(order), width], the last token."""
    change = np.concatenate([before[None], x[:-1]]) - x
    return x[:, None] + mixes[list(order)] * change[:, None], x[-1]
