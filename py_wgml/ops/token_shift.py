"""Token shift (RWKV, Peng et al., arXiv:2305.13048): each token is mixed with the one before it, channel by channel,
in as many ways as there are products to be made of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import WgmlError
from ..gpu import Buffer, Program
from .lib.array import Array
from .rms_norm import Norm

__all__ = ["NormBefore", "Shift", "token_shift", "token_shift_numpy"]

_LANES_OF_ONE = 128  # channels of a workgroup, for a single token
_LANES, _STRANDS = 16, 16  # for many


@dataclass(frozen=True)
class Shift:
    """mixes: float32 [.., width], of which the vectors `order` are taken. state: float32 [width], the token before the
    step, in whose place comes that at its end."""

    mixes: Buffer
    order: tuple[int, ...]
    state: Buffer


@dataclass(frozen=True)
class NormBefore:
    """The norm of what is shifted: as `layer_norm` makes it, or, not centred, `rms_norm`."""

    norm: Norm
    bias: Buffer | None = None
    centred: bool = True


def token_shift(
    program: Program,
    step: Buffer,
    x: Buffer,
    shift: Shift,
    out: Buffer,
    width: int,
    max_count: int,
    before: NormBefore | None = None,
) -> None:
    """out[t, p] = x[t] + mixes[order[p]] * (x[t - 1] - x[t]).

    x: float32 [max_count, width]; out: float32 [max_count, len(order), width]. before: of a single token alone, what is
    done to x before. Raises WgmlError where there are more, or the norm is no plain one of a row.
    """
    if before is not None and (max_count > 1 or not before.norm.is_plain or before.norm.columns != width):
        raise WgmlError("only the shift of a single token takes in a norm, which is of all of it")
    lanes, strands = (_LANES, _STRANDS) if max_count > 1 else (_LANES_OF_ONE, 1)
    program.dispatch(
        "token_shift",
        [
            {"step": step, "x": x, "mixes": shift.mixes, "state": shift.state, "out": out},
            {"weight": before.norm.weight, "bias": before.bias} if before else {},
        ],
        -(-width // lanes),
        [{"width": width}, {"eps": before.norm.eps} if before else {}],
        order=shift.order,
        normed=before is not None,
        centred=before is not None and before.centred,
        bias=before is not None and before.bias is not None,
        lanes=lanes,
        strands=strands,
    )


def token_shift_numpy(x: Array, mixes: Array, order: Sequence[int], before: Array) -> tuple[Array, Array]:
    """x [T, width], mixes [.., width], the token before, [width] -> out [T, len(order), width], the last token."""
    change = np.concatenate([before[None], x[:-1]]) - x
    return x[:, None] + mixes[list(order)] * change[:, None], x[-1]
