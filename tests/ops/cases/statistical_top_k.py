import numpy as np
from ops.harness import Bench, Job, Mutation, cases

from py_wgml.ops import statistical_top_k, statistical_top_k_numpy


def statistical_top_k_case(b: Bench, kind: str, shape: tuple[int, int, int], deviations: float) -> Job:
    rows, columns, stride = shape
    x = b.normal(rows + 1, stride) + np.float32(kind == "shifted")
    expected = statistical_top_k_numpy(x[:rows].astype(np.float64), columns, deviations)
    out, step = b.held(x), b.step(2, rows)
    return Job(
        lambda p: statistical_top_k(p, step, out, columns, stride, deviations, rows + 1),
        {out: np.concatenate([expected, x[rows:]])},
    )


TABLE = [
    *cases(
        statistical_top_k_case,
        ["centred", "shifted"],
        2e-6,
        ["normal", "zeros"],
        shape=[(3, 130, 260), (1, 300, 300), (2, 5, 7)],
        deviations=[0.5, 1.6448536],
    ),
]

MUTATIONS = [
    Mutation(
        "mean", "statistical_top_k.wgsl", "let distance = x[row + i] - mean", "let distance = x[row + i]", "shifted"
    ),
    Mutation(
        "elements of others",
        "statistical_top_k.wgsl",
        "group.x * params.stride",
        "group.x * params.columns",
        "statistical_top_k",
    ),
]
