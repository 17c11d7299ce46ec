import numpy as np
from ops.harness import Bench, Job, Mutation, Refusals, cases
from ops.recipes import past

from py_wgml.ops import Groups, group_experts, group_experts_numpy, group_size


def group_experts_case(b: Bench, kind: str, shape: tuple[int, int, int]) -> Job:
    """kind: "even", or "one" expert that has all."""
    count, slots, experts = shape
    size, tiles = group_size(experts, (count + 1) * slots)
    ids = b.random.integers(0, experts if kind == "even" else 1, (count + 1, slots)).astype(np.uint32)
    groups = Groups(b.poison(tiles, 3, dtype=np.uint32), b.poison((count + 1) * slots, dtype=np.uint32), size, tiles)
    step, at = b.step(4, count), b.up(ids)
    in_tiles, order = group_experts_numpy(ids[:count].ravel(), experts, size, tiles)
    return Job(
        lambda p: group_experts(p, step, at, groups, experts, slots),
        {groups.tiles: in_tiles, groups.order: past(order, (count + 1) * slots)},
    )


TABLE = [
    *cases(group_experts_case, ["even", "one"], 0, ["normal"], shape=[(3, 2, 6), (70, 4, 5), (33, 8, 300)]),
]


def refusals(b: Bench) -> Refusals:
    program, at = b.device.program(), b.poison(64)
    return [(lambda: group_experts(program, at, at, Groups(at, at, 16, 1), 5000, 1), "5000 experts: at most 4096")]


MUTATIONS = [
    Mutation(
        *("end of an expert", "group_experts.wgsl"),
        *("min(last - slot, params.tile_slots)", "params.tile_slots", "experts"),
    ),
    Mutation("tiles not needed", "group_experts.wgsl", "tile < params.max_tiles", "false", "group_experts"),
]
