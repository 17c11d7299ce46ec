from ops.harness import Bench, Job, Mutation, Refusals, cases
from ops.recipes import ALL, LAYOUTS, exact, strided, strided_output

from py_wgml.ops import View, gemm, gemm_numpy


def gemm_case(b: Bench, kind: str, shape: tuple[int, ...], layout: str, accumulate: bool = False) -> Job:
    *batch, m, k, n = shape
    (left, x), (right, y) = strided(b, (*batch, m, k), layout), strided(b, (k, n), layout)
    product = gemm_numpy(*exact(x, y))
    if accumulate:
        before = b.normal(*product.shape)
        held = b.held(before)
        out, expected = View.of(held, *product.shape), {held: product + before}
    else:
        out, expected = strided_output(b, product, layout)
    return Job(lambda p: gemm(p, left, right, out, accumulate), expected, flops=2 * product.size * k)


TABLE = [
    *cases(gemm_case, ["f32"], 1e-6, ALL, shape=[(65, 33, 70), (1, 1, 1), (2, 3, 5, 17, 9)], layout=LAYOUTS),
    *cases(gemm_case, ["f32"], 1e-6, ["normal"], shape=[(20, 30, 10)], layout=["plain"], accumulate=[True]),
]

LARGE = [
    *cases(gemm_case, ["f32"], 1e-5, ("normal",), shape=[(1024, 1024, 1024)], layout=["plain", "swapped"]),
]


def refusals(b: Bench) -> Refusals:
    program = b.device.program()
    x, y, out = (View.of(b.poison(6, 6), 6, 6) for _ in range(3))
    return [
        (lambda: gemm(program, x[:, :5], y, out), "does not fit"),
        (lambda: gemm(program, x, y, y), "another buffer"),
    ]


MUTATIONS = [
    Mutation("tail of a product", "gemm.wgsl", "start + depth_a < params.inner && ", "", "gemm"),
]
