"""The table of cases: every op, every kind of it, its shapes, its options and the bound of its error.

    python3 tests/ops/table.py [FILTER ...]           op x kind x compiler x variant with the largest error; exit code 1
                                                      if one is over its bound, or an op or a tensor type is missing
    python3 tests/ops/table.py --perf [FILTER ...]    GB/s and GFLOP/s of the large cases

FILTER is a part of a case's id, such as `rms_norm` or `linear-Q4_1`. `test_table.py` runs the same cases under pytest.
"""

import argparse
import asyncio
import inspect
import itertools
import sys
import time
from pathlib import Path
from typing import Any, get_args

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

import numpy as np
from ops.harness import VARIANTS, Bench, Case, Job, cases, device

import py_wgml.ops
from py_wgml.errors import WgmlError
from py_wgml.generate.bench import read_bandwidth
from py_wgml.gguf_model.weights import BYTE_TYPES, TYPES, Matrix, Part
from py_wgml.gpu import Buffer, Program
from py_wgml.ops import (
    Append,
    Bits,
    Experts,
    Fusion,
    Groups,
    Heads,
    KvCache,
    Norm,
    Parts,
    Routing,
    Sampling,
    Scores,
    Taps,
    View,
    argmax,
    argmax_numpy,
    assign,
    assign_numpy,
    attention,
    attention_merge,
    attention_merge_numpy,
    attention_numpy,
    binary,
    binary_numpy,
    cache_numpy,
    cumulative_sum,
    cumulative_sum_numpy,
    dequantize,
    gated,
    gated_numpy,
    gemm,
    gemm_numpy,
    gemv,
    gemv_numpy,
    get_rows,
    get_rows_numpy,
    group_experts,
    group_experts_numpy,
    group_size,
    layer_norm,
    layer_norm_numpy,
    linear,
    linear_experts,
    linear_experts_numpy,
    linear_numpy,
    qk_norm,
    qk_norm_numpy,
    reduce,
    reduce_numpy,
    rms_norm,
    rms_norm_numpy,
    rope,
    rope_append,
    rope_numpy,
    rotations_numpy,
    route,
    route_numpy,
    sample,
    sample_numpy,
    short_conv,
    short_conv_numpy,
    softmax,
    softmax_numpy,
    step_block,
    top_k,
    top_k_numpy,
    top_k_parts,
    unary,
    unary_numpy,
)
from py_wgml.ops.assign import Assignment
from py_wgml.ops.binary import Operation
from py_wgml.ops.gated import Activation
from py_wgml.ops.reduce import Reduction
from py_wgml.ops.route import Gating
from py_wgml.ops.unary import Function

# ---- Recipes: how a case of an op is built. Rows past a step's tokens, and all else not to be written, are NaN. ----


def past(expected: Any, rows: int) -> Any:
    """`expected` with rows of NaN below it, `rows` in all."""
    missing = (rows - len(expected), *expected.shape[1:])
    return np.concatenate([expected, np.full(missing, np.nan)])


def exact(*arrays: Any) -> tuple[Any, ...]:
    """The arrays in float64."""
    return tuple(None if array is None else array.astype(np.float64) for array in arrays)


def rms_norm_case(b: Bench, kind: str, shape: tuple[int, int], last: bool = False) -> Job:
    rows, columns = shape
    x, weight = b.normal(rows + 1, columns), b.normal(columns)
    out, step = b.poison(rows + 1, columns), b.step(2, rows)
    expected = rms_norm_numpy(*exact(x[:rows], weight), 1e-5)
    if kind == "added":
        before = b.normal(rows, columns)
        b.device.write(out, before)
        expected += before
    at, norm = b.up(x), Norm(b.up(weight), columns, 1e-5)
    return Job(
        lambda p: rms_norm(p, step, at, norm, out, rows + 1, last, accumulate=kind == "added"),
        {out: past(expected[-1:] if last else expected, rows + 1)},
    )


def qk_norm_case(b: Bench, kind: str, shape: tuple[int, int, int]) -> Job:
    count, heads, whole = 3, Heads(*shape), kind == "whole"
    qkv = b.normal(count + 1, heads.qkv_width)
    weights = b.normal((heads.heads + heads.kv_heads if whole else 2) * heads.head_dim)
    if kind == "bare":
        weights[:] = 1
    expected = qkv.astype(np.float64)
    expected[:count] = qk_norm_numpy(*exact(qkv[:count], weights), heads, 1e-5, whole)
    out, step, at = b.held(qkv), b.step(2, count), None if kind == "bare" else b.up(weights)
    return Job(lambda p: qk_norm(p, step, out, at, heads, 1e-5, count + 1, whole), {out: expected})


def layer_norm_case(b: Bench, kind: str, shape: tuple[int, int], last: bool = False) -> Job:
    rows, columns = shape
    x, weight, bias = b.normal(rows + 1, columns) + b.scale, b.normal(columns), b.normal(columns)
    out, step, at = b.poison(rows + 1, columns), b.step(2, rows), b.up(x)
    norm, shift = Norm(b.up(weight), columns, 1e-5), b.up(bias) if kind == "bias" else None
    expected = layer_norm_numpy(*exact(x[:rows], weight, bias if kind == "bias" else None), 1e-5)
    return Job(
        lambda p: layer_norm(p, step, at, norm, shift, out, rows + 1, last),
        {out: past(expected[-1:] if last else expected, rows + 1)},
    )


def short_conv_case(b: Bench, kind: str, shape: tuple[int, int], position: int, length: int) -> Job:
    rows, width = shape
    x, taps = b.normal(rows + 1, 3 * width), b.normal(width, length)
    before = b.normal(position, width)
    made, kept = short_conv_numpy(*exact(x[:rows], taps, before))
    state, out, step = b.poison(position + rows + 1, width), b.poison(rows + 1, width), b.step(position, rows)
    if position:
        b.device.write(state, before)
    at, filters = b.up(x), Taps(b.up(taps), width, length)
    return Job(
        lambda p: short_conv(p, step, at, filters, state, out, rows + 1),
        {state: past(kept, position + rows + 1), out: past(made, rows + 1)},
    )


