from dataclasses import replace
from typing import Any

import numpy as np
from ops.harness import Bench, Job, Mutation, Refusals, cases
from ops.recipes import SMALL, exact, past, unpacked

from py_wgml.gpu import Program
from py_wgml.ops import Bits, Heads, KvCache, Partials, Scores, attention, attention_merge, attention_numpy, cache_numpy


def attention_case(
    b: Bench,
    kind: str,
    shape: tuple[int, ...],
    position: int,
    count: int,
    window: int | None = None,
    soft_cap: float | None = None,
    sinks: bool = False,
    splits: int = 1,
    causal: bool = True,
    alibi: float | None = None,
    texts: tuple[int, ...] = (),
) -> Job:
    of = Heads(*shape)
    heads, kv_heads, head_dim = shape[:3]
    length, bits = position + count, KINDS[kind]
    q = b.normal(count + 1, heads, head_dim)
    k, v = (b.normal(length + 9, kv_heads, head_dim) for _ in "kv")
    k[length:], v[length:] = np.nan, np.nan
    k[0] *= 4  # a peaked softmax as well as flat ones
    packed = [cache_numpy(x, bits) for x in (k, v)]
    k, v = (unpacked(x, bits) for x in packed)
    out, step, at = b.poison(count + 1, heads, of.value_dim), b.step(position, count), b.up(q)
    if of.latent:
        v = k[..., : of.latent]
    cache = KvCache(b.up(packed[0]), None if of.latent else b.up(packed[1]), of, bits)
    sink = b.normal(heads) if sinks else None
    span = np.repeat(spans_of(texts), texts, axis=0) if texts else None
    scores = Scores(head_dim**-0.5, window, soft_cap, sink, causal, alibi, span)
    uploaded: Any = {name: None if array is None else b.up(array) for name, array in (("sinks", sink), ("spans", span))}
    partials = b.up(np.full((count + 1, heads, splits, of.value_dim + 2), np.nan, np.float32)) if splits > 1 else out
    queries, keys, values, sink = exact(q[:count], k[:length], v[:length], sink)
    expected = attention_numpy(queries, keys, values, position, replace(scores, sinks=sink))

    def record(p: Program) -> None:
        attention(p, step, at, cache, partials, replace(scores, **uploaded), count + 1, splits)
        if splits > 1:
            attention_merge(p, step, partials, Partials(cache.heads, splits), out, count + 1)

    return Job(
        record,
        {out: past(expected, count + 1)},
        flops=2 * sum(position + 1 + t for t in range(count)) * heads * (head_dim + of.value_dim),
    )


def spans_of(texts: tuple[int, ...]) -> Any:
    """The first row of each text, and the one after its last: uint32 [texts, 2]."""
    ends = np.cumsum(texts, dtype=np.uint32)
    return np.stack([ends - np.array(texts, np.uint32), ends], axis=1)


KINDS: dict[str, Bits] = {"f32": 32, "f16": 16, "q8": 8}

TABLE = [
    *cases(attention_case, ["f16", "f32"], 2e-6, SMALL, shape=[(9, 3, 64), (4, 4, 16)], position=[0, 200], count=[3]),
    *cases(
        attention_case,
        ["f16", "f32"],
        2e-6,
        SMALL,
        shape=[(2, 1, 256), (6, 2, 80), (1, 1, 2)],
        position=[64],
        count=[1],
    ),
    *cases(
        attention_case,
        ["f16"],
        2e-6,
        SMALL,
        shape=[(4, 2, 80)],
        position=[195],
        count=[5],
        window=[None, 1, 100],
        soft_cap=[None, 2.0],
        sinks=[False, True],
    ),
    *cases(
        attention_case,
        ["f16", "f32"],
        2e-6,
        SMALL,
        shape=[(9, 3, 64), (4, 1, 80)],
        position=[0, 700],
        count=[2],
        splits=[2, 32],
    ),
    *cases(
        attention_case,
        ["f16"],
        2e-6,
        ("normal",),
        shape=[(6, 2, 80)],
        position=[200],
        count=[1],
        window=[None, 100],
        soft_cap=[2.0],
        sinks=[True],
        splits=[5],
    ),
    *cases(
        attention_case,
        ["q8"],
        2e-6,
        SMALL,
        shape=[(9, 3, 64), (4, 1, 96)],
        position=[0, 150],
        count=[3, 40],
    ),
    # Many queries, which have a kernel of their own.
    *cases(
        attention_case,
        ["f16", "f32"],
        2e-6,
        SMALL,
        shape=[(9, 3, 64), (4, 4, 16), (6, 2, 80), (2, 1, 256), (3, 1, 30)],
        position=[0, 150],
        count=[40],
    ),
    # Values longer than a tile takes at once; and values that are parts of keys.
    *cases(
        attention_case,
        ["f16"],
        2e-6,
        SMALL,
        shape=[(4, 2, 512), (2, 1, 300), (4, 1, 576, 512), (5, 1, 50, 34), (4, 2, 80, 48)],
        position=[70],
        count=[3, 40],
    ),
    *cases(attention_case, ["f32", "q8"], 2e-6, SMALL, shape=[(3, 1, 96, 64)], position=[150], count=[3, 40]),
    *cases(
        attention_case,
        ["f16"],
        2e-6,
        SMALL,
        shape=[(16, 1, 576, 512), (5, 1, 50, 34)],
        position=[0, 700],
        count=[1],
        splits=[8, 32],
    ),
    *cases(
        attention_case,
        ["f16"],
        2e-6,
        ("normal",),
        shape=[(6, 2, 128)],
        position=[195],
        count=[20],
        window=[None, 1, 100],
        soft_cap=[None, 2.0],
        sinks=[False, True],
    ),
    # Attention in both directions, and with the distance as a bias.
    *cases(
        attention_case,
        ["f32"],
        2e-6,
        ("normal",),
        shape=[(6, 3, 80)],
        position=[0, 70],
        count=[5, 40],
        window=[None, 3],
        causal=[False],
        alibi=[None, 8.0],
    ),
    *cases(attention_case, ["f32"], 2e-6, ("normal",), shape=[(6, 3, 80)], position=[70], count=[5, 40], alibi=[8.0]),
    *cases(
        attention_case,
        ["f32"],
        2e-6,
        ("normal",),
        shape=[(12, 12, 32), (6, 2, 16)],
        position=[0],
        count=[60],
        window=[None, 4],
        causal=[False, True],
        alibi=[None, 8.0],
        texts=[(1, 3, 25, 31)],
    ),
    *cases(
        attention_case,
        ["f16"],
        2e-6,
        ("normal",),
        shape=[(6, 3, 80)],
        position=[0],
        count=[12],
        window=[None, 2],
        causal=[False, True],
        texts=[(1, 3, 8)],
    ),
]

