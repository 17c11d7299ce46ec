"""Causal attention with grouped heads (Vaswani et al., arXiv:1706.03762; Ainslie et al., arXiv:2305.13245)."""

from dataclasses import dataclass

import numpy as np

from ..errors import WgmlError
from ..gpu import Buffer, Device, Program
from .array import Array
from .rope_append import Bits, cache_bytes

# attention_vector.wgsl
_WORKGROUP_SIZE = 128
_SOFTWARE_WORKGROUP_SIZE = 64  # on a CPU every lane without work costs what one with work does
_WORKGROUP_WORDS = 16384 // 4  # of workgroup memory: what every device has
_UNROLL = 8  # reads under way at once, of keys and of values; on a CPU 1: it has no latency to hide
_STRANDS = 16  # without subgroups
_MAX_WIDTH = 32
_SPLITS = ((128, 1), (1536, 8), (None, 32))  # up to so many positions are shared out among so many workgroups
# attention_tile.wgsl
_TILE_ROWS = 32
_TILE_FROM = 17  # tokens a step from which on it is the faster
_MAX_TILE_HEAD_DIM = 256
_MAX_HEAD_DIM = 512


@dataclass(frozen=True)
class Parts:
    """In how many parts attention's result is, and the elements of its heads: see lib/attention_parts.wgsl."""

    splits: int
    head_dim: int


def attention_splits(device: Device, max_count: int, length: int) -> int:
    """Workgroups that best share the positions of a query, in steps of up to max_count tokens over up to `length`."""
    if max_count > 1 or device.info.software:  # there is work enough without
        return 1
    return next(splits for most, splits in _SPLITS if most is None or length <= most)


def attention_lengths(context: int) -> list[int]:
    """One length of each range of lengths, up to `context`, for which `attention_splits` is the same."""
    return [1, *(most + 1 for most, _ in _SPLITS if most is not None and most < context)]


def attention_parts(head_dim: int, splits: int, heads: int, max_count: int) -> int:
    """Bytes of the buffer `parts` that `attention` needs."""
    return 4 * max_count * heads * splits * (head_dim + 2)


def require_heads(heads: int, kv_heads: int, head_dim: int) -> None:
    """Raises WgmlError when heads is no multiple of kv_heads, or head_dim is odd or above 512."""
    if heads % kv_heads or head_dim % 2 or head_dim > _MAX_HEAD_DIM:
        raise WgmlError(f"attention with {heads} heads over {kv_heads}, of {head_dim} elements each, is not supported")


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
    bits: Bits,
    max_count: int,
    window: int | None = None,
    soft_cap: float | None = None,
    sinks: Buffer | None = None,
    splits: int = 1,
) -> None:
    """out[t, h] = softmax(scale q[t, h] . k[.., h']) v[.., h'] over the positions up to the token's own.

    q, out: float32 [max_count, heads, head_dim]; caches: [context, kv_heads, head_dim] of elements of `bits` bits
    (`cache_bytes`). heads / kv_heads query heads share each h'.
    window: how many positions a token sees, its own the last (None: all). soft_cap: scores s become
    soft_cap tanh(s / soft_cap). sinks: float32 [heads], one more score of each head's softmax, which has no value.
    splits: workgroups that share the positions of a query (as in Flash-Decoding, Dao et al. 2023), for steps with too
    few queries to fill a GPU (`attention_splits`); above 1, what each has goes to out (`attention_parts` bytes), for
    `attention_merge` to put together.
    Raises WgmlError as `require_heads` does, or when window or soft_cap is not positive.
    """
    require_heads(heads, kv_heads, head_dim)
    if (window is not None and window < 1) or (soft_cap is not None and not soft_cap > 0):
        raise WgmlError(f"attention with a window of {window} and a soft cap of {soft_cap} is not supported")
    cache_bytes(head_dim, bits)
    if splits > 1 and out.nbytes < attention_parts(head_dim, splits, heads, max_count):
        raise WgmlError(f"attention in {splits} parts has no room for them")
    bindings = {"step": step, "q": q, "k_cache": k_cache, "v_cache": v_cache, "out": out, "sinks": sinks}
    params = {
        "heads": heads,
        "kv_heads": kv_heads,
        "scale": scale,
        "window": window or 0,
        "soft_cap": soft_cap or 0,
    }
    template = {
        "head_dim": head_dim,
        "bits": bits,
        "window": window is not None,
        "soft_cap": soft_cap is not None,
        "sinks": sinks is not None,
    }
    shared = heads // kv_heads
    if max_count >= _TILE_FROM and head_dim <= _MAX_TILE_HEAD_DIM and splits == 1:
        tiles = -(-max_count * shared // _TILE_ROWS)
        program.dispatch("attention_tile", bindings, (tiles, kv_heads, 1), params, **template, group=shared)
        return
    info = program.device.info
    width = min(info.subgroup_min_size, _MAX_WIDTH) if "subgroups" in program.device.features else 1
    workgroup_size, unroll = (_SOFTWARE_WORKGROUP_SIZE, 1) if info.software else (_WORKGROUP_SIZE, _UNROLL)
    # Over few positions a workgroup a head is done sooner; reading them several times costs little, but on a CPU.
    together = splits == _SPLITS[-1][1] or info.software
    group = _group(shared, head_dim, width, workgroup_size) if together else 1
    program.dispatch(
        "attention_vector",
        bindings,
        (heads // group, max_count, splits),
        params,
        **template,
        splits=splits,
        group=group,
        key_unroll=_largest_divisor(-(-head_dim // 8), unroll),
        value_unroll=unroll,
        workgroup_size=workgroup_size,
        width=width,
    )


def attention_merge(
    program: Program, step: Buffer, parts: Buffer, out: Buffer, heads: int, head_dim: int, splits: int, max_count: int
) -> None:
    """Put the `parts` that `attention` left together. out: float32 [max_count, heads, head_dim]."""
    program.dispatch(
        "attention_merge",
        {"step": step, "parts": parts, "out": out},
        (heads, max_count, 1),
        head_dim=head_dim,
        splits=splits,
        workgroup_size=-(-head_dim // 128) * 64,
    )


def _largest_divisor(n: int, limit: int) -> int:
    return max(d for d in range(1, limit + 1) if n % d == 0)


def _group(shared: int, head_dim: int, width: int, workgroup_size: int) -> int:
    """How many of the `shared` heads of a key/value head a workgroup of attention_vector.wgsl has room for."""
    strands = workgroup_size // width if width > 1 else _STRANDS
    words_of_head = -(-head_dim // 8) * 8 + workgroup_size + strands
    room = (_WORKGROUP_WORDS - 8 * workgroup_size) // words_of_head
    return _largest_divisor(shared, min(workgroup_size // _STRANDS, room))


def attention_merge_numpy(values: Array, states: Array) -> Array:
    """values [T, splits, heads, head_dim], states [T, heads, splits, 2] (highest, sum) -> [T, heads, head_dim]."""
    weights = np.exp(states[..., 0] - states[..., 0].max(axis=-1, keepdims=True))
    merged: Array = np.einsum("ths,tshd->thd", weights, values) / np.sum(weights * states[..., 1], axis=-1)[..., None]
    return merged


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
