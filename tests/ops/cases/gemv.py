from ops.harness import Bench, Job, Refusals, cases
from ops.recipes import ALL, LAYOUTS, exact, strided

from py_wgml.ops import View, gemv, gemv_numpy


def gemv_case(b: Bench, kind: str, shape: tuple[int, ...], layout: str, accumulate: bool = False) -> Job:
    *batch, m, k = shape
    (left, x), right = strided(b, (*batch, m, k), layout), b.normal(k)
    product = gemv_numpy(*exact(x, right))
    vector = View.of(b.up(right), k)
    before = b.normal(*product.shape)
    held = b.held(before) if accumulate else b.poison(*product.shape)
    expected = product + before if accumulate else product
    out = View.of(held, *product.shape)
    return Job(lambda p: gemv(p, left, vector, out, accumulate), {held: expected}, flops=2 * product.size * k)


TABLE = [
    *cases(gemv_case, ["f32"], 1e-6, ALL, shape=[(65, 133), (1, 1), (2, 3, 5, 17)], layout=LAYOUTS),
    *cases(gemv_case, ["f32"], 1e-6, ["normal"], shape=[(20, 30)], layout=["plain"], accumulate=[True]),
]

LARGE = [
    *cases(gemv_case, ["f32"], 1e-5, ("normal",), shape=[(4096, 4096)], layout=["plain", "swapped"]),
]


def refusals(b: Bench) -> Refusals:
    program, x = b.device.program(), View.of(b.poison(6, 6), 6, 6)
    row, out = (View.of(b.poison(6), 6) for _ in range(2))
    return [
        (lambda: gemv(program, x[:, :5], row, out), "does not fit"),
        (lambda: gemv(program, x, row, row), "another buffer"),
    ]
