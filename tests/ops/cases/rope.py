from typing import Any

from ops.harness import Bench, Job, Mutation, Refusals, cases
from ops.recipes import ALL, exact, past, strided, strided_output

from py_wgml.ops import Scaling, View, rope, rope_numpy, rotations_numpy


def rope_case(b: Bench, kind: Any, shape: tuple[int, int, int], layout: str) -> Job:
    count, heads, head_dim = shape
    first, rotary_dim, pairing = 11, int(kind.partition("/")[2]), kind.partition("/")[0]
    view, x = strided(b, (count + 1, heads, head_dim), layout)
    rotations = rotations_numpy(0, first + count, rotary_dim, 10000.0)
    turned = rope_numpy(*exact(x[:count]), rotations[first:], pairing)
    out, expected = strided_output(b, past(turned, count + 1), layout)
    step, at = b.step(first, count), b.up(rotations)
    return Job(lambda p: rope(p, step, view, at, out, rotary_dim, pairing), expected, flops=3 * x.size)


TABLE = [
    *cases(
        rope_case,
        ["norm/20", "neox/20", "norm/8", "neox/8"],
        3e-7,
        ALL,
        shape=[(3, 5, 20), (1, 1, 130)],
        layout=["plain", "every other"],
    ),
]


def refusals(b: Bench) -> Refusals:
    program, at = b.device.program(), b.poison(64)
    x, out = View.of(at, 2, 4, 8), View.of(b.poison(64), 2, 4, 8)
    return [
        (lambda: rope(program, at, x, at, out, 6, "neox"), "not supported"),
        (lambda: rope(program, at, x, at, out[:1], 8, "neox"), "does not fit"),
        (lambda: rope(program, at, x, at, x, 8, "norm"), "another buffer"),
        (lambda: Scaling("cubic", 2), "no rope scaling"),  # type: ignore[arg-type]
        (lambda: Scaling("linear", 0), "factor of 0"),
        (lambda: Scaling("yarn", 2), "original context"),
        (lambda: Scaling("linear", 2, low_turns=5), "in order"),
    ]


MUTATIONS = [
    Mutation("sign of a rotation", "lib/rotate.wgsl", "pair.x * r.x - ", "pair.x * r.x + ", "rope"),
    Mutation("position of a token", "rope.wgsl", "step.position + t", "t", "rope"),
]
