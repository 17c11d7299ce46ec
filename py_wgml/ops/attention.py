"""Attention with grouped heads (Vaswani et al., arXiv:1706.03762; Ainslie et al., arXiv:2305.13245)."""

from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from ..errors import WgmlError
from ..gpu import MAX_WORKGROUP_BYTES, TILES, Buffer, Device, Program
from .lib.array import Array
from .lib.heads import Heads, KvCache

__all__ = ["Partials", "Scores", "attention", "attention_lengths", "attention_numpy", "attention_splits"]

# attention_vector.wgsl
_WORKGROUP_SIZE = 128
_SOFTWARE_WORKGROUP_SIZE = 64  # on a CPU every lane without work costs what one with work does
_UNROLL = 8  # reads under way at once, of keys and of values; on a CPU 1: it has no latency to hide
_STRANDS = 16  # without subgroups
_MAX_WIDTH = 32
_SPLITS = ((128, 1), (1536, 8), (None, 32))  # up to so many positions are shared out among so many workgroups
# attention_tile.wgsl
_TILE_ROWS = 32
_TILE_FROM = 17  # tokens a step from which on it is the faster
_MAX_HEAD_DIM = 512  # that the octets of a value are no more than invocations; and of the keys of latents
_MAX_LATENT_KEY_DIM = 1024


@dataclass(frozen=True)
class Partials:
    """Attention's result before its splits are put together: see lib/attention_partials.wgsl."""

    heads: Heads
    splits: int

    def nbytes(self, max_count: int) -> int:
        """Bytes that they take, of steps of up to max_count tokens."""
        return 4 * max_count * self.heads.heads * self.splits * (self.heads.value_dim + 2)


S = TypeVar("S", Buffer, Array)


@dataclass(frozen=True)
class Scores(Generic[S]):
    """How scores, the products of queries and keys, become the weights of values.

    scale: what they are multiplied by. window: a token sees the positions less than so many away from its own (None:
    all). soft_cap: scores s become soft_cap tanh(s / soft_cap). sinks: float32 [heads], one more score of each head's
    softmax, which has no value. causal: a token sees no position after its own. alibi: scores lose with the distance of
    the positions (Press et al., arXiv:2108.12409): what GGUF calls max_alibi_bias (see `alibi_slopes`). spans: uint32
    [T, 2], for steps of several texts, one behind the other from position 0 on: the first row of the text that a row
    belongs to, and the one after its last; it sees no others. Buffers; arrays for NumPy's attention.
    Raises WgmlError when window, soft_cap or alibi is not positive.
    """

    scale: float
    window: int | None = None
    soft_cap: float | None = None
    sinks: S | None = None
    causal: bool = True
    alibi: float | None = None
    spans: S | None = None

    def __post_init__(self) -> None:
        limits = {"window": self.window, "soft cap": self.soft_cap, "ALiBi bias": self.alibi}
        for name, limit in limits.items():
            if limit is not None and not limit > 0:
                raise WgmlError(f"attention with a {name} of {limit:g} is not supported")


def attention_splits(device: Device, max_count: int, length: int) -> int:
    """Workgroups that best share the positions of a query, in steps of up to max_count tokens over up to `length`."""
    if max_count > 1 or device.info.software:  # there is work enough without
        return 1
    return next(splits for most, splits in _SPLITS if most is None or length <= most)


def attention_lengths(context: int) -> list[int]:
    """One length of each range of lengths, up to `context`, for which `attention_splits` is the same."""
    return [1, *(most + 1 for most, _ in _SPLITS if most is not None and most < context)]


def require_heads(heads: Heads) -> None:
    """Refuse heads. Raises WgmlError when heads is no multiple of kv_heads, or the length of keys or values is odd or
    above 512 (of keys that are latents and more: 1024)."""
    key, value = heads.head_dim, heads.value_dim
    too_long = value > _MAX_HEAD_DIM or not value <= key <= _MAX_LATENT_KEY_DIM
    if heads.heads % heads.kv_heads or key % 2 or value % 2 or too_long:
        shape = f"{heads.heads} heads over {heads.kv_heads}, of {heads.head_dim} elements each,"
        raise WgmlError(f"attention with {shape} is not supported")


