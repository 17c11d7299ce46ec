from typing import Any, get_args

from ops.harness import Bench, Job, cases
from ops.recipes import ALL, exact, past

from py_wgml.ops import Columns, gated, gated_numpy
from py_wgml.ops.gated import Activation


def gated_case(b: Bench, kind: Any, shape: tuple[int, int]) -> Job:
    rows, width = shape
    x = b.normal(rows + 1, 2 * width)
    x[0, :2] *= 200
    out, step, at = b.poison(rows + 1, width), b.step(5, rows), b.up(x)
    gates, values = Columns(at, 2 * width), Columns(at, 2 * width, width)
    expected = gated_numpy(*exact(x[:rows]), kind)
    return Job(
        lambda p: gated(p, step, gates, values, Columns(out, width), kind, rows + 1), {out: past(expected, rows + 1)}
    )


TABLE = [
    *cases(gated_case, get_args(Activation), 2e-6, ALL, shape=[(3, 130), (2, 1), (1, 64)]),
]

LARGE = [
    *cases(gated_case, ["silu"], 2e-6, ("normal",), shape=[(512, 8192)]),
]
