import numpy as np
from ops.harness import Bench, Job, Mutation, cases
from ops.recipes import ALL, exact

from py_wgml.ops import Columns, HeadNorm, Heads, qk_norm, qk_norm_numpy


def qk_norm_case(b: Bench, kind: str, shape: tuple[int, int, int], extra: int = 0) -> Job:
    count, heads, whole, values = 3, Heads(*shape), kind == "whole", kind == "values"
    qkv = b.normal(count + 1, heads.qkv_width + extra)
    weights = b.normal((heads.heads + heads.kv_heads if whole else 2) * heads.head_dim)
    if kind == "bare":
        weights[:] = 1
    expected = qkv.astype(np.float64)
    expected[:count] = qk_norm_numpy(*exact(qkv[:count], weights), heads, 1e-5, whole, values)
    out, step, at = b.held(qkv), b.step(2, count), None if kind == "bare" else b.up(weights)
    norm, rows = HeadNorm(at, 1e-5, values, whole), Columns(out, qkv.shape[1])
    return Job(lambda p: qk_norm(p, step, rows, heads, norm, count + 1), {out: expected})


TABLE = [
    *cases(
        qk_norm_case,
        ["heads", "whole", "bare", "values"],
        1e-6,
        ALL,
        shape=[(4, 2, 64), (3, 1, 6), (1, 1, 256)],
        extra=[0, 70],
    ),
    *cases(qk_norm_case, ["heads"], 1e-6, ["normal"], shape=[(4, 0, 64)]),
]

MUTATIONS = [
    Mutation("values have no weights", "qk_norm.wgsl", "group.x < params.q_rows + params.k_rows", "true", "values"),
    Mutation("weights of keys", "qk_norm.wgsl", "weight = params.q_columns;", "weight = 0u;", "qk_norm"),
]
