"""Causal attention with grouped heads (Vaswani et al., arXiv:1706.03762; Ainslie et al., arXiv:2305.13245)."""

import numpy as np

from ..errors import WgmlError
from ..gpu import Buffer, Program, block
from .array import Array

_WORKGROUP_SIZE = 64  # positions of a tile; more where a head is wider
_MAX_WORKGROUP_SIZE = 256


def attention_parts(head_dim: int, splits: int, heads: int, max_count: int) -> int:
    """Bytes of the buffer `parts` that `attention` needs."""
    return 4 * max_count * heads * splits * (head_dim + 2)


def attention(
    program: Program,
    step: Buffer,
    q: Buffer,
    k_cache: Buffer,
    v_cache: Buffer,
    out: Buffer,
    heads: int,
    kv_heads: int,
    head_dim: int,
    scale: float,
    half: bool,
    max_count: int,
    window: int | None = None,
    soft_cap: float | None = None,
    sinks: Buffer | None = None,
    splits: int = 1,
    parts: Buffer | None = None,
) -> None:
    """out[t, h] = softmax(scale q[t, h] . k[.., h']) v[.., h'] over the positions up to the token's own.

    q, out: float32 [max_count, heads, head_dim]; caches: [context, kv_heads, head_dim] in half precision (half) or
    float32. heads / kv_heads query heads share each h'.
    window: how many positions a token sees, its own the last (None: all). soft_cap: scores s become
    soft_cap tanh(s / soft_cap). sinks: float32 [heads], one more score of each head's softmax, which has no value.
    splits: workgroups that share the positions of a query (as in Flash-Decoding, Dao et al. 2023), for steps with too
    few queries to fill a GPU; above 1, `parts` takes what each has (`attention_parts` bytes).
    Raises WgmlError when heads is no multiple of kv_heads, head_dim is odd or above 512, or window or soft_cap is not
    positive.
    """
    if heads % kv_heads or head_dim % 2 or head_dim > 2 * _MAX_WORKGROUP_SIZE:
        raise WgmlError(f"attention with {heads} heads over {kv_heads}, of {head_dim} elements each, is not supported")
    if (window is not None and window < 1) or (soft_cap is not None and not soft_cap > 0):
        raise WgmlError(f"attention with a window of {window} and a soft cap of {soft_cap} is not supported")
    workgroup_size = _WORKGROUP_SIZE
    while workgroup_size < head_dim // 2:
        workgroup_size *= 2
    target = out
    if splits > 1:
        if parts is None or parts.nbytes < attention_parts(head_dim, splits, heads, max_count):
            raise WgmlError(f"attention in {splits} parts has no room for them")
        target = parts
    program.dispatch(
        "attention",
        [
            block(heads, kv_heads, float(scale), window or 0, float(soft_cap or 0)),
            *(step, q, k_cache, v_cache, target),
            *([] if sinks is None else [sinks]),
        ],
        (heads, max_count, splits),
        head_dim=head_dim,
        half=half,
        splits=splits,
        window=window is not None,
        soft_cap=soft_cap is not None,
        sinks=sinks is not None,
        workgroup_size=workgroup_size,
    )
    if splits > 1:
        program.dispatch(
            "attention_merge", [step, target, out], (heads, max_count, 1), head_dim=head_dim, splits=splits
        )


def attention_numpy(
    q: Array,
    k: Array,
    v: Array,
    position: int,
    scale: float,
    window: int | None = None,
    soft_cap: float | None = None,
    sinks: Array | None = None,
) -> Array:
    """q [T, heads, head_dim] at position .. position + T; k, v [position + T, kv_heads, head_dim] -> as q.

    sinks: [heads].
    """
    count, heads, _ = q.shape
    repeat = heads // k.shape[1]
    keys, values = np.repeat(k, repeat, axis=1), np.repeat(v, repeat, axis=1)
    scores = np.einsum("thd,phd->htp", q, keys) * np.float32(scale)
    if soft_cap is not None:
        scores = soft_cap * np.tanh(scores / soft_cap)
    distance = position + np.arange(count)[:, None] - np.arange(len(k))[None, :]
    visible = (distance >= 0) & (distance < (len(k) if window is None else window))
    scores = np.where(visible, scores, -np.inf)
    highest = scores.max(axis=-1, keepdims=True)
    if sinks is not None:
        highest = np.maximum(highest, sinks[:, None, None])
    weights = np.exp(scores - highest)
    total = weights.sum(axis=-1, keepdims=True)
    if sinks is not None:
        total += np.exp(sinks[:, None, None] - highest)
    weights /= total
    out: Array = np.einsum("htp,phd->thd", weights, values)
    return out
