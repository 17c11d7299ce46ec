"""What attention leaves in partials, put together (as in Flash-Decoding, Dao et al. 2023)."""

import numpy as np

from ..gpu import Buffer, Program
from .attention import Partials
from .lib.array import Array

__all__ = ["attention_merge", "attention_merge_numpy"]


def attention_merge(
    program: Program, step: Buffer, source: Buffer, partials: Partials, out: Buffer, max_count: int
) -> None:
    """Put together the `partials` that `attention` left in `source`. out: float32 [max_count, heads, value_dim]."""
    head_dim = partials.heads.value_dim
    program.dispatch(
        "attention_merge",
        {"step": step, "partials": source, "out": out},
        (partials.heads.heads, max_count, 1),
        head_dim=head_dim,
        splits=partials.splits,
        workgroup_size=-(-head_dim // 128) * 64,
    )


def attention_merge_numpy(values: Array, states: Array) -> Array:
    """values [T, splits, heads, head_dim], states [T, heads, splits, 2] (highest, sum) -> [T, heads, head_dim]."""
    weights = np.exp(states[..., 0] - states[..., 0].max(axis=-1, keepdims=True))
    merged: Array = np.einsum("ths,tshd->thd", weights, values) / np.sum(weights * states[..., 1], axis=-1)[..., None]
    return merged
