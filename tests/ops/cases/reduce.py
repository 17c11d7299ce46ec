from typing import Any, get_args

import numpy as np
from ops.harness import Bench, Job, Refusals, cases
from ops.recipes import ALL, LAYOUTS, exact, strided, strided_output

from py_wgml.ops import View, reduce, reduce_numpy
from py_wgml.ops.reduce import Reduction


def reduce_case(b: Bench, kind: Any, shape: tuple[int, ...], layout: str) -> Job:
    (view, x), (other, y) = (strided(b, shape, layout) for _ in "xy")
    if kind == "product":  # of numbers about 1, lest it leave the range
        x = 1 + b.random.standard_normal(shape, np.float32) * np.float32(0.1)
        view = View.of(b.up(x), *shape)
    second = (other, y) if kind == "dot" else (None, None)
    out, expected = strided_output(b, reduce_numpy(kind, *exact(x, second[1])), "plain")
    return Job(lambda p: reduce(p, kind, view, out, second[0]), expected, flops=x.size)


TABLE = [
    *cases(
        reduce_case, get_args(Reduction), 2e-6, ALL, shape=[(3, 1000), (7,), (2, 3, 4, 129), (1, 1)], layout=["plain"]
    ),
    *cases(reduce_case, ["sum", "dot"], 2e-6, ["normal"], shape=[(2, 5, 130)], layout=LAYOUTS[1:]),
]

LARGE = [
    *cases(reduce_case, ["sum"], 1e-5, ("normal",), shape=[(1024, 4096)], layout=["plain"]),
]


def refusals(b: Bench) -> Refusals:
    program, row = b.device.program(), View.of(b.poison(6), 6)
    x, y, out = (View.of(b.poison(6, 6), 6, 6) for _ in range(3))
    return [
        (lambda: reduce(program, "mean", x, row), "no reduction"),  # type: ignore[arg-type]
        (lambda: reduce(program, "dot", x, row), "takes two"),
        (lambda: reduce(program, "sum", x, row, y), "others? .*one"),
        (lambda: reduce(program, "sum", x, out), "does not fit"),
    ]