def gated_case(b: Bench, kind: Any, shape: tuple[int, int]) -> Job:
    rows, width = shape
    x = b.normal(rows + 1, 2 * width)
    x[0, :2] *= 200
    out, step, at = b.poison(rows + 1, width), b.step(5, rows), b.up(x)
    expected = gated_numpy(*exact(x[:rows]), kind)
    return Job(lambda p: gated(p, step, at, out, width, kind, rows + 1), {out: past(expected, rows + 1)})


def get_rows_case(b: Bench, kind: str, shape: tuple[int, int], count: int) -> Job:
    weights, dequantized = matrix(b, kind, shape, cuts=(16,))
    first = 3
    tokens = b.random.integers(0, shape[0], first + count + 2).astype(np.uint32)
    tokens[first : first + 3] = 0, 16, shape[0] - 1  # both sides of the cut
    out, step, at = b.poison(count + 1, shape[1]), b.step(first, count), b.up(tokens)
    expected = get_rows_numpy(dequantized, tokens[first : first + count], 1.5)
    return Job(
        lambda p: get_rows(p, step, at, weights, out, count + 1, 1.5),
        {out: past(expected, count + 1)},
        nbytes=count * shape[1] * 4,
    )


def add_positions_case(b: Bench, kind: str, shape: tuple[int, int], count: int) -> Job:
    weights, dequantized = matrix(b, kind, shape, cuts=(16,))
    first = 13
    before = b.normal(count, shape[1])
    out, step = b.poison(count + 1, shape[1]), b.step(first, count)
    b.device.write(out, before)
    expected = before + dequantized[first : first + count].astype(np.float64)
    return Job(
        lambda p: get_rows(p, step, None, weights, out, count + 1, accumulate=True), {out: past(expected, count + 1)}
    )


def dequantize_case(b: Bench, kind: str, shape: tuple[int, int]) -> Job:
    weights, dequantized = matrix(b, kind, shape)
    out = b.poison(*shape)
    return Job(lambda p: dequantize(p, weights, out), {out: dequantized})


def linear_case(b: Bench, kind: str, shape: tuple[int, int], count: int, max_count: int) -> Job:
    rows, columns = shape
    weights, dequantized = matrix(b, kind, shape)
    x = b.normal(max_count, columns)
    out, step, at = b.poison(max_count, rows), b.step(11, count), b.up(x)
    expected = linear_numpy(*exact(x[:count], dequantized))
    return Job(
        lambda p: linear(p, step, at, weights, out, max_count),
        {out: past(expected, max_count)},
        flops=2 * count * rows * columns,
    )


def linear_integers_case(b: Bench, kind: str, shape: tuple[int, int], rounded: bool) -> Job:
    """The product of bytes. Unless x is to be rounded, it consists of whole numbers of which bytes lose nothing."""
    rows, columns = shape
    weights, dequantized = matrix(b, kind, shape)
    x = b.normal(1, columns)
    if not rounded:
        x = b.random.integers(-127, 128, (1, columns)).astype(np.float32)
        x[:, ::4] = np.copysign(127, x[:, ::4])  # the largest magnitude of whatever is rounded together
    out, step, at = b.poison(2, rows), b.step(11, 1), b.up(x)
    expected = linear_numpy(*exact(x, dequantized))
    return Job(
        lambda p: linear(p, step, at, weights, out, 1, integers=True),
        {out: past(expected, 2)},
        flops=2 * rows * columns,
    )


