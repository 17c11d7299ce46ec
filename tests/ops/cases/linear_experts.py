from functools import partial

import numpy as np
from ops.harness import Bench, Job, Mutation, Refusals, cases
from ops.recipes import TYPE_OF, exact, matrix

from py_wgml.gguf_model.weights import Matrix
from py_wgml.gpu import Buffer
from py_wgml.ops import Experts, Groups, group_experts_numpy, group_size, linear_experts, linear_experts_numpy


def linear_experts_case(
    b: Bench,
    kind: str,
    shape: tuple[int, int],
    shared: bool,
    bias: bool,
    cuts: bool,
    count: int = 2,
    scaled: bool = False,
) -> Job:
    """Two tokens have the vector form. More have the tiled one; the first expert has many then, the fourth none."""
    (rows, columns), experts, slots = shape, 5, 3
    cut = (rows + rows // 2,) if cuts else ()  # within an expert
    weights, dequantized = matrix(b, kind, (experts * rows, columns), cut)
    x = b.normal(count + 1, 1 if shared else slots, columns)
    ids = np.array([[4, 0, 1], [2, 1, 3], [0, 0, 0]], np.uint32)
    if count > 2:
        ids = b.random.choice(np.array([0, 1, 2, 4], np.uint32), (count + 1, slots), p=(0.5, 0.2, 0.2, 0.1))
    biases = b.normal(experts, rows) if bias else None
    scales = b.normal(experts) if scaled else None
    first, width = 3, rows + 7
    expected = np.full((count + 1, slots, width), np.nan)
    parts = exact(x[:count], dequantized.reshape(experts, rows, columns))
    expected[:count, :, first : first + rows] = linear_experts_numpy(*parts, ids[:count], *exact(biases, scales))
    out, step, at = b.poison(count + 1, slots, width), b.step(11, count), b.up(x)
    extra, factors = (None if array is None else b.up(array) for array in (biases, scales))
    chosen: Buffer | Groups = b.up(ids)
    if count > 2:
        size, tiles = group_size(experts, (count + 1) * slots)
        arrays = group_experts_numpy(ids[:count].ravel(), experts, size, tiles)
        by_expert, order = (b.up(array.astype(np.uint32)) for array in arrays)
        chosen = Groups(by_expert, order, size, tiles)
    of = Experts(experts, slots, shared, extra, factors, first, width)
    return Job(
        lambda p: linear_experts(p, step, at, weights, chosen, out, of, count + 1),
        {out: expected},
        flops=2 * count * slots * rows * columns,
    )


TABLE = [
    *cases(
        linear_experts_case,
        ["F32", "Q4_K", "MXFP4", "IQ2_S"],
        2e-6,
        ["normal"],
        shape=[(20, 512)],
        shared=[True, False],
        bias=[False, True],
        cuts=[False, True],
    ),
    *cases(
        linear_experts_case,
        [kind for kind in TYPE_OF if kind not in ("F32", "Q4_K", "MXFP4", "IQ2_S")],
        2e-6,
        ["normal"],
        shape=[(20, 256)],
        shared=[True],
        bias=[False],
        cuts=[False],
    ),
    *cases(linear_experts_case, ["F16"], 2e-6, ["normal"], shape=[(5, 77)], shared=[True], bias=[True], cuts=[True]),
    *cases(
        linear_experts_case,
        ["F32", "Q4_0", "Q8_0", "Q4_K", "Q6_K", "MXFP4", "IQ2_S"],
        2e-6,
        ["normal"],
        shape=[(90, 256)],
        shared=[True, False],
        bias=[True],
        cuts=[True],
        count=[30],
    ),
    *cases(
        linear_experts_case,
        ["NVFP4"],
        2e-6,
        ["normal"],
        shape=[(90, 256)],
        shared=[True, False],
        bias=[False, True],
        cuts=[True],
        count=[2, 30],
        scaled=[True],
    ),
    *cases(
        linear_experts_case,
        ["F16", "BF16"],
        2e-6,
        ["normal"],
        shape=[(70, 77)],
        shared=[False],
        bias=[False],
        cuts=[True],
        count=[5, 100],
    ),
]

LARGE = [
    *cases(
        linear_experts_case,
        ["Q4_K"],
        5e-6,
        ("normal",),
        shape=[(1024, 1024)],
        shared=[True],
        bias=[False],
        cuts=[False],
        count=[2, 16, 512],
    ),
]


def refusals(b: Bench) -> Refusals:
    program, at, of = b.device.program(), b.poison(64), Experts(2, 1)
    weights, _ = b.matrix(b.normal(4, 64), TYPE_OF["Q4_0"])
    odd, message = Matrix(weights.stripes, 48), "rows of 48 elements: Q4_0 takes multiples of 32"
    chosen = at, Groups(at, at, 16, 1)
    return [(partial(linear_experts, program, at, at, odd, ids, at, of, 1), message) for ids in chosen]


MUTATIONS = [
    Mutation(
        "expert of a tile", "linear_tile.wgsl", "tile.expert * params.rows + n - params.skipped", "n", "linear_experts"
    ),
    Mutation(
        *("scale of an expert", "linear_tile.wgsl"),
        *('row_scale[{{ "tile.expert"', 'row_scale[{{ "0u"', "linear_experts and scaled"),
    ),
    Mutation(
        *("scale of a slot's expert", "linear_vector.wgsl"),
        *('row_scale[{{ "ids[group.z]"', 'row_scale[{{ "0u"', "linear_experts and scaled"),
    ),
    Mutation("token of a slot", "linear_tile.wgsl", " / params.sharing", "", "linear_experts"),
    Mutation(
        *("stripe of the experts", "linear_tile.wgsl"),
        *(" && weight_row(tile, n) < params.stripe_rows", "", "linear_experts"),
    ),
]