LARGE = [
    *cases(attention_case, ["f16"], 5e-6, ("normal",), shape=[(32, 8, 128)], position=[4095], count=[1]),
    *cases(attention_case, ["f16"], 5e-6, ("normal",), shape=[(32, 8, 128)], position=[0], count=[512]),
    *cases(
        attention_case, ["f16"], 5e-6, ("normal",), shape=[(16, 1, 576, 512)], position=[4095], count=[1], splits=[32]
    ),
    *cases(
        attention_case, ["f16"], 5e-6, ("normal",), shape=[(8, 1, 512), (16, 1, 576, 512)], position=[0], count=[512]
    ),
]


def refusals(b: Bench) -> Refusals:
    program, at = b.device.program(), b.poison(64)

    def attend(heads: Heads, splits: int = 1) -> None:
        attention(program, at, at, KvCache(at, at, heads, 16), at, Scores(1.0), 1, splits)

    return [
        (lambda: attend(Heads(5, 2, 8)), "5 heads over 2, of 8 elements each, is not supported"),
        (lambda: attend(Heads(4, 1, 514)), "4 heads over 1, of 514 elements each, is not supported"),
        (lambda: attend(Heads(4, 1, 600, 520)), "of 600 elements each, is not supported"),
        (lambda: attend(Heads(4, 1, 40, 48)), "of 40 elements each, is not supported"),
        (lambda: attend(Heads(4, 1, 40, 33)), "of 40 elements each, is not supported"),
        (lambda: attend(Heads(4, 1, 1026, 512)), "of 1026 elements each, is not supported"),
        (lambda: attend(Heads(4, 2, 8), splits=32), "no room"),
        (lambda: Scores(1.0, window=0), "not supported"),
        (lambda: Scores(1.0, soft_cap=0.0), "not supported"),
        (lambda: Scores(1.0, soft_cap=float("nan")), "not supported"),
        (lambda: Scores(1.0, alibi=-8.0), "ALiBi bias of -8 is not supported"),
    ]


MUTATIONS = [
    Mutation("a text's first row", "lib/attention.wgsl", '"text.x" }}', '"0u" }}', "attention"),
    Mutation("a text's first row, window", "lib/attention.wgsl", "max(text.x, own", "max(0u, own", "attention"),
    Mutation("a text's end, window", "lib/attention.wgsl", "min(text.y, own", "min(step.count, own", "attention"),
    Mutation("attention's direction", "lib/attention.wgsl", '"own + 1u" if causal', '"own + 1u" if true', "attention"),
    Mutation("slopes of heads in between", "lib/attention.wgsl", "f32(even) + 0.5", "f32(even) + 1.0", "attention"),
    Mutation(
        "distances in a tile",
        "attention_tile.wgsl",
        "abs(vec4<f32>(positions) -",
        "(vec4<f32>(positions) -",
        "attention",
    ),
    Mutation(
        "distances of a vector", "attention_vector.wgsl", "abs(f32(start + lane) -", "(f32(start + lane) -", "attention"
    ),
    Mutation("scale of a query", "lib/attention.wgsl", "return params.scale * ", "return ", "attention"),
    Mutation("attention's tail", "attention_vector.wgsl", "at_{{ u }} < count);", "true);", "attention"),
    Mutation("part of a value", "attention_tile.wgsl", "min({{ part }}u * PART_OCTETS + ", "min(", "attention"),
    Mutation("length of a value", "lib/attention.wgsl", "{{ latent or head_dim }}u", "{{ head_dim }}u", "attention"),
]
