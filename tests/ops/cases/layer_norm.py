from ops.harness import Bench, Job, cases
from ops.recipes import ALL, exact, past

from py_wgml.ops import Norm, layer_norm, layer_norm_numpy


def layer_norm_case(b: Bench, kind: str, shape: tuple[int, int], last: bool = False) -> Job:
    rows, columns = shape
    x, weight, bias = b.normal(rows + 1, columns) + b.scale, b.normal(columns), b.normal(columns)
    out, step, at = b.poison(rows + 1, columns), b.step(2, rows), b.up(x)
    norm, shift = Norm(b.up(weight), columns, 1e-5), b.up(bias) if kind == "bias" else None
    expected = layer_norm_numpy(*exact(x[:rows], weight, bias if kind == "bias" else None), 1e-5)
    return Job(
        lambda p: layer_norm(p, step, at, norm, shift, out, rows + 1, last),
        {out: past(expected[-1:] if last else expected, rows + 1)},
    )


TABLE = [
    *cases(layer_norm_case, ["bias", "no bias"], 2e-6, ALL, shape=[(5, 127), (2, 64), (2, 4096)], last=[False, True]),
]
