import itertools
from typing import Any, get_args

import numpy as np
from ops.harness import Bench, Job, Mutation, Refusals, cases
from ops.recipes import ALL, LAYOUTS, NOT_DENORMAL, exact, strided, strided_output

from py_wgml.ops import View, unary, unary_numpy
from py_wgml.ops.unary import Function


def unary_case(b: Bench, kind: Any, shape: tuple[int, ...], layout: tuple[str, str]) -> Job:
    x, array = strided(b, shape, layout[0])
    parameters = {"elu": (1.3, 0.0), "leaky_relu": (0.1, 0.0), "clamp": (-0.5, 0.7), "xielu": (0.9, 1.2)}
    a, c = parameters.get(kind, (-1.7, 0.0))
    if kind in ("sqrt", "log"):
        array = np.abs(array) + np.float32(1e-3)
        b.device.write(x.buffer, array)
    out, expected = strided_output(b, unary_numpy(*exact(array), kind, a, c), layout[1])
    return Job(lambda p: unary(p, kind, x, out, a, c), expected, flops=x.size)


JUMPS = ("sgn", "step")  # not of denormal numbers, which a GPU may take for zeros
SMOOTH = [function for function in get_args(Function) if function not in JUMPS]

TABLE = [
    *cases(unary_case, SMOOTH, 5e-7, ALL, shape=[(1000,)], layout=[("plain", "plain")]),
    *cases(unary_case, JUMPS, 0, NOT_DENORMAL, shape=[(1000,)], layout=[("plain", "plain")]),
    *cases(unary_case, ["silu"], 5e-7, ALL[:1], shape=[(3, 5, 7, 2)], layout=itertools.product(LAYOUTS, LAYOUTS)),
]

LARGE = [
    *cases(unary_case, ["gelu"], 1e-6, ("normal",), shape=[(1 << 22,)], layout=[("plain", "plain")]),
]


def refusals(b: Bench) -> Refusals:
    program = b.device.program()
    x, out = (View.of(b.poison(4, 6), 4, 6) for _ in range(2))
    return [
        (lambda: unary(program, "cube", x, out), "no unary function"),  # type: ignore[arg-type]
        (lambda: unary(program, "abs", x[:2], out), "does not fit"),
        (lambda: unary(program, "abs", x[:2], x[2:]), "another buffer"),
        (lambda: unary(program, "abs", x, out[:1].broadcast(4, 6)), "broadcast view"),
    ]


MUTATIONS = [
    Mutation("xielu's slope", "lib/activations.wgsl", '"0.5 * x + select', '"select', "unary"),
    Mutation(
        "xielu below 0", "lib/activations.wgsl", "exp_minus_1(min(x, 0.0)) - x", "exp_minus_1(min(x, 0.0))", "unary"
    ),
]
