from dataclasses import replace

import numpy as np
from ops.harness import Bench, Job, Mutation, Refusals, cases
from ops.recipes import exact, past

from py_wgml.ops import Columns, Memory, linear_attention, linear_attention_numpy
from py_wgml.ops.linear_attention import require_memory

KINDS = {
    "mamba": Memory(6, 2, 16, 20, skip=True),
    "delta": Memory(6, 2, 32, 16, delta=True, eps=1e-6),
    "delta, interleaved": Memory(6, 2, 16, 33, delta=True, eps=1e-3, interleaved=True),
    "delta, channels": Memory(3, 3, 16, 16, delta=True, eps=1e-6, channels=True),
    "mamba, long": Memory(2, 1, 256, 9),
}


def linear_attention_case(b: Bench, kind: str, rows: int, position: int) -> Job:
    memory = KINDS[kind]
    width, gated = sum(memory.widths), memory.rates + memory.delta * memory.heads
    x, gates = b.normal(rows + 1, width + 5), b.normal(rows + 1, gated + 3)
    rates = np.concatenate([-np.exp(b.normal(memory.heads)), b.normal(memory.rates), b.normal(memory.heads)])
    rates = rates[: len(rates) if memory.skip else -memory.heads]
    before = b.normal(*memory.shape)
    known = before if position else 0 * before
    asked = exact(x[:rows, 2 : 2 + width], gates[:rows, 3:], rates)
    made, after = linear_attention_numpy(*asked, memory, known.astype(np.float64))
    state, out, step = b.held(before), b.poison(rows + 1, memory.width), b.step(position, rows)
    at, beside, speeds = Columns(b.up(x), width + 5, 2), Columns(b.up(gates), gated + 3, 3), b.up(rates)
    return Job(
        lambda p: linear_attention(p, step, at, beside, speeds, memory, state, out),
        {state: after, out: past(made, rows + 1)},
    )


TABLE = [
    *cases(linear_attention_case, KINDS, 2e-6, ("normal",), rows=[7, 1], position=[3, 0]),
]


def refusals(b: Bench) -> Refusals:
    memory = KINDS["delta"]
    return [
        (lambda: require_memory(replace(memory, key_heads=4)), "6 heads of values can't be shared out evenly over 4"),
        (lambda: require_memory(replace(memory, keys=20)), "a state of 20 keys"),
        (lambda: require_memory(replace(memory, keys=264)), "a state of 264 keys"),
    ]


MUTATIONS = [
    Mutation("state of a new sequence", "linear_attention.wgsl", "step.position > 0u", "true", "linear_attention"),
    Mutation("one barrier a token", "linear_attention.wgsl", "(t % 2u) * LANES", "0u * LANES", "linear_attention"),
    Mutation("what is known already", "linear_attention.wgsl", "v - all.x * k_scale", "v", "linear_attention"),
    Mutation("rows past the step", "linear_attention.wgsl", "t < step.count", "t <= step.count", "linear_attention"),
    Mutation("keys of a head", "linear_attention.wgsl", '"head % params', '"1u % params', "linear_attention"),
]
