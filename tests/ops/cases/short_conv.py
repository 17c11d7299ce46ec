from ops.harness import Bench, Job, Mutation, cases
from ops.recipes import SMALL, exact, past

from py_wgml.ops import Taps, short_conv, short_conv_numpy


def short_conv_case(b: Bench, kind: str, shape: tuple[int, int], position: int, length: int) -> Job:
    rows, width = shape
    x, taps = b.normal(rows + 1, 3 * width), b.normal(width, length)
    before = b.normal(position, width)
    made, kept = short_conv_numpy(*exact(x[:rows], taps, before))
    state, out, step = b.poison(position + rows + 1, width), b.poison(rows + 1, width), b.step(position, rows)
    if position:
        b.device.write(state, before)
    at, filters = b.up(x), Taps(b.up(taps), width, length)
    return Job(
        lambda p: short_conv(p, step, at, filters, state, out, rows + 1),
        {state: past(kept, position + rows + 1), out: past(made, rows + 1)},
    )


TABLE = [
    *cases(short_conv_case, ["f32"], 3e-7, SMALL, shape=[(1, 70), (5, 64)], position=[0, 1, 9], length=[3, 4]),
]

MUTATIONS = [
    Mutation("tokens of the same step", "short_conv.wgsl", "back <= t", "back <= t + 1u", "short_conv"),
    Mutation("start of a sequence", "short_conv.wgsl", "position + 1u)", "position)", "short_conv"),
    Mutation("order of taps", "short_conv.wgsl", "- 1u - back]", "- LENGTH + back - 1u]", "short_conv"),
]