def linear_experts_case(
    b: Bench, kind: str, shape: tuple[int, int], shared: bool, bias: bool, cuts: bool, count: int = 2
) -> Job:
    """Two tokens have the vector form. More have the tiled one; the first expert has many then, the fourth none."""
    (rows, columns), experts, slots = shape, 5, 3
    cut = (rows + rows // 2,) if cuts else ()  # within an expert
    weights, dequantized = matrix(b, kind, (experts * rows, columns), cut)
    x = b.normal(count + 1, 1 if shared else slots, columns)
    ids = np.array([[4, 0, 1], [2, 1, 3], [0, 0, 0]], np.uint32)
    if count > 2:
        ids = b.random.choice(np.array([0, 1, 2, 4], np.uint32), (count + 1, slots), p=(0.5, 0.2, 0.2, 0.1))
    biases = b.normal(experts, rows) if bias else None
    first, width = 3, rows + 7
    expected = np.full((count + 1, slots, width), np.nan)
    parts = exact(x[:count], dequantized.reshape(experts, rows, columns))
    expected[:count, :, first : first + rows] = linear_experts_numpy(*parts, ids[:count], *exact(biases))
    out, step, at = b.poison(count + 1, slots, width), b.step(11, count), b.up(x)
    extra = None if biases is None else b.up(biases)
    chosen: Buffer | Groups = b.up(ids)
    if count > 2:
        size, tiles = group_size(experts, (count + 1) * slots)
        arrays = group_experts_numpy(ids[:count].ravel(), experts, size, tiles)
        chosen = Groups(*(b.up(array.astype(np.uint32)) for array in arrays), size, tiles)
    of = Experts(experts, slots, shared, extra, first, width)
    return Job(
        lambda p: linear_experts(p, step, at, weights, chosen, out, of, count + 1),
        {out: expected},
        flops=2 * count * slots * rows * columns,
    )


def group_experts_case(b: Bench, kind: str, shape: tuple[int, int, int]) -> Job:
    """kind: "even", or "one" expert that has all."""
    count, slots, experts = shape
    size, tiles = group_size(experts, (count + 1) * slots)
    ids = b.random.integers(0, experts if kind == "even" else 1, (count + 1, slots)).astype(np.uint32)
    groups = Groups(b.poison(tiles, 3, dtype=np.uint32), b.poison((count + 1) * slots, dtype=np.uint32), size, tiles)
    step, at = b.step(4, count), b.up(ids)
    in_tiles, order = group_experts_numpy(ids[:count].ravel(), experts, size, tiles)
    return Job(
        lambda p: group_experts(p, step, at, groups, experts, slots),
        {groups.tiles: in_tiles, groups.order: past(order, (count + 1) * slots)},
    )


def matrix(b: Bench, kind: str, shape: tuple[int, int], cuts: tuple[int, ...] = ()) -> tuple[Matrix, Any]:
    """A quantized matrix, cut into parts before the rows `cuts`, and what it dequantizes to. A tall one that is not
    cut is a short one repeated: quantizing takes long."""
    rows, columns = shape
    made = rows if cuts else min(rows, 128)
    short, dequantized = b.matrix(b.random.standard_normal((made, columns), np.float32), TYPE_OF[kind], cuts)
    if made == rows:
        return short, dequantized
    (part,) = short
    bytes_of = b.array(part.buffer, part.buffer.nbytes, dtype=np.uint8)
    if rows % 128:
        raise WgmlError("a tall matrix has a multiple of 128 rows")
    tall = Part(b.up(np.tile(bytes_of, rows // 128)), part.type, 0, rows)
    return Matrix((tall,), columns), np.tile(dequantized, (rows // 128, 1))


TYPE_OF = {type.name: type for type in TYPES}
BYTES = [type.name for type in TYPES if type in BYTE_TYPES]


FILL = 2**-7  # what a cache holds beforehand: small, so that the norm of the error is that of what is written


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
    step, at = b.step(first, count), b.up(qkv)
    append = Append(b.up(rotations), rotary_dim, pairing, KvCache(*caches, Heads(heads, kv_heads, head_dim), bits))
    return Job(
        lambda p: rope_append(p, step, at, q, append, max_count=count + 1),
        {q: past(turned[:, :heads], count + 1), **dict(zip(caches, kept, strict=True))},
    )


def linear_append_case(b: Bench, kind: Any, shape: tuple[int, int, int], type: str, bias: bool, bits: Bits) -> Job:
    """The product of one token, as `linear` and `rope_append` make it one after the other."""
    heads, kv_heads, head_dim = shape
    position, rotary_dim, pairing = 37, int(kind.partition("/")[2]), kind.partition("/")[0]
    columns, width = 256, (heads + 2 * kv_heads) * head_dim
    weights, dequantized = matrix(b, type, (width, columns), cuts=(heads * head_dim,))
    x, extra, scale = b.normal(1, columns), b.normal(width), b.normal(columns)
    rotations = rotations_numpy(0, position + 2, rotary_dim, 10000.0)
    normed = rms_norm_numpy(*exact(x, scale), 1e-5)
    qkv = linear_numpy(normed, *exact(dequantized, extra if bias else None)).reshape(1, heads + 2 * kv_heads, head_dim)
    turned = rope_numpy(qkv[:, : heads + kv_heads], rotations[position : position + 1], pairing)
    dtype = np.float16 if bits == 16 else np.float32
    q, held = b.poison(heads, head_dim), np.full((position + 2, kv_heads, head_dim), FILL, dtype)
    caches, kept = [b.held(held) for _ in "kv"], [held.astype(np.float64) for _ in "kv"]
    kept[0][position], kept[1][position] = turned[0, heads:], qkv[0, heads + kv_heads :]
    append = Append(b.up(rotations), rotary_dim, pairing, KvCache(*caches, Heads(heads, kv_heads, head_dim), bits))
    step, at, shift = b.step(position, 1), b.up(x), b.up(extra) if bias else None
    fusion = Fusion(shift, norm=Norm(b.up(scale), columns, 1e-5), append=append)
    return Job(
        lambda p: linear(p, step, at, weights, q, 1, fusion),
        {q: turned[0, :heads], **dict(zip(caches, kept, strict=True))},
    )


def rope_case(b: Bench, kind: Any, shape: tuple[int, int, int], layout: str) -> Job:
    count, heads, head_dim = shape
    first, rotary_dim, pairing = 11, int(kind.partition("/")[2]), kind.partition("/")[0]
    view, x = strided(b, (count + 1, heads, head_dim), layout)
    rotations = rotations_numpy(0, first + count, rotary_dim, 10000.0)
    turned = rope_numpy(*exact(x[:count]), rotations[first:], pairing)
    out, expected = strided_output(b, past(turned, count + 1), layout)
    step, at = b.step(first, count), b.up(rotations)
    return Job(lambda p: rope(p, step, view, at, out, rotary_dim, pairing), expected, flops=3 * x.size)


KINDS: dict[str, Bits] = {"f32": 32, "f16": 16, "q8": 8}


def unpacked(cache: Any, bits: Bits) -> Any:
    """The numbers that a cache holds: with 8 bits, those of its blocks of a float32 and 32 multiples of its 127th."""
    if bits > 8:
        return cache.astype(np.float32)
    blocks = cache.reshape(*cache.shape[:-1], -1, 9)
    scale, steps = blocks[..., :1].view(np.float32), blocks[..., 1:].copy().view(np.int8)
    return (scale.astype(np.float64) * steps / 127).reshape(*cache.shape[:-1], -1)


def attention_case(
    b: Bench,
    kind: str,
    shape: tuple[int, int, int],
    position: int,
    count: int,
    window: int | None = None,
    soft_cap: float | None = None,
    sinks: bool = False,
    splits: int = 1,
) -> Job:
    heads, kv_heads, head_dim = shape
    length, bits = position + count, KINDS[kind]
    q = b.normal(count + 1, heads, head_dim)
    k, v = (b.normal(length + 9, kv_heads, head_dim) for _ in "kv")
    k[length:], v[length:] = np.nan, np.nan
    k[0] *= 4  # a peaked softmax as well as flat ones
    packed = [cache_numpy(x, bits) for x in (k, v)]
    k, v = (unpacked(x, bits) for x in packed)
    out, step, at = b.poison(count + 1, heads, head_dim), b.step(position, count), b.up(q)
    cache = KvCache(b.up(packed[0]), b.up(packed[1]), Heads(heads, kv_heads, head_dim), bits)
    sink = b.normal(heads) if sinks else None
    scores = Scores(head_dim**-0.5, window, soft_cap, None if sink is None else b.up(sink))
    parts = b.up(np.full((count + 1, heads, splits, head_dim + 2), np.nan, np.float32)) if splits > 1 else out
    *arrays, sink = exact(q[:count], k[:length], v[:length], sink)
    expected = attention_numpy(*arrays, position, Scores(scores.scale, window, soft_cap, sink))

    def record(p: Program) -> None:
        attention(p, step, at, cache, parts, scores, count + 1, splits)
        if splits > 1:
            attention_merge(p, step, parts, Parts(cache.heads, splits), out, count + 1)

    return Job(
        record,
        {out: past(expected, count + 1)},
        flops=4 * sum(position + 1 + t for t in range(count)) * heads * head_dim,
    )


def attention_parts_of(b: Bench, count: int, splits: int, heads: int, head_dim: int) -> tuple[Buffer, Any]:
    """What attention leaves in parts, some of which saw no position; and what they make together."""
    values, highest = b.normal(count, splits, heads, head_dim), b.normal(count, heads, splits)
    totals = b.random.uniform(1, 9, (count, heads, splits)).astype(np.float32)
    values[:, 1], highest[..., 1], totals[..., 1] = 0, np.finfo(np.float32).min, 0
    states = np.stack([highest, totals], axis=-1)
    merged = attention_merge_numpy(*exact(values, states))
    return b.up(np.concatenate([values.ravel(), states.ravel()])), merged


def attention_merge_case(b: Bench, kind: str, shape: tuple[int, int, int], splits: int) -> Job:
    count, heads, head_dim = shape
    parts, merged = attention_parts_of(b, count, splits, heads, head_dim)
    out, step = b.poison(count + 1, heads, head_dim), b.step(5, count)
    return Job(
        lambda p: attention_merge(p, step, parts, Parts(Heads(heads, heads, head_dim), splits), out, count + 1),
        {out: past(merged, count + 1)},
    )


def linear_parts_case(b: Bench, kind: str, heads: int, head_dim: int, splits: int, integers: bool) -> Job:
    """The product of one token that puts the parts of attention together itself."""
    weights, dequantized = matrix(b, kind, (37, heads * head_dim))
    parts, merged = attention_parts_of(b, 1, splits, heads, head_dim)
    before = b.normal(1, 37)
    out, step = b.held(before), b.step(5, 1)
    fusion = Fusion(accumulate=True, parts=Parts(Heads(heads, heads, head_dim), splits))
    return Job(
        lambda p: linear(p, step, parts, weights, out, 1, fusion, integers),
        {out: before + linear_numpy(merged.reshape(1, -1), *exact(dequantized))},
    )


def strided(b: Bench, shape: tuple[int, ...], layout: str) -> tuple[View, Any]:
    """An input view, and what it holds.

    layout: "plain", "swapped" (last two dimensions), "every other" (element of a longer row, with NaN between).
    """
    if layout == "swapped":
        view, array = strided(b, (*shape[:-2], shape[-1], shape[-2]), "plain")
        return view.T, np.swapaxes(array, -1, -2)
    if layout == "every other":
        array = b.normal(*shape[:-1], 2 * shape[-1] + 1)
        array[..., ::2] = np.nan
        return View.of(b.up(array), *array.shape)[..., 1::2], array[..., 1::2]
    array = b.normal(*shape)
    return View.of(b.up(array), *shape), array


def strided_output(b: Bench, expected: Any, layout: str) -> tuple[View, dict[Buffer, Any]]:
    """An output view of poison, and what its buffer must hold when the view holds `expected`."""
    if layout == "swapped":
        view, held = strided_output(b, np.swapaxes(expected, -1, -2), "plain")
        return view.T, held
    shape = expected.shape
    if layout == "every other":
        out = b.poison(*shape[:-1], 2 * shape[-1] + 1)
        whole = np.full((*shape[:-1], 2 * shape[-1] + 1), np.nan)
        whole[..., 1::2] = expected
        return View.of(out, *whole.shape)[..., 1::2], {out: whole}
    out = b.poison(*shape)
    return View.of(out, *shape), {out: expected}


def unary_case(b: Bench, kind: Any, shape: tuple[int, ...], layout: tuple[str, str]) -> Job:
    x, array = strided(b, shape, layout[0])
    a, c = {"elu": (1.3, 0.0), "leaky_relu": (0.1, 0.0), "clamp": (-0.5, 0.7)}.get(kind, (-1.7, 0.0))
    if kind in ("sqrt", "log"):
        array = np.abs(array) + np.float32(1e-3)
        b.device.write(x.buffer, array)
    out, expected = strided_output(b, unary_numpy(*exact(array), kind, a, c), layout[1])
    return Job(lambda p: unary(p, kind, x, out, a, c), expected, flops=x.size)


def binary_case(b: Bench, kind: Any, shapes: tuple[tuple[int, ...], ...], layout: str) -> Job:
    (left, x), (right, y) = (strided(b, shape, layout) for shape in shapes)
    if kind == "div":
        y = np.copysign(np.abs(y) + np.float32(0.1), y)
        right = View.of(b.up(y), *y.shape)
    result = binary_numpy(kind, *exact(x, y))
    out, expected = strided_output(b, result, layout)
    return Job(lambda p: binary(p, kind, left, right, out), expected, flops=result.size)


def assign_case(b: Bench, kind: Any, shapes: tuple[tuple[int, ...], ...]) -> Job:
    x, y = b.normal(*shapes[0]), np.abs(b.normal(*shapes[1])) + np.float32(0.1)
    target, source = b.held(x), View.of(b.up(y), *y.shape)
    expected = assign_numpy(kind, *exact(x, y))
    return Job(lambda p: assign(p, kind, View.of(target, *x.shape), source), {target: expected}, flops=x.size)


def reduce_case(b: Bench, kind: Any, shape: tuple[int, ...], layout: str) -> Job:
    (view, x), (other, y) = (strided(b, shape, layout) for _ in "xy")
    if kind == "product":  # of numbers about 1, lest it leave the range
        x = 1 + b.random.standard_normal(shape, np.float32) * np.float32(0.1)
        view = View.of(b.up(x), *shape)
    second = (other, y) if kind == "dot" else (None, None)
    out, expected = strided_output(b, reduce_numpy(kind, *exact(x, second[1])), "plain")
    return Job(lambda p: reduce(p, kind, view, out, second[0]), expected, flops=x.size)


def softmax_case(b: Bench, kind: str, shape: tuple[int, ...], layout: str) -> Job:
    view, x = strided(b, shape, layout)
    out, expected = strided_output(b, softmax_numpy(*exact(x)), layout)
    return Job(lambda p: softmax(p, view, out), expected, flops=3 * x.size)


def argmax_case(b: Bench, kind: str, shape: tuple[int, ...], layout: str, splits: int = 1) -> Job:
    view, x = strided(b, shape, layout)
    ids = b.poison(*shape[:-1], dtype=np.uint32)
    parts = b.poison(top_k_parts(x.size // shape[-1], 1, splits) // 4)
    return Job(lambda p: argmax(p, view, View.of(ids, *shape[:-1]), splits, parts), {ids: argmax_numpy(x)})


def top_k_case(
    b: Bench, kind: str, shape: tuple[int, ...], layout: str, k: int, levels: int = 0, splits: int = 1
) -> Job:
    view, x = strided(b, shape, layout)
    if levels:  # few different numbers: many are equal
        x = b.random.integers(-levels, levels, shape).astype(np.float32)
        view = View.of(b.up(x), *shape)
    ids, values = b.poison(*shape[:-1], k, dtype=np.uint32), b.poison(*shape[:-1], k)
    parts = b.poison(top_k_parts(x.size // shape[-1], k, splits) // 4)
    outputs = [View.of(out, *shape[:-1], k) for out in (ids, values)]
    return Job(
        lambda p: top_k(p, view, *outputs, splits, parts), dict(zip((ids, values), top_k_numpy(x, k), strict=True))
    )


def route_case(b: Bench, kind: Any, shape: tuple[int, int], k: int, normalise: bool, bias: bool, factor: float) -> Job:
    count, experts = shape
    logits = b.normal(count + 1, experts)
    favour = b.random.standard_normal(experts, np.float32) if bias else None
    ids, weights = b.poison(count + 1, k, dtype=np.uint32), b.poison(count + 1, k)
    step, at, shift = b.step(4, count), b.up(logits), b.up(favour) if bias else None
    routing = Routing(experts, k, kind, normalise, factor)
    chosen, shares = route_numpy(*exact(logits[:count]), routing, *exact(favour))
    return Job(
        lambda p: route(p, step, at, ids, weights, routing, count + 1, shift),
        {ids: past(chosen, count + 1), weights: past(shares, count + 1)},
    )


def cumulative_sum_case(b: Bench, kind: str, shape: tuple[int, ...], layout: str) -> Job:
    view, x = strided(b, shape, layout)
    out, expected = strided_output(b, cumulative_sum_numpy(*exact(x)), layout)
    return Job(lambda p: cumulative_sum(p, view, out), expected, flops=x.size)


def gemm_case(b: Bench, kind: str, shape: tuple[int, ...], layout: str, accumulate: bool = False) -> Job:
    *batch, m, k, n = shape
    (left, x), (right, y) = strided(b, (*batch, m, k), layout), strided(b, (k, n), layout)
    product = gemm_numpy(*exact(x, y))
    if accumulate:
        before = b.normal(*product.shape)
        held = b.held(before)
        out, expected = View.of(held, *product.shape), {held: product + before}
    else:
        out, expected = strided_output(b, product, layout)
    return Job(lambda p: gemm(p, left, right, out, accumulate), expected, flops=2 * product.size * k)


def gemv_case(b: Bench, kind: str, shape: tuple[int, ...], layout: str, accumulate: bool = False) -> Job:
    *batch, m, k = shape
    (left, x), right = strided(b, (*batch, m, k), layout), b.normal(k)
    product = gemv_numpy(*exact(x, right))
    vector = View.of(b.up(right), k)
    before = b.normal(*product.shape)
    held = b.held(before) if accumulate else b.poison(*product.shape)
    expected = product + before if accumulate else product
    out = View.of(held, *product.shape)
    return Job(lambda p: gemv(p, left, vector, out, accumulate), {held: expected}, flops=2 * product.size * k)


def sample_case(b: Bench, kind: str, vocabulary: int) -> Job:
    """The picked token, and no other, is written to the sequence; the step moves on to it."""
    sampling, first, count = SAMPLINGS[kind], 30, 2
    logits = (4 * b.normal(vocabulary)).astype(np.float32)
    tokens = b.random.integers(0, vocabulary, first + count + 2).astype(np.uint32)
    tokens[first] = np.argmax(logits)
    after = tokens.copy()
    after[first + count] = sample_numpy(logits, tokens[: first + count], sampling)
    history, step = b.held(tokens), b.held(np.frombuffer(step_block(first, count), np.uint32)[:2])
    at = b.up(np.frombuffer(sampling.block(), np.uint32)), b.up(logits)
    moved = np.array([first + count, 1])
    return Job(lambda p: sample(p, step, *at, history, vocabulary), {history: after, step: moved})


SAMPLINGS = {
    "greedy": Sampling(repetition_penalty=1.5, penalty_window=8),
    "top-k": Sampling(temperature=1.0, top_k=5, seed=3),
    "top-p": Sampling(temperature=1.0, top_p=0.7, seed=4),
    "min-p": Sampling(temperature=1.5, min_p=0.2, seed=5),
}


# ---- The table: recipe, kinds, bound of the error, options (each choice of each). ----

ALL = ("normal", "zeros", "denormal", "large")
JUMPS = ("sgn", "step")  # not of denormal numbers, which a GPU may take for zeros
NOT_DENORMAL = ("normal", "zeros", "large")
SMOOTH = [function for function in get_args(Function) if function not in JUMPS]
LAYOUTS = ("plain", "swapped", "every other")
SMALL = ALL[:3]  # for what is kept in half precision, which ends at 65504

TABLE = [
    *cases(rms_norm_case, ["f32"], 1e-6, ALL, shape=[(5, 127), (3, 1), (2, 64), (2, 4096)], last=[False, True]),
    *cases(rms_norm_case, ["added"], 1e-6, ALL, shape=[(5, 127), (2, 64)]),
    *cases(qk_norm_case, ["heads", "whole", "bare"], 1e-6, ALL, shape=[(4, 2, 64), (3, 1, 6), (1, 1, 256)]),
    *cases(layer_norm_case, ["bias", "no bias"], 2e-6, ALL, shape=[(5, 127), (2, 64), (2, 4096)], last=[False, True]),
    *cases(unary_case, SMOOTH, 5e-7, ALL, shape=[(1000,)], layout=[("plain", "plain")]),
    *cases(unary_case, JUMPS, 0, NOT_DENORMAL, shape=[(1000,)], layout=[("plain", "plain")]),
    *cases(unary_case, ["silu"], 5e-7, ALL[:1], shape=[(3, 5, 7, 2)], layout=itertools.product(LAYOUTS, LAYOUTS)),
    *cases(gated_case, get_args(Activation), 2e-6, ALL, shape=[(3, 130), (2, 1), (1, 64)]),
    *cases(
        binary_case,
        get_args(Operation),
        2e-7,
        ALL,
        shapes=[((257,), (257,)), ((2, 3, 5, 7), (5, 7)), ((2, 1, 4), (3, 1))],
        layout=["plain"],
    ),
    *cases(binary_case, ["add"], 2e-7, ["normal"], shapes=[((3, 4, 6), (4, 6)), ((5, 1), (1, 7))], layout=LAYOUTS[1:]),
    *cases(assign_case, get_args(Assignment), 2e-7, ALL, shapes=[((4, 33), (33,)), ((2, 3, 4, 5), (3, 1, 5))]),
    *cases(
        reduce_case, get_args(Reduction), 2e-6, ALL, shape=[(3, 1000), (7,), (2, 3, 4, 129), (1, 1)], layout=["plain"]
    ),
    *cases(reduce_case, ["sum", "dot"], 2e-6, ["normal"], shape=[(2, 5, 130)], layout=LAYOUTS[1:]),
    *cases(softmax_case, ["f32"], 1e-6, ALL, shape=[(3, 1000), (5, 1), (2, 3, 4, 33)], layout=LAYOUTS),
    *cases(argmax_case, ["f32"], 0, NOT_DENORMAL, shape=[(3, 1000), (5, 1), (2, 3, 4, 33)], layout=LAYOUTS),
    *cases(argmax_case, ["f32"], 0, NOT_DENORMAL, shape=[(2, 700), (3, 5)], layout=["plain"], splits=[3, 64]),
    *cases(top_k_case, ["f32"], 0, NOT_DENORMAL, shape=[(3, 1000), (2, 3, 5, 9)], layout=LAYOUTS, k=[8], levels=[0, 3]),
    *cases(top_k_case, ["f32"], 0, NOT_DENORMAL, shape=[(2, 1111)], layout=["plain"], k=[1, 100, 1024], levels=[0, 2]),
    *cases(top_k_case, ["f32"], 0, NOT_DENORMAL, shape=[(2, 700)], layout=["plain"], k=[40], levels=[0, 2], splits=[7]),
    *cases(
        route_case,
        get_args(Gating),
        1e-6,
        ["normal", "zeros"],
        shape=[(3, 128), (2, 8)],
        k=[4, 8],
        normalise=[True, False],
        bias=[False, True],
        factor=[2.5],
    ),
    *cases(
        route_case, ["softmax"], 1e-6, ["large"], shape=[(3, 128)], k=[4], normalise=[True], bias=[False], factor=[1.0]
    ),
    *cases(sample_case, SAMPLINGS, 0, ["normal"], vocabulary=[1000]),
    *cases(cumulative_sum_case, ["f32"], 1e-6, ALL, shape=[(3, 1000), (5, 1), (2, 3, 4, 33)], layout=LAYOUTS),
    *cases(gemm_case, ["f32"], 1e-6, ALL, shape=[(65, 33, 70), (1, 1, 1), (2, 3, 5, 17, 9)], layout=LAYOUTS),
    *cases(gemm_case, ["f32"], 1e-6, ["normal"], shape=[(20, 30, 10)], layout=["plain"], accumulate=[True]),
    *cases(gemv_case, ["f32"], 1e-6, ALL, shape=[(65, 133), (1, 1), (2, 3, 5, 17)], layout=LAYOUTS),
    *cases(gemv_case, ["f32"], 1e-6, ["normal"], shape=[(20, 30)], layout=["plain"], accumulate=[True]),
    *cases(add_positions_case, ["F32", "F16"], 2e-6, ["normal"], shape=[(37, 512), (37, 13)], count=[5]),
    *cases(get_rows_case, TYPE_OF, 2e-6, ["normal"], shape=[(37, 512)], count=[5]),
    *cases(
        linear_experts_case,
        ["F32", "Q4_K", "MXFP4", "IQ2_S"],
        2e-6,
        ["normal"],
        shape=[(20, 512)],
        shared=[True, False],
        bias=[False, True],
        cuts=[False, True],
    ),
    *cases(
        linear_experts_case,
        [kind for kind in TYPE_OF if kind not in ("F32", "Q4_K", "MXFP4", "IQ2_S")],
        2e-6,
        ["normal"],
        shape=[(20, 256)],
        shared=[True],
        bias=[False],
        cuts=[False],
    ),
    *cases(linear_experts_case, ["F16"], 2e-6, ["normal"], shape=[(5, 77)], shared=[True], bias=[True], cuts=[True]),
    *cases(
        linear_experts_case,
        ["F32", "Q4_0", "Q8_0", "Q4_K", "Q6_K", "MXFP4", "IQ2_S"],
        2e-6,
        ["normal"],
        shape=[(90, 256)],
        shared=[True, False],
        bias=[True],
        cuts=[True],
        count=[30],
    ),
    *cases(
        linear_experts_case,
        ["F16", "BF16"],
        2e-6,
        ["normal"],
        shape=[(70, 77)],
        shared=[False],
        bias=[False],
        cuts=[True],
        count=[5, 100],
    ),
    *cases(group_experts_case, ["even", "one"], 0, ["normal"], shape=[(3, 2, 6), (70, 4, 5), (33, 8, 300)]),
    *cases(short_conv_case, ["f32"], 3e-7, SMALL, shape=[(1, 70), (5, 64)], position=[0, 1, 9], length=[3, 4]),
    *cases(dequantize_case, TYPE_OF, 2e-7, ["normal"], shape=[(33, 256)]),
    *cases(linear_case, TYPE_OF, 2e-6, ["normal"], shape=[(67, 768)], count=[1], max_count=[1]),
    *cases(linear_case, TYPE_OF, 2e-6, ["normal"], shape=[(67, 768)], count=[5], max_count=[16]),
    *cases(linear_integers_case, BYTES, 2e-6, ["normal"], shape=[(67, 768), (5, 2304)], rounded=[False]),
    *cases(linear_integers_case, BYTES, 8e-3, ["normal"], shape=[(67, 768)], rounded=[True]),
    *cases(linear_integers_case, ["F16", "IQ4_NL"], 2e-6, ["normal"], shape=[(67, 768)], rounded=[True]),  # not rounded
    # So many rows that an invocation has two; more columns than a stage has.
    *cases(linear_case, ["Q4_0", "Q6_K", "IQ2_S"], 2e-6, ["normal"], shape=[(4096, 2304)], count=[1], max_count=[1]),
    *cases(
        rope_append_case,
        ["norm/20", "neox/20", "norm/8", "neox/8"],
        3e-4,
        SMALL,
        shape=[(3, 5, 2, 20), (1, 1, 1, 64)],
        bits=[16],
    ),
    *cases(rope_append_case, ["norm/12", "neox/12"], 3e-7, ALL, shape=[(3, 5, 2, 12), (1, 4, 4, 16)], bits=[32]),
    *cases(
        linear_append_case,
        ["norm/20", "neox/20", "norm/8", "neox/8"],
        4e-4,
        ["normal"],
        shape=[(3, 1, 20)],
        type=["Q4_1", "Q6_K"],
        bias=[True],
        bits=[16],
    ),
    *cases(
        linear_append_case,
        ["norm/16", "neox/16"],
        4e-6,
        ["normal"],
        shape=[(4, 2, 16)],
        type=["IQ2_S", "F16"],
        bias=[False],
        bits=[32],
    ),
    *cases(
        rope_case,
        ["norm/20", "neox/20", "norm/8", "neox/8"],
        3e-7,
        ALL,
        shape=[(3, 5, 20), (1, 1, 130)],
        layout=["plain", "every other"],
    ),
    *cases(attention_case, ["f16", "f32"], 2e-6, SMALL, shape=[(9, 3, 64), (4, 4, 16)], position=[0, 200], count=[3]),
    *cases(attention_merge_case, ["f32"], 1e-6, ["normal"], shape=[(2, 3, 10), (1, 2, 300)], splits=[2, 8]),
    *cases(
        linear_parts_case,
        ["Q4_1", "Q6_K", "IQ2_S", "F16"],
        4e-6,
        ["normal"],
        heads=[6],
        head_dim=[128],
        splits=[2, 8],
        integers=[False],
    ),
    *cases(linear_parts_case, ["Q8_0"], 8e-3, ["normal"], heads=[7], head_dim=[64], splits=[8], integers=[False, True]),
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
]

LARGE = [
    *cases(unary_case, ["gelu"], 1e-6, ("normal",), shape=[(1 << 22,)], layout=[("plain", "plain")]),
    *cases(binary_case, ["add"], 1e-6, ("normal",), shapes=[((1 << 22,), (1 << 22,))], layout=["plain"]),
    *cases(reduce_case, ["sum"], 1e-5, ("normal",), shape=[(1024, 4096)], layout=["plain"]),
    *cases(softmax_case, ["f32"], 1e-5, ("normal",), shape=[(1024, 4096)], layout=["plain"]),
    *cases(argmax_case, ["f32"], 0, ("normal",), shape=[(1, 151936)], layout=["plain"], splits=[1, 64]),
    *cases(top_k_case, ["f32"], 0, ("normal",), shape=[(1, 151936)], layout=["plain"], k=[64], splits=[1, 64]),
    *cases(cumulative_sum_case, ["f32"], 1e-5, ("normal",), shape=[(1024, 4096)], layout=["plain"]),
    *cases(gemm_case, ["f32"], 1e-5, ("normal",), shape=[(1024, 1024, 1024)], layout=["plain", "swapped"]),
    *cases(gemv_case, ["f32"], 1e-5, ("normal",), shape=[(4096, 4096)], layout=["plain", "swapped"]),
    *cases(rms_norm_case, ["f32"], 1e-6, ("normal",), shape=[(512, 4096)]),
    *cases(gated_case, ["silu"], 2e-6, ("normal",), shape=[(512, 8192)]),
    *cases(linear_case, TYPE_OF, 5e-6, ("normal",), shape=[(4096, 4096)], count=[1], max_count=[1]),
    *cases(linear_case, ["F32"], 5e-6, ("normal",), shape=[(7168, 4096)], count=[1], max_count=[1]),
    *cases(
        linear_case,
        [type for type in TYPE_OF if type != "F32"],  # above the binding limit
        5e-6,
        ("normal",),
        shape=[(14336, 4096)],
        count=[1],
        max_count=[1],
    ),
    *cases(linear_integers_case, BYTES, 8e-3, ("normal",), shape=[(4096, 4096), (14336, 4096)], rounded=[True]),
    *cases(linear_case, TYPE_OF, 5e-6, ("normal",), shape=[(4096, 4096)], count=[512], max_count=[512]),
    *cases(
        linear_experts_case,
        ["Q4_K"],
        5e-6,
        ("normal",),
        shape=[(1024, 1024)],
        shared=[True],
        bias=[False],
        cuts=[False],
        count=[2, 16, 512],
    ),
    *cases(attention_case, ["f16"], 5e-6, ("normal",), shape=[(32, 8, 128)], position=[4095], count=[1]),
    *cases(attention_case, ["f16"], 5e-6, ("normal",), shape=[(32, 8, 128)], position=[0], count=[512]),
]

# ---- The command. ----


def missing(table: list[Case]) -> list[str]:
    """What a table lacks: ops of the package (what takes a Program), and tensor types of those that read matrices."""
    takes = {name: inspect.signature(op).parameters for name, op in vars(py_wgml.ops).items() if inspect.isfunction(op)}
    ops = {name for name, parameters in takes.items() if next(iter(parameters), None) == "program"}
    typed = {name for name in ops if "weights" in takes[name] and takes[name]["weights"].annotation is Matrix}
    rows = {(case.op, kind) for case in table for kind in (case.kind, "")}
    wanted = {(op, "") for op in ops} | {(op, type) for op in typed for type in TYPE_OF}
    return sorted(f"{op} {type}".strip() for op, type in wanted - rows)


def print_errors(table: list[Case]) -> bool:
    """The largest error of each op and kind in each variant; whether all are within their bounds."""
    rows: dict[tuple[str, str], list[Case]] = {}
    for case in table:
        rows.setdefault((case.op, case.kind), []).append(case)
    print(f"{'op':16} {'kind':12} {'cases':>5} {'bound':>8}" + "".join(f" {v:>15}" for v in VARIANTS))
    good = True
    for (op, kind), group in rows.items():
        line = f"{op:16} {kind:12} {len(group):5} {max(c.bound for c in group):8.0e}"
        for variant in VARIANTS:
            worst = 0.0
            verdict = ""
            for case in group:
                try:
                    error = case.error(device(variant))
                except (AssertionError, WgmlError) as failure:
                    print(f"{case.id} on {variant}: {failure}", file=sys.stderr)
                    error = float("inf")
                worst = max(worst, error)
                if not error <= case.bound:
                    verdict, good = "!", False
            line += f" {worst:14.1e}{verdict or ' '}"
        print(line, flush=True)
    return good


def print_speed(table: list[Case], milliseconds: float = 200) -> None:
    """How fast each case runs in each variant: GB/s of what it must move, and GFLOP/s; what a plain read reaches."""
    bandwidths = [asyncio.run(read_bandwidth(device(variant, timestamps=True))) * 1e-9 for variant in VARIANTS]
    print(f"{'a plain read':76}" + "".join(f" {'':8} {bandwidth:6.1f} {'':7}" for bandwidth in bandwidths))
    print(f"{'case':76}" + "".join(f" {v:>23}" for v in VARIANTS) + "  (ms, GB/s, GFLOP/s)")
    for case in table:
        line = f"{case.id:76}"
        for variant in VARIANTS:
            gpu = device(variant, timestamps=True)
            bench = case.bench(gpu)
            job = case.job(bench)
            program = gpu.program()
            job.record(program)
            asyncio.run(gpu.time(program, 1))  # the first run may compile
            seconds, began = asyncio.run(gpu.time(program, 1)), time.perf_counter()
            while True:  # until the GPU's clock has risen
                times = max(1, min(1000, int(milliseconds * 1e-3 / max(seconds, 1e-6))))
                seconds = asyncio.run(gpu.time(program, times))
                if time.perf_counter() - began > 2e-3 * milliseconds:
                    break
            nbytes = sum(buffer.nbytes for buffer in bench.buffers) if job.nbytes is None else job.nbytes
            bench.close()
            line += f" {seconds * 1e3:8.3f} {nbytes / seconds * 1e-9:6.1f} {job.flops / seconds * 1e-9:7.1f}"
        print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--perf", action="store_true", help="time the large cases instead")
    parser.add_argument("filter", nargs="*", help="parts of the ids of the cases wanted")
    arguments = parser.parse_args()
    table = LARGE if arguments.perf else TABLE
    wanted = [case for case in table if not arguments.filter or any(part in case.id for part in arguments.filter)]
    if not wanted:
        raise SystemExit("no case has such an id")
    if arguments.perf:
        print_speed(wanted)
        return
    good = print_errors(wanted)
    if lacking := missing(TABLE):
        print(f"not in the table: {', '.join(lacking)}", file=sys.stderr)
    if lacking or not good:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
