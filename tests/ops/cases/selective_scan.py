import numpy as np
from ops.harness import Bench, Job, Mutation, Refusals, cases
from ops.recipes import exact, past

from py_wgml.ops import Columns, Selection, selective_scan, selective_scan_numpy
from py_wgml.ops.selective_scan import require_keys


def selective_scan_case(b: Bench, kind: str, sizes: tuple[int, int], rows: int, position: int) -> Job:
    width, keys = sizes
    inputs = [b.normal(rows + 1, columns + 5) for columns in (width, width, keys, keys)]
    if kind == "small steps":  # as trained models take them: from a thousandth on
        inputs[1] -= np.float32(7)
    rates = np.concatenate([-np.exp(b.normal(width * keys)), b.normal(width)])
    if kind == "small steps":
        rates[width * keys :] = 0
    before = b.normal(keys, width)
    known = before if position else 0 * before
    firsts = (1, 2, 3, 4)
    widths = (width, width, keys, keys)
    used = [array[:rows, n : n + columns] for array, n, columns in zip(inputs, firsts, widths, strict=True)]
    values, steps, keys_of, queries = exact(*used)
    made, after = selective_scan_numpy(values, steps, keys_of, queries, *exact(rates, known))
    state, out, step = b.held(before), b.poison(rows + 1, width), b.step(position, rows)
    columns = [Columns(b.up(array), array.shape[1], first) for array, first in zip(inputs, firsts, strict=True)]
    speeds = b.up(rates)
    return Job(
        lambda p: selective_scan(p, step, Selection(*columns), speeds, sizes, state, out),
        {state: after, out: past(made, rows + 1)},
    )


TABLE = [
    *cases(
        selective_scan_case,
        ["steps", "small steps"],
        2e-6,
        ("normal",),
        sizes=[(70, 16), (64, 5)],
        rows=[7, 1],
        position=[3, 0],
    ),
]


def refusals(b: Bench) -> Refusals:
    return [
        (lambda: require_keys(0), "a channel's state of 0 elements: supported are up to 64"),
        (lambda: require_keys(65), "a channel's state of 65 elements"),
    ]


MUTATIONS = [
    Mutation("state of a new sequence", "selective_scan.wgsl", "step.position > 0u", "true", "selective_scan"),
    Mutation("rows past the step", "selective_scan.wgsl", "t < step.count", "t <= step.count", "selective_scan"),
    Mutation("channels of the skip", "selective_scan.wgsl", "params.width * KEYS + i]", "i]", "selective_scan"),
    Mutation("digits of a small step", "lib/softplus.wgsl", "2.0 * s * series", "log(1.0 + y)", "selective_scan"),
    Mutation("terms of the series", "lib/softplus.wgsl", "range(13", "range(3", "selective_scan"),
]
