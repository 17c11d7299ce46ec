"""Routing of a mixture of experts (Shazeer et al., arXiv:1701.06538): which experts a token goes to, with what weights.

Softmax gating as in Mixtral (arXiv:2401.04088) and Qwen; sigmoid gating with a bias on the choice as in DeepSeek-V3
(arXiv:2412.19437).
"""

from typing import Literal, get_args

import numpy as np

from ..errors import WgmlError
from ..gpu import Buffer, Program
from .array import Array
from .top_k import top_k_numpy

_WORKGROUP_SIZE = 64

Gating = Literal["softmax", "sigmoid"]


def route(
    program: Program,
    step: Buffer,
    logits: Buffer,
    ids: Buffer,
    weights: Buffer,
    experts: int,
    k: int,
    gating: Gating,
    normalise: bool,
    max_count: int,
    factor: float = 1.0,
    bias: Buffer | None = None,
) -> None:
    """The k experts with the largest gates of each token, the largest first, and those gates times factor.

    A gate is the softmax over all experts of a token's logits, or the sigmoid of its own. normalise: the k gates are
    divided by their sum (after a softmax over all, that is the softmax over those k). bias: float32 [experts], added to
    the gates to choose by. logits: float32 [max_count, experts]; ids: uint32 [max_count, k]; weights: float32, as ids.
    Raises WgmlError when there is no such gating, or k is not within 1 .. experts.
    """
    if gating not in get_args(Gating):
        raise WgmlError(f"there is no gating {gating!r}; there are {', '.join(get_args(Gating))}")
    if not 0 < k <= experts:
        raise WgmlError(f"{k} of {experts} experts cannot be chosen")
    program.dispatch(
        "route",
        {"step": step, "logits": logits, "ids": ids, "weights": weights, "bias": bias},
        (max_count, 1, 1),
        {"experts": experts, "k": k, "factor": factor},
        gating=gating,
        bias=bias is not None,
        normalise=normalise,
        workgroup_size=_WORKGROUP_SIZE,
    )


def route_numpy(
    logits: Array, k: int, gating: Gating, normalise: bool, factor: float = 1.0, bias: Array | None = None
) -> tuple[Array, Array]:
    """logits [T, experts], bias [experts] -> ids [T, k], weights [T, k]."""
    if gating == "softmax":
        gates = np.exp(logits - logits.max(axis=-1, keepdims=True))
        gates /= gates.sum(axis=-1, keepdims=True)
    else:
        gates = 0.5 * (1 + np.tanh(0.5 * logits))
    ids, _ = top_k_numpy(logits if bias is None else gates + bias, k)
    weights = np.take_along_axis(gates, ids, axis=-1)
    if normalise:
        weights = weights / weights.sum(axis=-1, keepdims=True)
    return ids, weights * factor
