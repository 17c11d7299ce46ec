from typing import Any

import numpy as np
from ops.harness import Bench, Job, Refusals, cases
from ops.recipes import ALL, FILL, SMALL, past

from py_wgml.ops import Append, Bits, Heads, KvCache, rope_append, rope_numpy, rotations_numpy


def rope_append_case(b: Bench, kind: Any, shape: tuple[int, int, int, int], bits: Bits) -> Job:
    count, heads, kv_heads, head_dim = shape
    first, rotary_dim, pairing = 37, int(kind.partition("/")[2]), kind.partition("/")[0]
    context = first + count + 8
    qkv = b.normal(count + 1, heads + 2 * kv_heads, head_dim)
    rotations = rotations_numpy(0, context, rotary_dim, 10000.0)
    q = b.poison(count + 1, heads, head_dim)
    dtype = np.float16 if bits == 16 else np.float32
    caches = [b.held(np.full((context, kv_heads, head_dim), FILL, dtype)) for _ in "kv"]
    turned = rope_numpy(qkv[:count, : heads + kv_heads].astype(np.float64), rotations[first : first + count], pairing)
    kept = [np.full((context, kv_heads, head_dim), FILL, np.float64) for _ in "kv"]
    for keep, new in zip(kept, (turned[:, heads:], qkv[:count, heads + kv_heads :]), strict=True):
        keep[first : first + count] = new
    rows = qkv.reshape(count + 1, -1)
    rows = np.concatenate([rows, b.normal(count + 1, 6)], axis=1)
    step, at = b.step(first, count), b.up(rows)
    cache = KvCache(caches[0], caches[1], Heads(heads, kv_heads, head_dim), bits)
    append = Append(b.up(rotations), rotary_dim, pairing, cache)
    return Job(
        lambda p: rope_append(p, step, at, q, append, count + 1, rows.shape[1]),
        {q: past(turned[:, :heads], count + 1), **dict(zip(caches, kept, strict=True))},
    )


TABLE = [
    *cases(
        rope_append_case,
        ["norm/20", "neox/20", "norm/8", "neox/8"],
        3e-4,
        SMALL,
        shape=[(3, 5, 2, 20), (1, 1, 1, 64)],
        bits=[16],
    ),
    *cases(rope_append_case, ["norm/12", "neox/12"], 3e-7, ALL, shape=[(3, 5, 2, 12), (1, 4, 4, 16)], bits=[32]),
]


def refusals(b: Bench) -> Refusals:
    at = b.poison(64)
    return [
        (lambda: Append(at, 3, "norm", KvCache(at, at, Heads(1, 1, 8), 16)), "not supported"),
        (lambda: KvCache(at, at, Heads(1, 1, 48), 8), "a multiple of 32 elements, not of 48"),
    ]
