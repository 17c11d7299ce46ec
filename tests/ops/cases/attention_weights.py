from dataclasses import replace
from typing import Any

import numpy as np
from ops.cases.attention import KINDS, spans_of
from ops.harness import Bench, Job, Mutation, Refusals, cases
from ops.recipes import exact, unpacked

from py_wgml.gpu import Program
from py_wgml.ops import Heads, KvCache, Scores, attention_weights, attention_weights_numpy, cache_numpy


def attention_weights_case(
    b: Bench,
    kind: str,
    shape: tuple[int, ...],
    position: int,
    count: int,
    window: int | None = None,
    soft_cap: float | None = None,
    sinks: bool = False,
    alibi: float | None = None,
    texts: tuple[int, ...] = (),
) -> Job:
    of, bits = Heads(*shape), KINDS[kind]
    heads, kv_heads, head_dim = shape[:3]
    known, room = position + count, position + count + 9
    length = room + room % 2
    q, k = b.normal(count + 1, heads, head_dim), b.normal(room, kv_heads, head_dim)
    k[known:] = np.nan
    k[0] *= 4  # a peaked softmax as well as flat ones
    packed = cache_numpy(k, bits)
    out, step, at = b.poison(heads, count + 1, length), b.step(position, count), b.up(q)
    cache = KvCache(b.up(packed), None if of.latent else b.poison(1), of, bits)
    sink = b.normal(heads) if sinks else None
    span = np.repeat(spans_of(texts), texts, axis=0) if texts else None
    scores = Scores(head_dim**-0.5, window, soft_cap, sink, not texts, alibi, span)
    uploaded: Any = {name: None if array is None else b.up(array) for name, array in (("sinks", sink), ("spans", span))}
    queries, keys, sink = exact(q[:count], unpacked(packed, bits)[:known], sink)
    found = attention_weights_numpy(queries, keys, position, replace(scores, sinks=sink), length)
    expected = np.pad(found, [(0, 0), (0, 1), (0, 0)], constant_values=np.nan)

    def record(p: Program) -> None:
        attention_weights(p, step, at, cache, out, replace(scores, **uploaded), count + 1, length)

    return Job(record, {out: expected})


TABLE = [
    *cases(
        attention_weights_case,
        ["f16", "f32", "q8"],
        2e-6,
        ("normal",),
        shape=[(9, 3, 64)],
        position=[300],
        count=[3],
    ),
    *cases(
        attention_weights_case,
        ["f16"],
        2e-6,
        ("normal",),
        shape=[(6, 2, 80)],
        position=[195],
        count=[3],
        window=[None, 100],
        soft_cap=[None, 2.0],
        sinks=[False, True],
    ),
    # Keys that are latents; distances; several texts.
    *cases(attention_weights_case, ["f16"], 2e-6, ("normal",), shape=[(5, 1, 50, 34)], position=[70], count=[3]),
    *cases(
        attention_weights_case, ["f32"], 2e-6, ("normal",), shape=[(6, 3, 80)], position=[70], count=[3], alibi=[8.0]
    ),
    *cases(
        attention_weights_case,
        ["f32"],
        2e-6,
        ("normal",),
        shape=[(6, 2, 16)],
        position=[0],
        count=[12],
        window=[None, 2],
        texts=[(1, 3, 8)],
    ),
]


def refusals(b: Bench) -> Refusals:
    program, at = b.device.program(), b.poison(64)

    def weigh(heads: Heads, length: int) -> None:
        attention_weights(program, at, at, KvCache(at, at, heads, 16), at, Scores(1.0), 1, length)

    return [
        (lambda: weigh(Heads(5, 2, 8), 2), "5 heads over 2, of 8 elements each, is not supported"),
        (lambda: weigh(Heads(4, 1, 8), 3), "weights of 4 heads for 3 positions have no room"),
        (lambda: weigh(Heads(4, 1, 8), 200), "weights of 4 heads for 200 positions have no room"),
    ]


MUTATIONS = [
    Mutation(
        "sinks of weights", "attention_weights.wgsl", "Softmax(sinks[head], 1.0)", "SOFTMAX_EMPTY", "attention_weights"
    ),
    Mutation("a pair's second position", "attention_weights.wgsl", "2u * i + j", "2u * i", "attention_weights"),
    Mutation("what is not seen", "attention_weights.wgsl", " && position < positions.y", "", "attention_weights"),
]
