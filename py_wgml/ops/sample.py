"""The next token from its logits: penalty, top-k, top-p (arXiv:1904.09751), min-p (arXiv:2407.01082), temperature.

They apply in this order, which is llama.cpp's. The draw itself is an exponential race with counter-based random numbers
(seed, position, token id), so that a seed gives the same text on every GPU and in NumPy.
"""

from dataclasses import asdict, dataclass

import numpy as np

from .. import wgsl
from ..gpu import Buffer, Program
from ..values import integer, number
from .lib.array import Array

__all__ = ["Sampling", "sample", "sample_numpy"]

_WORKGROUP_SIZE = 256
_UNROLL = 8
_NUMBERS = {"temperature": (0, 100), "top_p": (0, 1), "min_p": (0, 1), "repetition_penalty": (0.01, 100)}
_WHOLE_NUMBERS = {"top_k": (0, 1 << 24), "penalty_window": (0, 1 << 16), "seed": (0, (1 << 32) - 1)}


@dataclass(frozen=True)
class Sampling:
    """How the next token is picked.

    temperature: 0 takes the most likely token. top_k: keep the k most likely (0: all). top_p: keep the most likely that
    together reach this probability (1: all). min_p: drop those less likely than this share of the likeliest (0: none).
    repetition_penalty: divides the logits of the last `penalty_window` tokens (1: off). seed: 32 bits.
    Raises WgmlError when a value is of another type or out of its range.
    """

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    penalty_window: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        for name, (low, high) in _NUMBERS.items():
            object.__setattr__(self, name, number(name, getattr(self, name), low, high))
        for name, (low, high) in _WHOLE_NUMBERS.items():
            object.__setattr__(self, name, integer(name, getattr(self, name), low, high))

    def uniform(self) -> bytes:
        """The uniform buffer that `sample.wgsl` reads."""
        return wgsl.packed("lib/sampling", "Sampling", asdict(self))


def sample(
    program: Program,
    step: Buffer,
    sampling: Buffer,
    logits: Buffer,
    tokens: Buffer,
    vocabulary: int,
    found: Buffer | None = None,
    max_count: int = 1,
) -> None:
    """Pick the token after the step's last from `logits`, write it to `tokens`, and move the step on to it; with
    `found`, uint32 [max_count], pick the one after each of the step's tokens, as if it were the last, into `found`, and
    leave step and tokens as they are.

    step: its position becomes position + count, its count 1. sampling: `Sampling.uniform()`. logits: float32
    [max_count, vocabulary], changed in place by the penalty. tokens: uint32 [context + 1]; tokens[position + count] is
    written.
    """
    program.dispatch(
        "sample",
        {"sampling": sampling, "step": step, "logits": logits, "tokens": tokens}
        | ({} if found is None else {"found": found}),
        (max_count, 1, 1),
        {"vocabulary": vocabulary},
        every=found is not None,
        workgroup_size=_WORKGROUP_SIZE,
        unroll=_UNROLL,
    )


def sample_numpy(logits: Array, tokens: Array, sampling: Sampling) -> int:
    """The token that follows `tokens` (int [n]), given its logits (float32 [vocabulary])."""
    logits = logits.astype(np.float32)
    recent = np.unique(tokens[max(0, len(tokens) - sampling.penalty_window) :])
    penalty = np.float32(sampling.repetition_penalty)
    logits[recent] *= np.where(logits[recent] > 0, 1 / penalty, penalty)
    if sampling.temperature == 0:
        return int(np.argmax(logits))

    kept = np.argsort(-logits, kind="stable")
    if 0 < sampling.top_k < len(logits):
        kept = kept[logits[kept] >= logits[kept[sampling.top_k - 1]]]
    relative = logits[kept] - logits[kept[0]]
    if sampling.top_p < 1:
        mass = np.cumsum(np.exp(relative))
        last = np.searchsorted(mass, np.float32(sampling.top_p) * mass[-1])
        kept = kept[relative >= relative[min(last, len(kept) - 1)]]
        relative = relative[: len(kept)]
    if sampling.min_p > 0:
        kept = kept[relative >= np.log(np.float32(sampling.min_p))]
        relative = relative[: len(kept)]
    race = _random_exponential(kept, len(tokens), sampling.seed)
    return int(kept[np.argmax(relative / np.float32(sampling.temperature) - np.log(race))])


def _random_exponential(ids: Array, position: int, seed: int) -> Array:
    """The numbers of `random_exponential` in lib/random.wgsl, one for each id."""
    x, y, z = (
        np.broadcast_to(np.asarray(c, np.uint32), ids.shape) * np.uint32(1664525) + np.uint32(1013904223)
        for c in (ids, position, seed)
    )
    for shift in (True, False):
        x = x + y * z
        y = y + z * x
        z = z + x * y
        if shift:
            x, y, z = x ^ (x >> np.uint32(16)), y ^ (y >> np.uint32(16)), z ^ (z >> np.uint32(16))
    u = ((x >> np.uint32(8)).astype(np.float64) + 0.5) * 2.0**-24
    return -np.log1p(-u).astype(np.float32)
