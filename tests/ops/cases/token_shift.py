from dataclasses import replace

from ops.harness import Bench, Job, Mutation, Refusals, cases
from ops.recipes import ALL, exact, past

from py_wgml.ops import Norm, NormBefore, Shift, layer_norm_numpy, rms_norm_numpy, token_shift, token_shift_numpy

ORDERS = {"one part": (0,), "parts": (0, 2, 3, 1)}


def token_shift_case(b: Bench, kind: str, shape: tuple[int, int], position: int) -> Job:
    rows, width = shape
    order = ORDERS[kind]
    x, mixes, before = b.normal(rows + 1, width), b.random.standard_normal((4, width), "f"), b.normal(width)
    known = before if position else 0 * before
    made, last = token_shift_numpy(*exact(x[:rows], mixes), order, *exact(known))
    state, out, step = b.held(before), b.poison(rows + 1, len(order), width), b.step(position, rows)
    tokens, shift, most = b.up(x), Shift(b.up(mixes), order, state), rows + (rows > 1)
    return Job(
        lambda p: token_shift(p, step, tokens, shift, out, width, most),
        {state: last, out: past(made, rows + 1)},
    )


def normed_case(b: Bench, kind: str, width: int, position: int) -> Job:
    """A single token, normed before it is shifted."""
    x, mixes, before = b.normal(1, width) + b.scale, b.normal(4, width), b.normal(width)
    weight, shift = b.normal(width), b.normal(width)
    bias = shift if kind == "bias" else None
    known = before if position else 0 * before
    given, factors, shifted = exact(x, weight, bias)
    normed = rms_norm_numpy(given, factors, 1e-5) if kind == "rms" else layer_norm_numpy(given, factors, shifted, 1e-5)
    made, last = token_shift_numpy(normed, *exact(mixes), ORDERS["parts"], *exact(known))
    state, out, step, at = b.held(before), b.poison(2, 4, width), b.step(position, 1), b.up(x)
    how = Shift(b.up(mixes), ORDERS["parts"], state)
    norm = NormBefore(Norm(b.up(weight), width, 1e-5), None if bias is None else b.up(bias), kind != "rms")
    return Job(lambda p: token_shift(p, step, at, how, out, width, 1, norm), {state: last, out: past(made, 2)})


TABLE = [
    *cases(token_shift_case, ORDERS, 1e-6, ALL, shape=[(5, 70), (1, 64), (35, 20)], position=[9, 0]),
    *cases(normed_case, ["bias", "no bias", "rms"], 2e-6, ("normal",), width=[300, 64], position=[9, 0]),
]


def refusals(b: Bench) -> Refusals:
    at = b.up(b.normal(64))
    norm = Norm(at, 64, 1e-5)

    def shift(norm: Norm, max_count: int = 1) -> None:
        token_shift(b.device.program(), at, at, Shift(at, (0,), at), at, 64, max_count, NormBefore(norm))

    return [
        (lambda: shift(norm, 2), "only the shift of a single token"),
        (lambda: shift(replace(norm, columns=32)), "a norm, which is of all of it"),
        (lambda: shift(replace(norm, weight=None)), "a norm, which is of all of it"),
    ]


SHIFT = "token_shift.wgsl"
MUTATIONS = [
    Mutation("state of a new sequence", SHIFT, "step.position > 0u", "true", "token_shift"),
    Mutation("token before the step", SHIFT, "if t > 0u", "if t > 1u", "token_shift"),
    Mutation("rows past the step", SHIFT, "t < step.count", "t <= step.count", "token_shift"),
    Mutation("order of the vectors", SHIFT, "mixes[{{ vector }}u", "mixes[{{ loop.index0 }}u", "token_shift"),
    Mutation("which token is kept", SHIFT, "step.count - 1u", "step.count - 2u", "token_shift"),
    Mutation("a kept token is normed", SHIFT, "state[i] = now", "state[i] = x[i]", "normed"),
]
