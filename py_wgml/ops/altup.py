"""Alternating updates (AltUp, arXiv:2301.13310): several streams of activations, of which layers only see the first."""

from dataclasses import dataclass

import numpy as np

from ..errors import WgmlError
from ..gpu import Buffer, Program
from .lib.array import Array

__all__ = ["Router", "Streams", "altup", "altup_numpy"]

_WORKGROUP_SIZE = 64
_MAX_STREAMS = 8  # for which the kernel is written out


@dataclass(frozen=True)
class Streams:
    """Streams of activations: first, float32 [max_count, width], and the others, [max_count, count - 1, width].

    Raises WgmlError when there are fewer than 2 or more than 8.
    """

    first: Buffer
    others: Buffer
    count: int
    width: int

    def __post_init__(self) -> None:
        require_streams(self.count)


@dataclass(frozen=True)
class Router:
    """What streams are mixed by: for each token tanh(scale gates), gates float32 [max_count, count], and coefficients
    that belong to it (see `altup`)."""

    gates: Buffer
    coefficients: Buffer
    scale: float


def require_streams(count: int) -> None:
    """Refuse numbers of streams. Raises WgmlError as `Streams` does."""
    if not 2 <= count <= _MAX_STREAMS:
        raise WgmlError(f"alternating updates of {count} streams are not supported; 2 to {_MAX_STREAMS} are")


def altup(
    program: Program,
    step: Buffer,
    x: Streams,
    router: Router,
    out: Streams,
    max_count: int,
    result: Buffer | None = None,
) -> None:
    """Predict all streams before a layer, each from all of them; or, given a layer's result, correct them after it.

    With r = tanh(scale gates[t]). Predicted, a stream j is
    x[j] + sum_i (coefficients[j, i] . r) x[i], with coefficients [count, count, count]; corrected it is
    x[j] + (1 + coefficients[j] . r) (result - x[0]), with coefficients [count, count]; result: as x.first.
    """
    program.dispatch(
        "altup",
        {
            "step": step,
            "first": x.first,
            "others": x.others,
            "router": router.gates,
            "coefficients": router.coefficients,
            "result": result,
            "out_first": out.first,
            "out_others": out.others,
        },
        (-(-x.width // _WORKGROUP_SIZE), max_count, 1),
        {"width": x.width, "scale": router.scale},
        streams=x.count,
        correct=result is not None,
        workgroup_size=_WORKGROUP_SIZE,
    )


def altup_numpy(x: Array, router: Array, coefficients: Array, scale: float, result: Array | None = None) -> Array:
    """x [T, count, width], router [T, count], coefficients and result [T, width] as for `altup` -> as x."""
    gates = np.tanh(np.float32(scale) * router)
    if result is None:
        mixed: Array = x + np.einsum("tjk,tkw->tjw", np.einsum("jik,tk->tji", coefficients, gates), x)
        return mixed
    learned = (result - x[:, 0])[:, None]
    corrected: Array = x + (1 + gates @ coefficients.T)[:, :, None] * learned
    return corrected
