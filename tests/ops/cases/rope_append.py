from typing import Any

import numpy as np
from ops.harness import Bench, Job, Mutation, Refusals, cases
from ops.recipes import ALL, FILL, SMALL, exact, past

from py_wgml.ops import (
    Append,
    Bits,
    HeadNorm,
    Heads,
    KvCache,
    qk_norm_numpy,
    rope_append,
    rope_numpy,
    rotations_numpy,
)


def rope_append_case(b: Bench, kind: Any, shape: tuple[int, int, int, int], bits: Bits, texts: bool = False) -> Job:
    count, heads, kv_heads, head_dim = shape
    first, rotary_dim, pairing = 37, int(kind.partition("/")[2]), kind.partition("/")[0]
    context = first + count + 8
    qkv = b.normal(count + 1, heads + 2 * kv_heads, head_dim)
    rotations = rotations_numpy(0, context, rotary_dim, 10000.0)
    q = b.poison(count + 1, heads, head_dim)
    dtype = np.float16 if bits == 16 else np.float32
    caches = [b.held(np.full((context, kv_heads, head_dim), FILL, dtype)) for _ in "kv"]
    places = b.random.integers(0, context, count) if texts else np.arange(first, first + count)
    turned = rope_numpy(qkv[:count, : heads + kv_heads].astype(np.float64), rotations[places], pairing)
    kept = [np.full((context, kv_heads, head_dim), FILL, np.float64) for _ in "kv"]
    for keep, new in zip(kept, (turned[:, heads:], qkv[:count, heads + kv_heads :]), strict=True):
        keep[first : first + count] = new
    rows = qkv.reshape(count + 1, -1)
    rows = np.concatenate([rows, b.normal(count + 1, 6)], axis=1)
    step, at = b.step(first, count), b.up(rows)
    cache = KvCache(caches[0], caches[1], Heads(heads, kv_heads, head_dim), bits)
    positions = b.up(places.astype(np.uint32)) if texts else None
    append = Append(b.up(rotations), rotary_dim, pairing, cache, positions)
    return Job(
        lambda p: rope_append(p, step, at, q, append, count + 1, width=rows.shape[1]),
        {q: past(turned[:, :heads], count + 1), **dict(zip(caches, kept, strict=True))},
    )


def rope_append_norm_case(
    b: Bench, kind: Any, shape: tuple[int, int, int, int], of_values: bool, weighted: bool, texts: bool = False
) -> Job:
    count, heads, kv_heads, head_dim = shape
    first, rotary_dim, pairing = 37, int(kind.partition("/")[2]), kind.partition("/")[0]
    sizes, context = Heads(heads, kv_heads, head_dim), first + count + 8
    qkv, weights = b.normal(count + 1, sizes.qkv_width), b.normal(2 * head_dim) if weighted else np.ones(2 * head_dim)
    rotations = rotations_numpy(0, context, rotary_dim, 10000.0)
    normed = qk_norm_numpy(*exact(qkv[:count], weights), sizes, 1e-5, values=of_values).reshape(count, -1, head_dim)
    places = b.random.integers(0, context, count) if texts else np.arange(first, first + count)
    turned = rope_numpy(normed[:, : heads + kv_heads], rotations[places], pairing)
    q, caches = b.poison(count + 1, heads, head_dim), [b.poison(context, max(1, kv_heads), head_dim) for _ in "kv"]
    kept = [np.full((context, kv_heads, head_dim), np.nan) for _ in "kv"]
    for keep, new in zip(kept, (turned[:, heads:], normed[:, heads + kv_heads :]), strict=True):
        keep[first : first + count] = new
    step, at = b.step(first, count), b.up(qkv)
    positions = b.up(places.astype(np.uint32)) if texts else None
    append = Append(b.up(rotations), rotary_dim, pairing, KvCache(caches[0], caches[1], sizes, 32), positions)
    how = HeadNorm(b.up(weights) if weighted else None, 1e-5, of_values)
    made = {q: past(turned[:, :heads], count + 1)}
    return Job(
        lambda p: rope_append(p, step, at, q, append, count + 1, how),
        made | dict(zip(caches, kept, strict=True)) if kv_heads else made,
    )


TABLE = [
    *cases(
        rope_append_norm_case,
        ["norm/8", "neox/8", "neox/64"],
        1e-6,
        ["normal", "zeros"],
        shape=[(3, 5, 2, 64), (1, 4, 0, 512)],
        of_values=[False, True],
        weighted=[True, False],
    ),
    *cases(
        rope_append_norm_case,
        ["neox/64"],
        1e-6,
        ["normal"],
        shape=[(3, 5, 2, 64)],
        of_values=[False],
        weighted=[True],
        texts=[True],
    ),
    *cases(
        rope_append_case,
        ["norm/20", "neox/20", "norm/8", "neox/8"],
        3e-4,
        SMALL,
        shape=[(3, 5, 2, 20), (1, 1, 1, 64)],
        bits=[16],
    ),
    *cases(rope_append_case, ["norm/12", "neox/12"], 3e-7, ALL, shape=[(3, 5, 2, 12), (1, 4, 4, 16)], bits=[32]),
    *cases(rope_append_case, ["norm/12", "neox/12"], 3e-7, ("normal",), shape=[(3, 5, 2, 12)], bits=[32], texts=[True]),
]


MUTATIONS = [
    Mutation("heads of values", "rope_append.wgsl", '{{ " * head_scale" if norm_values }}', "", "rope_append_norm"),
    Mutation(
        "weights of rotated keys", "rope_append.wgsl", "select(HEAD_DIM, 0u,", "select(0u, 0u,", "rope_append_norm"
    ),
]


def refusals(b: Bench) -> Refusals:
    at, program = b.poison(64), b.device.program()
    bytes_of = Append(at, 4, "norm", KvCache(at, at, Heads(1, 1, 32), 8))
    return [
        (lambda: rope_append(program, at, at, at, bytes_of, 1, HeadNorm(None, 1e-5)), "not normed on their way"),
        (lambda: Append(at, 3, "norm", KvCache(at, at, Heads(1, 1, 8), 16)), "not supported"),
        (lambda: KvCache(at, at, Heads(1, 1, 48), 8), "a multiple of 32 elements, not of 48"),
    ]
