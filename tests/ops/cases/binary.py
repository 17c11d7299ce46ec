from typing import Any, get_args

import numpy as np
from ops.harness import Bench, Job, Mutation, Refusals, cases
from ops.recipes import ALL, LAYOUTS, exact, strided, strided_output

from py_wgml.ops import View, binary, binary_numpy
from py_wgml.ops.binary import Operation


def binary_case(b: Bench, kind: Any, shapes: tuple[tuple[int, ...], ...], layout: str) -> Job:
    (left, x), (right, y) = (strided(b, shape, layout) for shape in shapes)
    if kind == "div":
        y = np.copysign(np.abs(y) + np.float32(0.1), y)
        right = View.of(b.up(y), *y.shape)
    result = binary_numpy(kind, *exact(x, y))
    out, expected = strided_output(b, result, layout)
    return Job(lambda p: binary(p, kind, left, right, out), expected, flops=result.size)


TABLE = [
    *cases(
        binary_case,
        get_args(Operation),
        2e-7,
        ALL,
        shapes=[((257,), (257,)), ((2, 3, 5, 7), (5, 7)), ((2, 1, 4), (3, 1))],
        layout=["plain"],
    ),
    *cases(binary_case, ["add"], 2e-7, ["normal"], shapes=[((3, 4, 6), (4, 6)), ((5, 1), (1, 7))], layout=LAYOUTS[1:]),
]

LARGE = [
    *cases(binary_case, ["add"], 1e-6, ("normal",), shapes=[((1 << 22,), (1 << 22,))], layout=["plain"]),
]


def refusals(b: Bench) -> Refusals:
    program = b.device.program()
    x, y, out = (View.of(b.poison(6, 6), 6, 6) for _ in range(3))
    return [
        (lambda: binary(program, "pow", x, y, out), "no binary operation"),  # type: ignore[arg-type]
        (lambda: binary(program, "add", x, y[:4], out), "cannot be broadcast"),
        (lambda: binary(program, "add", x, y, x), "another buffer"),
        (lambda: binary(program, "add", x, y, out[:1].broadcast(6, 6)), "broadcast view"),
    ]


MUTATIONS = [
    Mutation("offset of a view", "lib/place.wgsl", "view.offset + ", "", "binary or unary"),
]
