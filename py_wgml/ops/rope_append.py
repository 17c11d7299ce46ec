"""Rotary position embedding (see rope.py) and the step's keys and values appended to the cache, in one dispatch."""

from ..gpu import Buffer, Program, block
from .rope import Pairing, require_rotary

_WORKGROUP_SIZE = 64


def rope_append(
    program: Program,
    step: Buffer,
    qkv: Buffer,
    rotations: Buffer,
    q: Buffer,
    k_cache: Buffer,
    v_cache: Buffer,
    heads: int,
    kv_heads: int,
    head_dim: int,
    rotary_dim: int,
    pairing: Pairing,
    half: bool,
    max_count: int,
) -> None:
    """Rotate the queries of `qkv` into `q`, its keys into the cache, and copy its values there.

    qkv: float32 [max_count, (heads + 2 kv_heads) head_dim], queries before keys before values. rotations: float32
    [context, rotary_dim / 2, 2] from `rotations_numpy`. q: float32 [max_count, heads, head_dim]. k_cache, v_cache:
    [context, kv_heads, head_dim] in half precision (half) or float32; rows position .. position + count are written.
    rotary_dim: how many elements of a head are rotated, from the first on. pairing: an element's partner is its
    neighbour ("norm") or rotary_dim / 2 further ("neox").
    Raises WgmlError when the dimensions are not supported (see `require_rotary`).
    """
    require_rotary(head_dim, rotary_dim, pairing)
    pairs = (heads + 2 * kv_heads) * head_dim // 2
    program.dispatch(
        "rope_append",
        [block(heads, kv_heads), step, qkv, rotations, q, k_cache, v_cache],
        (-(-pairs // _WORKGROUP_SIZE), max_count, 1),
        head_dim=head_dim,
        rotary_dim=rotary_dim,
        pairing=pairing,
        half=half,
        workgroup_size=_WORKGROUP_SIZE,
    )
