from dataclasses import replace
from functools import partial

import numpy as np
from ops.harness import Bench, Job, Mutation, Refusals, cases
from ops.recipes import TYPE_OF, exact, matrix

from py_wgml.gguf_model.weights import Matrix
from py_wgml.ops import HeadProducts, linear_heads, linear_heads_numpy, unary_numpy
from py_wgml.ops.lib.view import Columns
from py_wgml.ops.unary import Function


def linear_heads_case(
    b: Bench,
    kind: str,
    shape: tuple[int, int, int],
    cuts: bool,
    transposed: bool,
    count: int,
    function: Function | None = None,
) -> Job:
    """Heads of x and of the results are longer than what is multiplied and written."""
    heads, rows, columns = shape
    cut = (rows + rows // 2,) if cuts else ()  # within a head
    weights, dequantized = matrix(b, kind, (heads * rows, columns), cut)
    read, written = (rows, columns) if transposed else (columns, rows)
    x_width, width = -(-read // 4) * 4 + 8, written + 6
    x = b.normal(count + 1, heads, x_width)
    rows_of = b.normal(count + 1, 4 + heads * x_width + 8)  # with others around
    rows_of[:, 4:-8] = x.reshape(count + 1, -1)
    expected = np.full((count + 1, heads, width), np.nan)
    taken, matrices = exact(x[:count, :, :read], dequantized.reshape(heads, rows, columns))
    found = linear_heads_numpy(taken, matrices, transposed)
    expected[:count, :, :written] = found if function is None else unary_numpy(found, function)
    out, step, at = b.poison(count + 1, heads, width), b.step(11, count), Columns(b.up(rows_of), rows_of.shape[1], 4)
    product = HeadProducts(heads, x_width, width, transposed, function=function)
    most = count + (count > 1)  # of one there is a form of its own
    return Job(
        lambda p: linear_heads(p, step, at, weights, out, product, most),
        {out: expected},
        flops=2 * count * heads * rows * columns,
    )


_FEW = ["F32", "Q4_K", "IQ2_S"]

TABLE = [
    *cases(
        linear_heads_case,
        _FEW,
        2e-6,
        ["normal"],
        shape=[(3, 40, 256)],
        cuts=[False, True],
        transposed=[False, True],
        count=[1, 30],
    ),
    *cases(
        linear_heads_case,
        [kind for kind in TYPE_OF if kind not in _FEW],
        2e-6,
        ["normal"],
        shape=[(2, 20, 256)],
        cuts=[False],
        transposed=[True],
        count=[2],
    ),
    *cases(
        linear_heads_case,
        ["F16"],
        2e-6,
        ["normal"],
        shape=[(3, 5, 77), (2, 128, 24)],
        cuts=[False],
        transposed=[False, True],
        count=[1, 3, 100],
    ),
    *cases(
        linear_heads_case,
        ["F32", "Q4_K"],
        4e-6,
        ["normal"],
        shape=[(3, 40, 256)],
        cuts=[True],
        transposed=[False],
        count=[1],
        function=["tanh", "sigmoid"],
    ),
]

LARGE = [
    *cases(
        linear_heads_case,
        ["Q8_0"],
        5e-6,
        ["normal"],
        shape=[(16, 512, 128)],
        cuts=[False],
        transposed=[False],
        count=[1, 512],
    ),
    *cases(
        linear_heads_case,
        ["Q8_0"],
        5e-6,
        ["normal"],
        shape=[(16, 128, 512)],
        cuts=[False],
        transposed=[True],
        count=[1, 512],
    ),
]


def refusals(b: Bench) -> Refusals:
    program, out = b.device.program(), b.poison(64)
    at = Columns(out, 192)
    weights, _ = b.matrix(b.normal(4, 64), TYPE_OF["Q4_0"])
    activated = HeadProducts(2, 64, 2, function="tanh")
    odd, message = Matrix(weights.stripes, 48), "rows of 48 elements: Q4_0 takes multiples of 32"
    return [
        (partial(linear_heads, program, out, at, odd, out, HeadProducts(2, 48, 2), 1), message),
        (partial(linear_heads, program, out, at, odd, out, HeadProducts(2, 48, 2, transposed=True), 1), message),
        (
            partial(linear_heads, program, out, at, weights, out, HeadProducts(2, 66, 2), 1),
            "66 elements, no multiple of 4",
        ),
        *(
            (partial(linear_heads, program, out, at, weights, out, product, count), "only the product with a single")
            for product, count in ((activated, 2), (replace(activated, transposed=True), 1))
        ),
    ]


MUTATIONS = [
    Mutation("matrix of a head", "linear_vector.wgsl", "group.z % params.slots", "0u", "linear_heads"),
    Mutation("slot of a head", "linear_tile.wgsl", "* params.slots + tile.expert", "+ tile.expert", "linear_heads"),
    Mutation(
        "rows that strands share", "linear_heads_transposed.wgsl", "n += STRANDS", "n += 2u * STRANDS", "linear_heads"
    ),
    Mutation(
        "parts of the heads",
        "linear_heads_transposed.wgsl",
        '{{ " + out[element]" if accumulate }}',
        "",
        "linear_heads",
    ),
]
