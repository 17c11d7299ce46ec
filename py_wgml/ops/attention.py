"""Causal attention with grouped heads (Vaswani et al., arXiv:1706.03762; Ainslie et al., arXiv:2305.13245)."""

import numpy as np

from ..errors import WgmlError
from ..gpu import Buffer, Program, block
from .array import Array

_MIN_WORKGROUP_SIZE = 64
_MAX_WORKGROUP_SIZE = 256


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
) -> None:
    """out[t, h] = softmax(scale q[t, h] . k[.., h']) v[.., h'] over the positions up to the token's own.

    q, out: float32 [max_count, heads, head_dim]; caches: [context, kv_heads, head_dim] in half precision (half) or
    float32. heads / kv_heads query heads share each h'.
    Raises WgmlError when heads is no multiple of kv_heads, or head_dim is odd or above 512.
    """
    if heads % kv_heads or head_dim % 2 or head_dim > 2 * _MAX_WORKGROUP_SIZE:
        raise WgmlError(f"attention with {heads} heads over {kv_heads}, of {head_dim} elements each, is not supported")
    # With few queries there are few workgroups, so that each has to be large; with many, small ones waste less.
    workgroup_size = _MAX_WORKGROUP_SIZE if max_count == 1 else _MIN_WORKGROUP_SIZE
    while workgroup_size < head_dim // 2:
        workgroup_size *= 2
    program.dispatch(
        "attention",
        [block(heads, kv_heads, float(scale)), step, q, k_cache, v_cache, out],
        (heads, max_count, 1),
        head_dim=head_dim,
        half=half,
        workgroup_size=workgroup_size,
    )


def attention_numpy(
    q: Array,
    k: Array,
    v: Array,
    position: int,
    scale: float,
) -> Array:
    """q [T, heads, head_dim] at position .. position + T; k, v [position + T, kv_heads, head_dim] -> as q."""
    count, heads, _ = q.shape
    repeat = heads // k.shape[1]
    keys, values = np.repeat(k, repeat, axis=1), np.repeat(v, repeat, axis=1)
    scores = np.einsum("thd,phd->htp", q, keys) * np.float32(scale)
    visible = np.arange(len(k))[None, :] <= position + np.arange(count)[:, None]
    scores = np.where(visible, scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    out: Array = np.einsum("htp,phd->thd", weights, values)
    return out
