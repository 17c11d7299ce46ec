"""Routing of a mixture of experts (Shazeer et al., arXiv:1701.06538): which experts a token goes to, with what weights.

Softmax gating as in Mixtral (arXiv:2401.04088) and Qwen; sigmoid gating with a bias on the choice as in DeepSeek-V3
(arXiv:2412.19437).
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ..errors import WgmlError
from ..gpu import Buffer, Program
from .lib.array import Array
from .top_k import top_k_numpy

__all__ = ["Routing", "route", "route_numpy"]

_WORKGROUP_SIZE = 64

Gating = Literal["softmax", "sigmoid"]


@dataclass(frozen=True)
class Routing:
    """How k of the experts are chosen: those with the largest gates, which are then given times factor.

    A gate is the softmax over all experts of a token's logits, or the sigmoid of its own. normalise: the k gates are
    divided by their sum (after a softmax over all, that is the softmax over those k).
    Raises WgmlError when there is no such gating, or k is not within 1 .. experts.
    """

    experts: int
    k: int
    gating: Gating
    normalise: bool
    factor: float = 1.0

    def __post_init__(self) -> None:
        if self.gating not in get_args(Gating):
            raise WgmlError(f"there is no gating {self.gating!r}; there are {', '.join(get_args(Gating))}")
        if not 0 < self.k <= self.experts:
            raise WgmlError(f"{self.k} of {self.experts} experts cannot be chosen")


def route(
    program: Program,
    step: Buffer,
    logits: Buffer,
    ids: Buffer,
    weights: Buffer,
    routing: Routing,
    max_count: int,
    bias: Buffer | None = None,
) -> None:
    """The experts of each token, that with the largest gate first, and what their results weigh.

    bias: float32 [experts], added to the gates to choose by. logits: float32 [max_count, experts]; ids: uint32
    [max_count, k]; weights: float32, as ids.
    """
    program.dispatch(
        "route",
        {"step": step, "logits": logits, "ids": ids, "weights": weights, "bias": bias},
        (max_count, 1, 1),
        {"experts": routing.experts, "k": routing.k, "factor": routing.factor},
        gating=routing.gating,
        bias=bias is not None,
        normalise=routing.normalise,
        workgroup_size=_WORKGROUP_SIZE,
    )


def route_numpy(logits: Array, routing: Routing, bias: Array | None = None) -> tuple[Array, Array]:
    """logits [T, experts], bias [experts] -> ids [T, k], weights [T, k]."""
    if routing.gating == "softmax":
        gates = np.exp(logits - logits.max(axis=-1, keepdims=True))
        gates /= gates.sum(axis=-1, keepdims=True)
    else:
        gates = 0.5 * (1 + np.tanh(0.5 * logits))
    ids, _ = top_k_numpy(logits if bias is None else gates + bias, routing.k)
    weights = np.take_along_axis(gates, ids, axis=-1)
    if routing.normalise:
        weights = weights / weights.sum(axis=-1, keepdims=True)
    return ids, weights * routing.factor
