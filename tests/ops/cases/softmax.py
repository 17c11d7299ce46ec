from ops.harness import Bench, Job, Mutation, Refusals, cases
from ops.recipes import ALL, LAYOUTS, exact, strided, strided_output

from py_wgml.ops import View, softmax, softmax_numpy


def softmax_case(b: Bench, kind: str, shape: tuple[int, ...], layout: str) -> Job:
    view, x = strided(b, shape, layout)
    out, expected = strided_output(b, softmax_numpy(*exact(x)), layout)
    return Job(lambda p: softmax(p, view, out), expected, flops=3 * x.size)


TABLE = [
    *cases(softmax_case, ["f32"], 1e-6, ALL, shape=[(3, 1000), (5, 1), (2, 3, 4, 33)], layout=LAYOUTS),
]

LARGE = [
    *cases(softmax_case, ["f32"], 1e-5, ("normal",), shape=[(1024, 4096)], layout=["plain"]),
]


def refusals(b: Bench) -> Refusals:
    program = b.device.program()
    x, out = (View.of(b.poison(6, 6), 6, 6) for _ in range(2))
    return [
        (lambda: softmax(program, x, out[:5]), "does not fit"),
        (lambda: softmax(program, x, x.T), "another buffer"),
    ]


MUTATIONS = [
    Mutation("highest score", "softmax.wgsl", "highest = workgroup_max(best, lane)", "highest = 0.0", "softmax"),
]
