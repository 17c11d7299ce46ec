"""RMSNorm of rows (Zhang and Sennrich, arXiv:1910.07467)."""

from dataclasses import dataclass

import numpy as np

from ..gpu import Buffer, Program
from .lib.array import Array

__all__ = ["Norm", "rms_norm", "rms_norm_numpy"]

_WORKGROUP_SIZES = 128, 256  # of an invocation's elements there are 8 or more with the second


def norm_template(columns: int) -> dict[str, int | bool]:
    """Parameters of wgsl/lib/norm.wgsl for rows of so many columns."""
    return {"quads": columns % 4 == 0, "workgroup_size": _WORKGROUP_SIZES[columns >= 8 * _WORKGROUP_SIZES[1]]}


@dataclass(frozen=True)
class Norm:
    """A normalisation of rows: its weight, float32 [columns], and the number added to the mean square.

    parts: rows of a token, each of which is normalised by itself. own: each has a weight of its own, [parts, columns].
    weight: None for all 1. factor, times: numbers that the result, with what it is added to, is multiplied by, the
    second one in a buffer (None: 1).
    """

    weight: Buffer | None
    columns: int
    eps: float
    parts: int = 1
    own: bool = False
    factor: float = 1.0
    times: Buffer | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it is one of whole rows with a weight, and nothing else."""
        return self.weight is not None and self.parts == 1 and self.factor == 1 and self.times is None

    @property
    def params(self) -> dict[str, int | float]:
        """What the kernels are told."""
        step = self.columns if self.own else 0
        return {"columns": self.columns, "parts": self.parts, "weight_step": step, "eps": self.eps}


def rms_norm(
    program: Program,
    step: Buffer,
    x: Buffer,
    norm: Norm,
    out: Buffer,
    max_count: int,
    last: bool = False,
    accumulate: bool = False,
) -> None:
    """out[t] = x[t] / sqrt(mean(x[t]^2) + eps) * weight, or added to what `out` holds (accumulate); see `Norm`.

    x, out: float32 [max_count, parts columns]. last: only the step's last token is normalised, into row 0 of `out`.
    """
    program.dispatch(
        "rms_norm",
        {"step": step, "x": x, "weight": norm.weight, "times": norm.times, "out": out},
        (1 if last else max_count, norm.parts, 1),
        [norm.params, {"factor": norm.factor}],
        weighted=norm.weight is not None,
        times=norm.times is not None,
        last=last,
        accumulate=accumulate,
        **norm_template(norm.columns),
    )


def rms_norm_numpy(x: Array, weight: Array | None, eps: float) -> Array:
    """x [.., columns], weight [columns], or one for each row, or None for all 1 -> as x."""
    mean_square = np.mean(x * x, axis=-1, keepdims=True)
    normalised: Array = x / np.sqrt(mean_square + np.float32(eps))
    return normalised if weight is None else normalised * weight
