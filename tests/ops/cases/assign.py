from typing import Any, get_args

import numpy as np
from ops.harness import Bench, Job, Refusals, cases
from ops.recipes import ALL, exact

from py_wgml.ops import View, assign, assign_numpy
from py_wgml.ops.assign import Assignment


def assign_case(b: Bench, kind: Any, shapes: tuple[tuple[int, ...], ...]) -> Job:
    x, y = b.normal(*shapes[0]), np.abs(b.normal(*shapes[1])) + np.float32(0.1)
    target, source = b.held(x), View.of(b.up(y), *y.shape)
    expected = assign_numpy(kind, *exact(x, y))
    return Job(lambda p: assign(p, kind, View.of(target, *x.shape), source), {target: expected}, flops=x.size)


TABLE = [
    *cases(assign_case, get_args(Assignment), 2e-7, ALL, shapes=[((4, 33), (33,)), ((2, 3, 4, 5), (3, 1, 5))]),
]


def refusals(b: Bench) -> Refusals:
    program, a = b.device.program(), View.of(b.poison(6, 6), 6, 6)
    other = View.of(b.poison(6, 6), 6, 6)
    return [
        (lambda: assign(program, "pow", a, other), "no assignment"),  # type: ignore[arg-type]
        (lambda: assign(program, "copy", a, a.T), "another buffer"),
    ]
