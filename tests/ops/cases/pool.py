from typing import Any

import numpy as np
from ops.cases.attention import spans_of
from ops.harness import Bench, Job, Mutation, cases
from ops.recipes import ALL, exact, past

from py_wgml.ops import pool, pool_numpy


def pool_case(b: Bench, kind: Any, texts: tuple[int, ...], columns: int) -> Job:
    rows, spans = sum(texts), spans_of(texts)
    x = b.normal(rows + 1, columns)
    wholes = np.zeros((rows, 2), np.uint32)
    wholes[: len(texts)] = spans
    out, step, at, where = b.poison(rows + 1, columns), b.step(0, rows), b.up(x), b.up(wholes)
    (exactly,) = exact(x)
    expected = np.zeros((rows, columns))
    expected[: len(texts)] = [pool_numpy(exactly[first:end], kind) for first, end in spans]
    return Job(lambda p: pool(p, step, at, where, out, kind, columns, rows + 1), {out: past(expected, rows + 1)})


TABLE = [*cases(pool_case, ["mean", "cls", "last"], 1e-6, ALL, texts=[(1, 7, 3), (40,)], columns=[5, 100])]

MUTATIONS = [Mutation("the last row", "pool.wgsl", "(rows.y - 1u)", "(step.count - 1u)", "pool")]