def attention(
    program: Program,
    step: Buffer,
    q: Buffer,
    cache: KvCache,
    out: Buffer,
    scores: Scores[Buffer],
    max_count: int,
    splits: int = 1,
) -> None:
    """out[t, h] = softmax(scale q[t, h] . k[.., h']) v[.., h'] over the positions that the token sees.

    q: float32 [max_count, heads, head_dim]; out: likewise, as long as values. heads / kv_heads query heads share each
    h'. scores: what else becomes
    of the products. splits: workgroups that share the positions of a query (as in Flash-Decoding, Dao et al. 2023), for
    steps with too few queries to fill a GPU (`attention_splits`); above 1, each leaves a partial in out
    (`Partials.nbytes`), for `attention_merge` to put together.
    Raises WgmlError as `require_heads` does.
    """
    heads = cache.heads
    require_heads(heads)
    if splits > 1 and out.nbytes < Partials(heads, splits).nbytes(max_count):
        raise WgmlError(f"attention in {splits} partials has no room for them")
    bindings = {"step": step, "q": q, "out": out, "sinks": scores.sinks, "spans": scores.spans}, cache.bindings
    limits = {"window": scores.window, "soft_cap": scores.soft_cap, "alibi": scores.alibi}
    params = {"scale": scores.scale, **{name: limit or 0 for name, limit in limits.items()}}, cache.params
    template = {
        **{name: limit is not None for name, limit in limits.items()},
        "sinks": scores.sinks is not None,
        "causal": scores.causal,
        "spans": scores.spans is not None,
        **cache.template,
    }
    shared = heads.heads // heads.kv_heads
    if max_count >= _TILE_FROM and splits == 1 and program.device.uses(TILES):
        tiles = -(-max_count * shared // _TILE_ROWS)
        program.dispatch(
            "attention_tile",
            bindings,
            (tiles, heads.kv_heads, 1),
            params,
            **template,
            group=shared,
            tile_rows=_TILE_ROWS,
        )
        return
    info = program.device.info
    width = min(info.subgroup_min_size, _MAX_WIDTH) if program.device.uses("subgroups") else 1
    workgroup_size, unroll = (_SOFTWARE_WORKGROUP_SIZE, 1) if info.software else (_WORKGROUP_SIZE, _UNROLL)
    # Over few positions a workgroup a head is done sooner; reading them several times costs little, but on a CPU.
    together = splits == _SPLITS[-1][1] or info.software
    strands = workgroup_size // width if width > 1 else _STRANDS
    group = _group(shared, heads.head_dim, strands, workgroup_size) if together else 1
    program.dispatch(
        "attention_vector",
        bindings,
        (heads.heads // group, max_count, splits),
        params,
        **template,
        splits=splits,
        group=group,
        key_unroll=_largest_divisor(-(-heads.head_dim // 8), unroll),
        value_unroll=unroll,
        workgroup_size=workgroup_size,
        width=width,
        strands=strands,
    )


def _largest_divisor(n: int, limit: int) -> int:
    return max(d for d in range(1, limit + 1) if n % d == 0)


def _group(shared: int, head_dim: int, strands: int, workgroup_size: int) -> int:
    """How many of the `shared` heads of a key/value head a workgroup of attention_vector.wgsl has room for."""
    most = min(shared, workgroup_size // _STRANDS)
    fitting = (d for d in range(1, most + 1) if 4 * _words(d, head_dim, strands, workgroup_size) <= MAX_WORKGROUP_BYTES)
    return _largest_divisor(shared, max(fitting))


def _words(group: int, head_dim: int, strands: int, workgroup_size: int) -> int:
    """Words of workgroup memory that attention_vector.wgsl takes."""
    return group * (-(-head_dim // 8) * 8 + workgroup_size + strands) + 8 * workgroup_size


def alibi_slopes(heads: int, bias: float) -> Array:
    """What the scores of each head lose with each position of distance: [heads].

    Of as many heads as a power of two has, they go down evenly, as powers of two, to 2^-bias; those of the other heads
    lie between the first of these."""
    even = 1 << (heads.bit_length() - 1)
    places = np.concatenate([np.arange(even) + 1, np.arange(heads - even) + 0.5])
    slopes: Array = np.exp2(-bias * places / even)
    return slopes


def attention_numpy(q: Array, k: Array, v: Array, position: int, scores: Scores[Array]) -> Array:
    """q [T, heads, head_dim] at position .. position + T; k, v [position + T, kv_heads, head_dim] -> as q.

    Values may be of another length, which is then that of the result.
    """
    weights = weights_numpy(q, k, position, scores)
    out: Array = np.einsum("htp,phd->thd", weights, np.repeat(v, q.shape[1] // v.shape[1], axis=1))
    return out


def weights_numpy(q: Array, k: Array, position: int, scores: Scores[Array]) -> Array:
    """q, k as of `attention_numpy` -> what values are weighed by: [heads, T, position + T]."""
    window, soft_cap, sinks = scores.window, scores.soft_cap, scores.sinks
    count, heads, _ = q.shape
    keys = np.repeat(k, heads // k.shape[1], axis=1)
    products = np.einsum("thd,phd->htp", q, keys) * np.float32(scores.scale)
    if soft_cap is not None:
        products = soft_cap * np.tanh(products / soft_cap)
    distance = position + np.arange(count)[:, None] - np.arange(len(k))[None, :]
    if scores.alibi is not None:
        products = products - alibi_slopes(heads, scores.alibi)[:, None, None] * np.abs(distance)
    visible = np.abs(distance) < (len(k) if window is None else window)
    if scores.causal:
        visible &= distance >= 0
    if scores.spans is not None:
        first, end = scores.spans[:count].astype(int).T[:, :, None]
        visible &= (np.arange(len(k)) >= first) & (np.arange(len(k)) < end)
    products = np.where(visible, products, -np.inf)
    highest = products.max(axis=-1, keepdims=True)
    if sinks is not None:
        highest = np.maximum(highest, sinks[:, None, None])
    weights = np.exp(products - highest)
    total = weights.sum(axis=-1, keepdims=True)
    if sinks is not None:
        total += np.exp(sinks[:, None, None] - highest)
    out: Array = weights / total
    return out
