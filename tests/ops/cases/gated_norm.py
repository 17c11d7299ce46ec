from ops.harness import Bench, Job, Mutation, cases
from ops.recipes import NOT_DENORMAL, exact, past

from py_wgml.ops import Columns, Gates, Norm, gated_norm, gated_norm_numpy
from py_wgml.ops.unary import Function


def gated_norm_case(b: Bench, kind: str, shape: tuple[int, int, int], before: bool, own: bool) -> Job:
    rows, parts, columns = shape
    width = parts * columns
    stride, first = 2 * width + 3, width + 1
    x, weight = b.normal(rows + 1, parts, columns), b.normal(parts if own else 1, columns)
    gates = b.random.standard_normal((rows + 1, stride), "f")
    gate = gates[:rows, first : first + width].reshape(rows, parts, columns)
    function: Function = "sigmoid" if kind == "sigmoid" else "silu"
    out, step, at = b.poison(rows + 1, parts, columns), b.step(2, rows), b.up(x)
    norm = Norm(b.up(weight), columns, 1e-5, parts, own)
    beside = Gates(Columns(b.up(gates), stride, first), norm, before, function)
    expected = gated_norm_numpy(*exact(x[:rows], gate, weight), 1e-5, before, function)
    return Job(
        lambda p: gated_norm(p, step, at, beside, out, rows + 1),
        {out: past(expected, rows + 1)},
    )


TABLE = [
    *cases(
        gated_norm_case,
        ["silu", "sigmoid"],
        1e-6,
        NOT_DENORMAL,
        shape=[(3, 5, 48), (1, 1, 130)],
        before=[False, True],
        own=[True, False],
    ),
]

MUTATIONS = [
    Mutation(
        "gates of a part", "gated_norm.wgsl", " + group.y * params.columns;\n    let w", ";\n    let w", "gated_norm"
    ),
    Mutation("gate before the norm", "gated_norm.wgsl", " if before", " if false", "gated_norm"),
]
