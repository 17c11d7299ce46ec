from dataclasses import replace
from typing import Any

import numpy as np
from ops.harness import Bench, Job, Mutation, Refusals, cases
from ops.recipes import exact, past

from py_wgml.ops import (
    Chunks,
    Columns,
    Gates,
    Memory,
    Mixer,
    Norm,
    Remembered,
    Taps,
    causal_conv_numpy,
    gated_norm_numpy,
    linear_attention,
    linear_attention_numpy,
)
from py_wgml.ops.linear_attention import require_memory

KINDS = {
    "mamba": Memory(6, 2, 16, 20, skip=True),
    "delta": Memory(6, 2, 32, 16, delta=True),
    "delta, interleaved": Memory(6, 2, 16, 33, delta=True, eps=1e-3, interleaved=True),
    "delta, channels": Memory(3, 3, 16, 16, delta=True, eps=1e-6, channels=True),
    "mamba, not shifted": Memory(4, 1, 16, 20, skip=True, shifted=False),
    "mamba, wide": Memory(2, 1, 24, 100, skip=True),
    "mamba, long": Memory(2, 1, 256, 9),
    "delta, large": Memory(2, 1, 128, 128, delta=True, eps=1e-6),
}
BY_CHUNKS = [kind for kind in KINDS if not KINDS[kind].channels]
LARGE_KINDS = {
    "Qwen3.5 0.8B": Memory(16, 16, 128, 128, delta=True, eps=1e-6),
    "Mamba-2 130M": Memory(24, 1, 128, 64, skip=True),
}


def rates_of(b: Bench, memory: Memory) -> Any:
    heads, *others = memory.constants
    return np.concatenate([-np.exp(b.normal(heads)), *(b.normal(count) for count in others)])


def linear_attention_case(
    b: Bench, kind: str, rows: int, position: int, chunks: int = 0, a: tuple[float, ...] = ()
) -> Job:
    """chunks: that there is room for, 0 for token by token. a: from which something is added to each a."""
    memory = (KINDS | LARGE_KINDS)[kind]
    width, gated = sum(memory.widths), memory.rates + memory.delta * memory.heads
    x, gates, rates = b.normal(rows + 1, width + 5), b.normal(rows + 1, gated + 3), rates_of(b, memory)
    if a:
        gates[:, 3 : 3 + memory.rates] += b.random.choice(np.array(a, np.float32), (rows + 1, memory.rates))
    before = b.normal(*memory.shape)
    known = before if position else 0 * before
    asked = exact(x[:rows, 2 : 2 + width], gates[:rows, 3:], rates)
    made, after = linear_attention_numpy(*asked, memory, known.astype(np.float64))
    state, out, step = b.held(before), b.poison(rows + 1, memory.width), b.step(position, rows)
    x[rows:] = np.nan
    at, beside, speeds = Columns(b.up(x), width + 5, 2), Columns(b.up(gates), gated + 3, 3), b.up(rates)
    products = np.full((chunks, memory.chunk_width), np.nan, np.float32)
    room = Chunks(chunks, b.up(products)) if chunks else None
    return Job(
        lambda p: linear_attention(p, step, at, beside, Remembered(memory, speeds, state, room), out),
        {state: after, out: past(made, rows + 1)},
        flops=6 * rows * memory.width * memory.keys,
    )


def token_case(b: Bench, kind: str, position: int, around: str) -> Job:
    """A single token, with the convolution before and, where there is one, the norm behind."""
    memory, length = KINDS[kind], 4
    width, gated = sum(memory.widths), memory.rates + memory.delta * memory.heads
    firsts = np.cumsum([2, width + 1, gated + 1])
    row, rates = b.normal(1, firsts[2] + memory.width), rates_of(b, memory)
    taps, shift, weight = b.normal(width, 4), b.normal(width), b.normal(memory.heads, memory.values)
    bias = shift if around == "bias" else None
    ring, before = b.normal(length, width), b.normal(*memory.shape)
    past_rows = [ring[(position - back) % length] * (back <= position) for back in (3, 2, 1)]
    channels = row[:, firsts[0] : firsts[0] + width]
    mixed, _ = causal_conv_numpy(*exact(channels, taps, bias, np.stack(past_rows)))
    known = before.astype(np.float64) * (position > 0)
    made, after = linear_attention_numpy(mixed, *exact(row[:, firsts[1] : firsts[1] + gated], rates), memory, known)
    kept = ring.copy()
    kept[position % length] = channels
    buffer, gates = b.up(row), None
    if around in ("norm", "gate before the norm"):
        norm = Norm(b.up(weight), memory.values, 1e-5, memory.heads, own=True)
        gates = Gates(Columns(buffer, row.shape[1], int(firsts[2])), norm, around != "norm")
        parts = made.reshape(weight.shape), row[0, firsts[2] :].reshape(weight.shape)
        made = gated_norm_numpy(*exact(*parts, weight), 1e-5, gates.before)
    state, conv_state, out, step = b.held(before), b.held(ring), b.poison(1, memory.width), b.step(position, 1)
    speeds = b.up(rates)
    x, beside = (Columns(buffer, row.shape[1], int(first)) for first in firsts[:2])
    mixer = Mixer(Taps(b.up(taps), width, length), None if bias is None else b.up(bias), conv_state)
    return Job(
        lambda p: linear_attention(p, step, x, beside, Remembered(memory, speeds, state), out, mixer, gates),
        {state: after, conv_state: kept, out: made.reshape(1, -1)},
    )


