"""What attention weighs values by: for who wants to look at it; `attention` itself writes it nowhere."""

import numpy as np

from ..errors import WgmlError
from ..gpu import Buffer, Program
from .attention import Scores, require_heads, weights_numpy
from .lib.array import Array
from .lib.heads import KvCache

__all__ = ["attention_weights", "attention_weights_numpy"]

_WORKGROUP_SIZE = 128


def attention_weights(
    program: Program,
    step: Buffer,
    q: Buffer,
    cache: KvCache,
    out: Buffer,
    scores: Scores[Buffer],
    max_count: int,
    length: int,
) -> None:
    """out[h, t, p] = the weight of position p for head h of token t, 0 where it does not see p.

    q: float32 [max_count, heads, head_dim]; out: float32 [heads, max_count, length]; length: even, and no less than the
    positions that there are. A row's sum is 1, or less where the softmax has sinks.
    Raises WgmlError where out has no room, for an odd length, and as `require_heads` does.
    """
    heads = cache.heads
    require_heads(heads)
    if length % 2 or out.nbytes < 4 * heads.heads * max_count * length:
        raise WgmlError(f"attention weights of {heads.heads} heads for {length} positions have no room")
    limits = {"window": scores.window, "soft_cap": scores.soft_cap, "alibi": scores.alibi}
    program.dispatch(
        "attention_weights",
        (
            {"step": step, "q": q, "out": out, "sinks": scores.sinks, "spans": scores.spans},
            {"rows": {"count": max_count, "length": length}},
            cache.bindings,
        ),
        (heads.heads, max_count, 1),
        ({"scale": scores.scale, **{name: limit or 0 for name, limit in limits.items()}}, cache.params),
        **{name: limit is not None for name, limit in limits.items()},
        sinks=scores.sinks is not None,
        causal=scores.causal,
        spans=scores.spans is not None,
        **cache.template,
        workgroup_size=_WORKGROUP_SIZE,
    )


def attention_weights_numpy(q: Array, k: Array, position: int, scores: Scores[Array], length: int) -> Array:
    """q, k as of `attention_numpy`, T queries -> [heads, T, length]."""
    weights: Array = weights_numpy(q, k, position, scores)
    return np.pad(weights, [(0, 0), (0, 0), (0, length - len(k))])
