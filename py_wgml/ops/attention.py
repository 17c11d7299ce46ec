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
    splits: int = 1,
    parts: Buffer | None = None,
) -> None:
    """out[t, h] = softmax(scale q[t, h] . k[.., h']) v[.., h'] over the positions up to the token's own.

    q, out: float32 [max_count, heads, head_dim]; caches: [context, kv_heads, head_dim] in half precision (half) or
    float32. heads / kv_heads query heads share each h'. splits: workgroups that share the positions of a query (as in
    Flash-Decoding, Dao et al. 2023), for steps with too few queries to fill a GPU; above 1, `parts` takes what each has
    (`attention_parts` bytes).
    Raises WgmlError when heads is no multiple of kv_heads, or head_dim is odd or above 512.
    """
    if heads % kv_heads or head_dim % 2 or head_dim > 2 * _MAX_WORKGROUP_SIZE:
        raise WgmlError(f"attention with {heads} heads over {kv_heads}, of {head_dim} elements each, is not supported")
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
        [block(heads, kv_heads, float(scale)), step, q, k_cache, v_cache, target],
        (heads, max_count, splits),
        head_dim=head_dim,
        half=half,
        splits=splits,
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