AROUND = ["bias", "no bias", "norm", "gate before the norm"]
TABLE = [
    *cases(linear_attention_case, KINDS, 2e-6, ("normal",), rows=[7, 1], position=[3, 0]),
    *cases(linear_attention_case, BY_CHUNKS, 2e-6, ("normal",), rows=[75, 32, 1], position=[3, 0], chunks=[3]),
    *cases(
        linear_attention_case,
        ["mamba", "delta", "delta, large"],
        2e-6,
        ("normal",),
        rows=[75],
        position=[3],
        chunks=[3],
        a=[(-20,), (50,), (-20, -20, -20, 50), (-20, 0, 0, 1000)],
    ),
    *cases(token_case, KINDS, 2e-6, ("normal",), position=[9, 2, 0], around=AROUND),
]
LARGE = [
    case
    for rows in (64, 512)
    for case in cases(
        linear_attention_case, LARGE_KINDS, 2e-6, ("normal",), rows=[rows], position=[3], chunks=[0, rows // 32]
    )
]


def refusals(b: Bench) -> Refusals:
    memory, at = KINDS["delta"], b.up(np.zeros(16, np.float32))
    x, mixer = Columns(at, 16), Mixer(Taps(at, 4, 4), None, at)
    gates = Gates(x, Norm(at, 4, 1e-5, 2), False)

    def attend(other: Columns = x, mixer: Mixer | None = mixer, gated: Gates | None = None) -> None:
        linear_attention(b.device.program(), at, x, other, Remembered(memory, at, at), at, mixer, gated)

    def by_chunks(memory: Memory, count: int) -> None:
        linear_attention(b.device.program(), at, x, x, Remembered(memory, at, at, Chunks(count, at)), at)

    return [
        (lambda: require_memory(replace(memory, key_heads=4)), "6 heads of values can't be shared out evenly over 4"),
        (lambda: require_memory(replace(memory, keys=20)), "a state of 20 keys"),
        (lambda: require_memory(replace(memory, keys=264)), "a state of 264 keys"),
        (lambda: require_memory(replace(memory, keys=0)), "a state of 0 keys"),
        (lambda: attend(Columns(b.up(np.zeros(16, np.float32)), 16)), "one buffer"),
        (lambda: attend(gated=gates), "not of a head each"),
        (lambda: attend(mixer=None, gated=gates), "single token"),
        (lambda: by_chunks(memory, 1), "no room for its chunks"),
        (lambda: by_chunks(KINDS["delta, channels"], 0), "a decay a key"),
    ]


SCAN, VECTOR = "linear_attention_scan.wgsl", "linear_attention_vector.wgsl"
PRODUCTS, CHUNKS = "linear_attention_products.wgsl", "linear_attention_chunks.wgsl"
MUTATIONS = [
    Mutation("state of a new sequence", SCAN, "step.position > 0u", "true", "linear_attention"),
    Mutation("one barrier a token", SCAN, "(t % 2u) * LANES", "0u * LANES", "linear_attention"),
    Mutation("what is known already", SCAN, "now.v - all.x * k_scale", "now.v", "linear_attention"),
    Mutation("rows past the step", SCAN, "t < step.count", "t <= step.count", "linear_attention"),
    Mutation("what a token is to itself", PRODUCTS, "j <= i)", "j < i)", "linear_attention"),
    Mutation("logarithms of decays", PRODUCTS, "min(i + 1u, CHUNK - 1u)", "i", "linear_attention"),
    Mutation("what no token forgets", PRODUCTS, "var decay = 0.0", "var decay = -1.0", "linear_attention"),
    Mutation("keys past the step", PRODUCTS, "if token < count {", "if true {", "linear_attention"),
    Mutation("scales past the step", PRODUCTS, "i % CHUNK < count", "true", "linear_attention"),
    Mutation("rows solved before", PRODUCTS, "j = lane; j < i;", "j = lane + 1u; j < i;", "linear_attention"),
    Mutation("state of a new sequence, chunks", CHUNKS, "step.position > 0u", "true", "linear_attention"),
    Mutation("keys past the step, chunks", CHUNKS, " && line_{{ n }} % CHUNK < count", "", "linear_attention"),
    Mutation(
        "what is known before a chunk", CHUNKS, "v_{{ t }} - scale", "v_{{ t }} - 0.0 * scale", "linear_attention"
    ),
    Mutation("what a chunk forgets", CHUNKS, "CHUNK * ROW_QUADS - 1u].w", "ROW_QUADS - 1u].w", "linear_attention"),
    Mutation("until the chunk's end", CHUNKS, "ends[j] * ", "", "linear_attention"),
    Mutation("tokens past the step", CHUNKS, "j < count", "j < CHUNK", "linear_attention"),
    Mutation("values past the head", CHUNKS, "max(params.values, value) - value", "4u", "linear_attention"),
    Mutation("keys of a head", "lib/linear_attention.wgsl", '"head % key', '"1u % key', "linear_attention or token"),
    Mutation("state of a new sequence, one token", VECTOR, "step.position > 0u", "true", "token"),
    Mutation("whose channels are kept", VECTOR, "if keep {", "if !keep {", "token"),
    Mutation("tokens before", "lib/conv_state.wgsl", "step.position >= back", "true", "token"),
    Mutation("lanes beyond the values", VECTOR, "share < SHARES", "true", "token"),
]
