from dataclasses import replace

import numpy as np
from ops.harness import Bench, Job, Mutation, cases
from ops.recipes import ALL, exact, past

from py_wgml.ops import Norm, rms_norm, rms_norm_numpy


def rms_norm_case(b: Bench, kind: str, shape: tuple[int, int], last: bool = False) -> Job:
    rows, columns = shape
    x, weight = b.normal(rows + 1, columns), b.normal(columns)
    out, step = b.poison(rows + 1, columns), b.step(2, rows)
    expected = rms_norm_numpy(*exact(x[:rows], weight), 1e-5)
    added = kind in ("added", "added, scaled")
    if added:
        before = b.normal(rows, columns)
        b.device.write(out, before)
        expected += before
    at, norm = b.up(x), Norm(b.up(weight), columns, 1e-5)
    if "scaled" in kind:
        norm = replace(norm, factor=0.75, times=b.up(np.array([3.0], np.float32)))
        expected *= 2.25
    return Job(
        lambda p: rms_norm(p, step, at, norm, out, rows + 1, last, accumulate=added),
        {out: past(expected[-1:] if last else expected, rows + 1)},
    )


def parts_case(b: Bench, kind: str, shape: tuple[int, int, int]) -> Job:
    rows, parts, columns = shape
    x, weight = b.normal(rows + 1, parts, columns), b.normal(parts if kind == "own" else 1, columns)
    out, step, at = b.poison(rows + 1, parts, columns), b.step(2, rows), b.up(x)
    norm = Norm(None if kind == "none" else b.up(weight), columns, 1e-5, parts, kind == "own")
    expected = rms_norm_numpy(*exact(x[:rows], None if kind == "none" else weight), 1e-5)
    return Job(lambda p: rms_norm(p, step, at, norm, out, rows + 1), {out: past(expected, rows + 1)})


TABLE = [
    *cases(rms_norm_case, ["f32"], 1e-6, ALL, shape=[(5, 127), (3, 1), (2, 64), (2, 4096)], last=[False, True]),
    *cases(rms_norm_case, ["added", "scaled", "added, scaled"], 1e-6, ALL, shape=[(5, 127), (2, 64)]),
    *cases(parts_case, ["shared", "own", "none"], 1e-6, ALL, shape=[(3, 5, 48), (2, 1, 33)]),
]

LARGE = [
    *cases(rms_norm_case, ["f32"], 1e-6, ("normal",), shape=[(512, 4096)]),
]

MUTATIONS = [
    Mutation(
        "barrier of a reduction",
        "lib/reduce.wgsl",
        "    reduce_scratch[lane] = value;\n    workgroupBarrier();",
        "    reduce_scratch[lane] = value;",
        "rms_norm or softmax",
    ),
    Mutation("epsilon", "lib/norm.wgsl", " + params.eps", "", "rms_norm or layer_norm"),
    Mutation(
        "what is multiplied", "lib/norm.wgsl", "(scaled + out[to_row + i])", "scaled + out[to_row + i]", "rms_norm"
    ),
    Mutation("a number in a buffer", "lib/norm.wgsl", " * times[0]", "", "rms_norm"),
    Mutation("weights of a part", "lib/norm.wgsl", "weight[weights + i]", "weight[i]", "parts"),
    Mutation("rows past the step", "lib/norm.wgsl", "group.x >= step.count", "group.x > step.count", "rms_norm"),
]
