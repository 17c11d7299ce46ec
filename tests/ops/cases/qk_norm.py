import numpy as np
from ops.harness import Bench, Job, cases
from ops.recipes import ALL, exact

from py_wgml.ops import Heads, qk_norm, qk_norm_numpy


def qk_norm_case(b: Bench, kind: str, shape: tuple[int, int, int], extra: int) -> Job:
    count, heads, whole = 3, Heads(*shape), kind == "whole"
    qkv = b.normal(count + 1, heads.qkv_width + extra)
    weights = b.normal((heads.heads + heads.kv_heads if whole else 2) * heads.head_dim)
    if kind == "bare":
        weights[:] = 1
    expected = qkv.astype(np.float64)
    expected[:count] = qk_norm_numpy(*exact(qkv[:count], weights), heads, 1e-5, whole)
    out, step, at = b.held(qkv), b.step(2, count), None if kind == "bare" else b.up(weights)
    return Job(lambda p: qk_norm(p, step, out, at, heads, 1e-5, count + 1, whole, qkv.shape[1]), {out: expected})


TABLE = [
    *cases(
        qk_norm_case, ["heads", "whole", "bare"], 1e-6, ALL, shape=[(4, 2, 64), (3, 1, 6), (1, 1, 256)], extra=[0, 70]
    ),
]
