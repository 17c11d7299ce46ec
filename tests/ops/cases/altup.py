import numpy as np
from ops.harness import Bench, Job, Mutation, Refusals, cases
from ops.recipes import exact, past

from py_wgml.ops import Router, Streams, altup, altup_numpy


def altup_case(b: Bench, kind: str, shape: tuple[int, int, int]) -> Job:
    rows, count, width = shape
    x, router = b.normal(rows + 1, count, width), b.normal(rows + 1, count)
    coefficients = b.normal(count, count) if kind == "correct" else b.normal(count, count, count)
    result = b.normal(rows + 1, width) if kind == "correct" else None
    expected = altup_numpy(
        *exact(x[:rows], router[:rows], coefficients), 0.5, None if result is None else result[:rows].astype(np.float64)
    )
    step, how = b.step(2, rows), Router(b.up(router), b.up(coefficients), 0.5)
    given = Streams(b.up(x[:, 0]), b.up(x[:, 1:]), count, width)
    made = Streams(b.poison(rows + 1, width), b.poison(rows + 1, count - 1, width), count, width)
    at = None if result is None else b.up(result)
    return Job(
        lambda p: altup(p, step, given, how, made, rows + 1, at),
        {made.first: past(expected[:, 0], rows + 1), made.others: past(expected[:, 1:], rows + 1)},
    )


TABLE = [
    *cases(altup_case, ["predict", "correct"], 1e-6, ["normal", "zeros"], shape=[(3, 4, 70), (1, 2, 64), (2, 3, 1)]),
]

MUTATIONS = [
    Mutation("which stream is mixed in", "altup.wgsl", "j * streams + i", "i * streams + j", "altup"),
    Mutation("what all learn", "altup.wgsl", 'stream_{{ j }}{{ " + learned" if correct }}', "stream_{{ j }}", "altup"),
    Mutation("scale of the gates", "altup.wgsl", "params.scale * router", "router", "altup"),
]


def refusals(b: Bench) -> Refusals:
    return [(lambda: Streams(b.poison(4), b.poison(4), 9, 4), "updates of 9 streams are not supported; 2 to 8 are")]
