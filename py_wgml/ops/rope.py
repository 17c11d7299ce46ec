"""Rotary position embedding (Su et al., arXiv:2104.09864), and the angles it turns by."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..errors import WgmlError
from ..gpu import Buffer, Program
from .lib.array import Array
from .lib.view import View, full, require_apart, require_distinct

__all__ = ["Scaling", "rope", "rope_numpy", "rotations_numpy"]

_WORKGROUP_SIZE = 64

Pairing = Literal["norm", "neox"]


@dataclass(frozen=True)
class Scaling:
    """How rotations are stretched for contexts `factor` times the `original_context` positions a model was trained on.

    kind: "linear" divides all frequencies by factor (position interpolation, Chen et al., arXiv:2306.15595);
    "ntk" enlarges the base, so that the highest frequency stays and the lowest is divided by factor (Peng et al.,
    arXiv:2309.00071, section 3.1); "yarn" (the same, section 3.4) divides those that turn less than beta_slow times in
    the original context, keeps those that turn more than beta_fast times, goes from one to the other linearly over the
    pairs between (whole_pairs: these bounds are rounded outwards), and multiplies queries and keys by attention_factor
    (None: 0.1 ln(factor) + 1); "llama3" (Llama 3.1, arXiv:2407.21783) likewise by low_turns and high_turns, linearly in
    the turns.
    Raises WgmlError when there is no such kind, or a number is out of its range.
    """

    kind: Literal["linear", "ntk", "yarn", "llama3"]
    factor: float
    original_context: int = 0
    beta_fast: float = 32.0
    beta_slow: float = 1.0
    attention_factor: float | None = None
    low_turns: float = 1.0
    high_turns: float = 4.0
    whole_pairs: bool = True

    def __post_init__(self) -> None:
        if self.kind not in ("linear", "ntk", "yarn", "llama3"):
            raise WgmlError(f"there is no rope scaling {self.kind!r}")
        if not 0 < self.factor < math.inf:
            raise WgmlError(f"a rope scaling factor of {self.factor} is not supported")
        if self.kind in ("yarn", "llama3") and self.original_context < 1:
            raise WgmlError(f"rope scaling {self.kind} needs the original context length")
        if not 0 < self.beta_slow < self.beta_fast or not 0 < self.low_turns < self.high_turns:
            raise WgmlError(f"the bounds of rope scaling {self.kind} are not in order")

    @property
    def magnitude(self) -> float:
        """What cosines and sines are multiplied by."""
        if self.kind != "yarn":
            return 1.0
        return 0.1 * math.log(self.factor) + 1 if self.attention_factor is None else self.attention_factor

    def frequencies(self, plain: Array, rotary_dim: int, base: float) -> Array:
        """The pairs' frequencies (radians a position), which are `plain` [rotary_dim / 2] without scaling."""
        stretched = plain / self.factor
        pairs = np.arange(len(plain))
        if self.kind == "linear":
            return stretched
        if self.kind == "ntk":
            out: Array = plain * self.factor ** (-2 * pairs / max(1, rotary_dim - 2))
            return out
        if self.kind == "yarn":
            # The (fractional) pair that turns `turns` times in the original context.
            low, high = (
                rotary_dim * math.log(self.original_context / (turns * 2 * math.pi)) / (2 * math.log(base))
                for turns in (self.beta_fast, self.beta_slow)
            )
            if self.whole_pairs:
                low, high = math.floor(low), math.ceil(high)
            low, high = max(low, 0), min(high, rotary_dim - 1)
            kept = 1 - np.clip((pairs - low) / max(high - low, 1e-3), 0, 1)
        else:
            turns = self.original_context * plain / (2 * np.pi)
            kept = np.clip((turns - self.low_turns) / (self.high_turns - self.low_turns), 0, 1)
        mixed: Array = stretched * (1 - kept) + plain * kept
        return mixed


def rope(
    program: Program,
    step: Buffer,
    x: View,
    rotations: Buffer,
    out: View,
    rotary_dim: int,
    pairing: Pairing,
) -> None:
    """out[t, head] = x[t, head] with its first rotary_dim elements turned by the angles of position + t.

    x, out: [max_count, heads, head_dim], any strides; rows from the step's count on are left alone. rotations: float32
    [context, rotary_dim / 2, 2] from `rotations_numpy`. pairing: an element's partner is its neighbour ("norm") or
    rotary_dim / 2 further ("neox").
    Raises WgmlError when the dimensions are not supported (see `require_rotary`), the shapes differ, or x and out share
    a buffer.
    """
    if len(x.shape) != 3 or x.shape != out.shape:
        raise WgmlError(f"the rotation of a view of shape {x.shape} does not fit one of {out.shape}")
    count, heads, head_dim = x.shape
    require_rotary(head_dim, rotary_dim, pairing)
    require_apart(out, x)
    require_distinct(out)
    program.dispatch(
        "rope",
        {"step": step, "x": x.buffer, "rotations": rotations, "out": out.buffer},
        (-(-head_dim // (2 * _WORKGROUP_SIZE)), heads, count),
        full({"out": out, "x": x}),
        head_dim=head_dim,
        rotary_dim=rotary_dim,
        pairing=pairing,
        workgroup_size=_WORKGROUP_SIZE,
    )


def require_rotary(head_dim: int, rotary_dim: int, pairing: Pairing) -> None:
    """Refuse sizes. Raises WgmlError when head_dim or rotary_dim is odd (for "neox": no multiple of 4), or it exceeds
    that."""
    if head_dim % 2 or rotary_dim % (4 if pairing == "neox" else 2) or rotary_dim > head_dim:
        raise WgmlError(f"{pairing} rotary embedding of {rotary_dim} of {head_dim} elements is not supported")


def rotations_numpy(
    first: int,
    count: int,
    rotary_dim: int,
    base: float,
    factors: Array | None = None,
    scaling: Scaling | None = None,
) -> Array:
    """Cosine and sine of every pair's angle at positions first .. first + count: float32 [count, rotary_dim / 2, 2].

    Pair i turns by base^(-2i / rotary_dim) / factors[i] radians a position, stretched by `scaling`. Made in
    float64: a GPU's sine of a large angle is not to be relied on.
    """
    frequencies = base ** (-np.arange(0, rotary_dim, 2, dtype=np.float64) / rotary_dim)
    if factors is not None:
        frequencies = frequencies / factors
    if scaling is not None:
        frequencies = scaling.frequencies(frequencies, rotary_dim, base)
    angles = np.outer(np.arange(first, first + count, dtype=np.float64), frequencies)
    magnitude = 1.0 if scaling is None else scaling.magnitude
    return (magnitude * np.stack([np.cos(angles), np.sin(angles)], axis=-1)).astype(np.float32)


def rope_numpy(x: Array, rotations: Array, pairing: Pairing) -> Array:
    """x [T, heads, head_dim], rotations [T, rotary_dim / 2, 2] -> x rotated."""
    pairs = rotations.shape[1]
    cosine, sine = rotations[:, None, :, 0], rotations[:, None, :, 1]
    out = x.copy()
    first, second = (
        (slice(0, 2 * pairs, 2), slice(1, 2 * pairs, 2))
        if pairing == "norm"
        else (slice(0, pairs), slice(pairs, 2 * pairs))
    )
    out[..., first] = x[..., first] * cosine - x[..., second] * sine
    out[..., second] = x[..., first] * sine + x[..., second] * cosine
    return out
