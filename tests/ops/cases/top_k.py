import numpy as np
from ops.harness import Bench, Job, Mutation, Refusals, cases
from ops.recipes import LAYOUTS, NOT_DENORMAL, strided

from py_wgml.ops import View, top_k, top_k_numpy, top_k_partials


def top_k_case(
    b: Bench, kind: str, shape: tuple[int, ...], layout: str, k: int, levels: int = 0, splits: int = 1
) -> Job:
    view, x = strided(b, shape, layout)
    if levels:  # few different numbers: many are equal
        x = b.random.integers(-levels, levels, shape).astype(np.float32)
        view = View.of(b.up(x), *shape)
    ids, values = b.poison(*shape[:-1], k, dtype=np.uint32), b.poison(*shape[:-1], k)
    partials = b.poison(top_k_partials(x.size // shape[-1], k, splits) // 4)
    chosen, largest = (View.of(out, *shape[:-1], k) for out in (ids, values))
    return Job(
        lambda p: top_k(p, view, chosen, largest, splits, partials),
        dict(zip((ids, values), top_k_numpy(x, k), strict=True)),
    )


TABLE = [
    *cases(top_k_case, ["f32"], 0, NOT_DENORMAL, shape=[(3, 1000), (2, 3, 5, 9)], layout=LAYOUTS, k=[8], levels=[0, 3]),
    *cases(top_k_case, ["f32"], 0, NOT_DENORMAL, shape=[(2, 1111)], layout=["plain"], k=[1, 100, 1024], levels=[0, 2]),
    *cases(top_k_case, ["f32"], 0, NOT_DENORMAL, shape=[(2, 700)], layout=["plain"], k=[40], levels=[0, 2], splits=[7]),
]

LARGE = [
    *cases(top_k_case, ["f32"], 0, ("normal",), shape=[(1, 151936)], layout=["plain"], k=[64], splits=[1, 64]),
]


def refusals(b: Bench) -> Refusals:
    program, few, long = b.device.program(), b.poison(6), View.of(b.poison(1100), 1100)
    x, out = (View.of(b.poison(6, 6), 6, 6) for _ in range(2))
    return [
        (lambda: top_k(program, x[:, :3], out[:, :4]), "do not fit"),
        (lambda: top_k(program, x, out[:, :2], out[:, 2:4]), "another buffer"),
        (lambda: top_k(program, x, out[:, :2], splits=2), "no room"),
        (lambda: top_k(program, x, out[:, :2], splits=64, partials=few), "no room"),
        (lambda: top_k(program, long, View.of(b.poison(1030), 1030)), "do not fit"),
    ]


MUTATIONS = [
    Mutation("order of equals", "top_k.wgsl", "~i);", "i);", "top_k or argmax"),
    Mutation("end of a share", "top_k.wgsl", "min(begin + share, length)", "begin + share", "top_k or argmax"),
]
