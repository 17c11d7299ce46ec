from ops.harness import Bench, Job, Mutation, cases
from ops.recipes import ALL, exact, past

from py_wgml.ops import token_shift, token_shift_numpy


def token_shift_case(b: Bench, kind: str, shape: tuple[int, int], position: int) -> Job:
    rows, width = shape
    order = (0,) if kind == "one part" else (0, 2, 3, 1)
    x, mixes, before = b.normal(rows + 1, width), b.random.standard_normal((4, width), "f"), b.normal(width)
    known = before if position else 0 * before
    made, last = token_shift_numpy(*exact(x[:rows], mixes), order, *exact(known))
    state, out, step = b.held(before), b.poison(rows + 1, len(order), width), b.step(position, rows)
    rows_of_x, vectors, most = b.up(x), b.up(mixes), rows + (rows > 1)
    return Job(
        lambda p: token_shift(p, step, rows_of_x, vectors, order, state, out, width, most),
        {state: last, out: past(made, rows + 1)},
    )


TABLE = [
    *cases(token_shift_case, ["one part", "parts"], 1e-6, ALL, shape=[(5, 70), (1, 64), (35, 20)], position=[9, 0]),
]

SHIFT = "token_shift.wgsl"
MUTATIONS = [
    Mutation("state of a new sequence", SHIFT, "step.position > 0u", "true", "token_shift"),
    Mutation("token before the step", SHIFT, "if t > 0u", "if t > 1u", "token_shift"),
    Mutation("rows past the step", SHIFT, "t < step.count", "t <= step.count", "token_shift"),
    Mutation("order of the vectors", SHIFT, "mixes[{{ vector }}u", "mixes[{{ loop.index0 }}u", "token_shift"),
    Mutation("who writes the state", SHIFT, "step.count - 1u", "step.count - 2u", "token_shift"),
]
