from ops.harness import Bench, Job, Mutation, Refusals, cases
from ops.recipes import ALL, LAYOUTS, exact, strided, strided_output

from py_wgml.ops import View, cumulative_sum, cumulative_sum_numpy


def cumulative_sum_case(b: Bench, kind: str, shape: tuple[int, ...], layout: str) -> Job:
    view, x = strided(b, shape, layout)
    out, expected = strided_output(b, cumulative_sum_numpy(*exact(x)), layout)
    return Job(lambda p: cumulative_sum(p, view, out), expected, flops=x.size)


TABLE = [
    *cases(cumulative_sum_case, ["f32"], 1e-6, ALL, shape=[(3, 1000), (5, 1), (2, 3, 4, 33)], layout=LAYOUTS),
]

LARGE = [
    *cases(cumulative_sum_case, ["f32"], 1e-5, ("normal",), shape=[(1024, 4096)], layout=["plain"]),
]


def refusals(b: Bench) -> Refusals:
    program, x, row = b.device.program(), View.of(b.poison(6, 6), 6, 6), View.of(b.poison(6), 6)
    return [(lambda: cumulative_sum(program, x, row), "do not fit")]


MUTATIONS = [
    Mutation("carry of a running sum", "cumulative_sum.wgsl", "before += sums[TILE - 1u];", "", "cumulative_sum"),
]
