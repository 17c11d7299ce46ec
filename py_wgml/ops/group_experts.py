"""Which of a step's tokens each expert of a mixture has: tiles of a product with the experts' matrices."""

from dataclasses import dataclass

import numpy as np

from ..errors import WgmlError
from ..gpu import MAX_WORKGROUP_BYTES, Buffer, Program
from .lib.array import Array

__all__ = ["Groups", "group_experts", "group_experts_numpy", "group_size"]

_WORKGROUP_SIZE = 256
_MAX_EXPERTS = MAX_WORKGROUP_BYTES // 4  # a u32 each
_TILE_SLOTS = (16, 32, 64)  # the smallest that holds what an expert has on average, else the largest


@dataclass(frozen=True)
class Groups:
    """Slots of tokens by expert: `order`, uint32 [slots], in `count` tiles of `size` slots at most, uint32 [count, 3]:
    an expert, its first place in `order` and how many. See wgsl/group_experts.wgsl."""

    tiles: Buffer
    order: Buffer
    size: int
    count: int


def group_size(experts: int, slots: int) -> tuple[int, int]:
    """The most slots that a tile has, and the most tiles there can be, for so many slots of a step's tokens."""
    size = next((size for size in _TILE_SLOTS if slots <= size * experts), _TILE_SLOTS[-1])
    return size, min(slots, (slots + experts * (size - 1)) // size)


def require_experts(experts: int) -> None:
    """Refuse experts. Raises WgmlError for more of them than the kernel's memory has room for."""
    if experts > _MAX_EXPERTS:
        raise WgmlError(f"a mixture of {experts} experts: at most {_MAX_EXPERTS} can be run")


def group_experts(program: Program, step: Buffer, ids: Buffer, groups: Groups, experts: int, slots: int) -> None:
    """Fill `groups` for the experts that `route` chose. ids: uint32 [max_count, slots].

    Raises WgmlError as `require_experts` does.
    """
    require_experts(experts)
    program.dispatch(
        "group_experts",
        {"step": step, "ids": ids, "tiles": groups.tiles, "order": groups.order},
        (1, 1, 1),
        {"slots": slots, "tile_slots": groups.size, "max_tiles": groups.count},
        experts=experts,
        workgroup_size=_WORKGROUP_SIZE,
    )


def group_experts_numpy(ids: Array, experts: int, size: int, count: int) -> tuple[Array, Array]:
    """ids [slots] -> tiles [count, 3], order [slots]."""
    tiles = np.zeros((count, 3), np.uint32)
    starts = np.searchsorted(np.sort(ids), np.arange(experts + 1))
    used = [
        (expert, start, min(size, starts[expert + 1] - start))
        for expert in range(experts)
        for start in range(starts[expert], starts[expert + 1], size)
    ]
    tiles[: len(used)] = used
    return tiles, np.argsort(ids, kind="stable")
