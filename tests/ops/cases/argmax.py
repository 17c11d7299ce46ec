import numpy as np
from ops.harness import Bench, Job, cases
from ops.recipes import LAYOUTS, NOT_DENORMAL, strided

from py_wgml.ops import View, argmax, argmax_numpy, top_k_partials


def argmax_case(b: Bench, kind: str, shape: tuple[int, ...], layout: str, splits: int = 1) -> Job:
    view, x = strided(b, shape, layout)
    ids = b.poison(*shape[:-1], dtype=np.uint32)
    partials = b.poison(top_k_partials(x.size // shape[-1], 1, splits) // 4)
    return Job(lambda p: argmax(p, view, View.of(ids, *shape[:-1]), splits, partials), {ids: argmax_numpy(x)})


TABLE = [
    *cases(argmax_case, ["f32"], 0, NOT_DENORMAL, shape=[(3, 1000), (5, 1), (2, 3, 4, 33)], layout=LAYOUTS),
    *cases(argmax_case, ["f32"], 0, NOT_DENORMAL, shape=[(2, 700), (3, 5)], layout=["plain"], splits=[3, 64]),
]

LARGE = [
    *cases(argmax_case, ["f32"], 0, ("normal",), shape=[(1, 151936)], layout=["plain"], splits=[1, 64]),
]
