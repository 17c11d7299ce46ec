import numpy as np
from ops.harness import Bench, Job, Mutation, Refusals, cases
from ops.recipes import ALL, exact, past

from py_wgml.ops import Columns, Taps, causal_conv, causal_conv_numpy
from py_wgml.ops.causal_conv import require_taps


def causal_conv_case(b: Bench, kind: str, shape: tuple[int, int], position: int, length: int) -> Job:
    rows, width = shape
    stride, first = (width, 0) if kind == "whole rows" else (2 * width + 3, width + 1)
    x, taps, shift = b.normal(rows + 1, stride), b.random.standard_normal((width, length), "f"), b.normal(width)
    bias = None if kind == "no bias" else shift
    ring = b.normal(length, width)
    known = np.stack([ring[(position - back) % length] * (back <= position) for back in range(length - 1, 0, -1)])
    made, last = causal_conv_numpy(*exact(x[:rows, first : first + width], taps, bias, known))
    after, end = ring.astype(np.float64), position + rows
    for back in range(1, min(length, end + 1)):
        after[(end - back) % length] = last[-back]
    state, out, step = b.held(ring), b.poison(rows + 1, width), b.step(position, rows)
    at, filters = Columns(b.up(x), stride, first), Taps(b.up(taps), width, length)
    adds = None if bias is None else b.up(bias)
    return Job(lambda p: causal_conv(p, step, at, filters, adds, state, out), {state: after, out: past(made, rows + 1)})


TABLE = [
    *cases(
        causal_conv_case,
        ["part of a row", "whole rows", "no bias"],
        1e-6,
        ALL,
        shape=[(5, 70), (1, 64), (37, 3), (16, 65)],
        position=[9, 0, 2],
        length=[4, 2, 3],
    ),
]


def refusals(b: Bench) -> Refusals:
    return [
        (lambda: require_taps(1), "a convolution of 1 taps: supported are 2 to 16"),
        (lambda: require_taps(17), "a convolution of 17 taps"),
    ]


MUTATIONS = [
    Mutation("state of a new sequence", "lib/conv_state.wgsl", "step.position >= back", "true", "causal_conv"),
    Mutation("state after the step", "causal_conv.wgsl", "LENGTH - 1u);", "LENGTH - 2u);", "causal_conv"),
    Mutation("first tokens of others", "causal_conv.wgsl", "channel(first - ", "channel(0u * ", "causal_conv"),
]
