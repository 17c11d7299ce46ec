"""Rotary position embedding (see rope.py) and the step's keys and values appended to the cache, in one dispatch; so is
the norm of heads before it."""

from dataclasses import dataclass

from ..errors import WgmlError
from ..gpu import Buffer, Program
from .lib.heads import KvCache
from .qk_norm import HeadNorm, head_lanes
from .rope import Pairing, require_rotary

__all__ = ["Append", "can_norm", "rope_append"]

_WORKGROUP_SIZE = 64


@dataclass(frozen=True)
class Append:
    """What becomes of queries, keys and values [T, (heads + 2 kv_heads) head_dim] on their way to attention.

    rotations: float32 [context, rotary_dim / 2, 2] from `rotations_numpy`, by which queries and keys are turned.
    rotary_dim: how many elements of a head are, from the first on. pairing: an element's partner is its neighbour
    ("norm") or rotary_dim / 2 further ("neox"). cache: rows position .. position + count are written. positions: uint32
    [T], by which the step's tokens are turned, where they don't follow one another (None: they do).
    Raises WgmlError when the dimensions are not supported (see `require_rotary`).
    """

    rotations: Buffer
    rotary_dim: int
    pairing: Pairing
    cache: KvCache
    positions: Buffer | None = None

    def __post_init__(self) -> None:
        require_rotary(self.cache.heads.head_dim, self.rotary_dim, self.pairing)

    @property
    def bindings(self) -> dict[str, Buffer]:
        """What wgsl/lib/append.wgsl and wgsl/lib/rotate.wgsl read and write, but for the queries."""
        return {"rotations": self.rotations} | self.cache.bindings

    @property
    def template(self) -> dict[str, int | str]:
        """The parameters of wgsl/lib/append.wgsl and wgsl/lib/rotate.wgsl."""
        return {"rotary_dim": self.rotary_dim, "pairing": self.pairing, **self.cache.template}


def rope_append(
    program: Program,
    step: Buffer,
    qkv: Buffer,
    q: Buffer,
    append: Append,
    max_count: int,
    norm: HeadNorm | None = None,
    width: int | None = None,
) -> None:
    """Rotate the queries of `qkv` into `q`, its keys into the cache, and copy its values there; norm: heads are first
    scaled by it (not for a cache of 8 bits).

    qkv: float32 [max_count, (heads + 2 kv_heads) head_dim], queries before keys before values. q: float32 [max_count,
    heads, head_dim]. width: elements of a row of qkv, where there are others behind the values.
    Raises WgmlError for a norm before a cache of 8 bits.
    """
    heads = append.cache.heads
    if norm and not can_norm(append):
        raise WgmlError("heads are not normed on their way to a cache of 8 bits")
    groups = heads.heads + 2 * heads.kv_heads if norm else -(-heads.qkv_width // (2 * _WORKGROUP_SIZE))
    program.dispatch(
        "rope_append",
        [
            {"step": step, "qkv": qkv, "q": q, "positions": append.positions},
            {"norm_weights": norm.weights if norm else None},
            append.bindings,
        ],
        (groups, max_count, 1),
        [{**append.cache.params, "row": width or heads.qkv_width}, {"eps": norm.eps} if norm else {}],
        **append.template,
        norm=norm is not None,
        norm_weights=norm is not None and norm.weights is not None,
        norm_values=norm is not None and norm.values,
        positions=append.positions is not None,
        workgroup_size=head_lanes(heads.head_dim) if norm else _WORKGROUP_SIZE,
    )


def can_norm(append: Append) -> bool:
    """Whether heads can be normed on their way: blocks of 8 bits are made by neighbours of whom some would be idle."""
    return append.cache.bits > 8
