import asyncio
from typing import Any

import numpy as np
from ops.harness import Bench, Job, Mutation, Refusals, cases
from ops.recipes import FILL, TYPE_OF, attention_partials, exact, matrix, past

from py_wgml.gguf_model.weights import BYTE_TYPES, TYPES, Matrix
from py_wgml.ops import (
    Append,
    Bits,
    Columns,
    Fusion,
    Heads,
    KvCache,
    Norm,
    Partials,
    Products,
    Sum,
    gated_numpy,
    linear,
    linear_numpy,
    parts_bytes,
    rms_norm_numpy,
    rope_numpy,
    rotations_numpy,
    unary_numpy,
)
from py_wgml.ops.gated import Activation
from py_wgml.ops.unary import Function


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


def linear_bytes_case(b: Bench, kind: str, shape: tuple[int, int], rounded: bool, x_bytes: int, count: int = 1) -> Job:
    """The product of bytes. Unless x is to be rounded, it consists of whole numbers of which bytes lose nothing."""
    rows, columns = shape
    weights, dequantized = matrix(b, kind, shape)
    x = b.normal(count, columns)
    if not rounded:
        x = b.random.integers(-127, 128, (count, columns)).astype(np.float32)
        x[:, ::4] = np.copysign(127, x[:, ::4])  # the largest magnitude of whatever is rounded together
    out, step, at = b.poison(count + 1, rows), b.step(11, count), b.up(x)
    expected = linear_numpy(*exact(x, dequantized))
    return Job(
        lambda p: linear(p, step, at, weights, out, count, products=Products(x_bytes)),
        {out: past(expected, count + 1)},
        flops=2 * count * rows * columns,
    )


def linear_same_case(b: Bench, kind: str, shape: tuple[int, int], x_bytes: int) -> Job:
    """Products of few tokens, rounded as that of each alone is: what they are off from it is rounding of floats."""
    rows, columns = shape
    weights, _ = matrix(b, kind, shape)
    x, outs = b.normal(5, columns), []
    for token in x:
        out, step, at = b.device.buffer(4 * rows), b.step(11, 1), b.up(token)
        program = b.device.program()
        linear(program, step, at, weights, out, 1, products=Products(x_bytes))
        program.run()
        outs.append(asyncio.run(b.device.read_array(out, (rows,))))
    out, step, at = b.poison(5, rows), b.step(11, 5), b.up(x)
    return Job(lambda p: linear(p, step, at, weights, out, 5, products=Products(x_bytes)), {out: np.stack(outs)})


def linear_scaled_case(b: Bench, kind: str, shape: tuple[int, int], count: int, bias: bool, accumulate: bool) -> Job:
    """Rows whose products are multiplied by scales, in two stripes, before the bias is added."""
    rows, columns = shape
    weights, dequantized = matrix(b, kind, shape, cuts=(rows // 3,))
    x, before, scale = b.normal(count, columns), b.normal(count, rows), b.normal(rows)
    biases = b.normal(rows) if bias else None
    expected = linear_numpy(*exact(x, dequantized, biases, scale)) + (before if accumulate else 0)
    out, step, at = b.held(before) if accumulate else b.poison(count, rows), b.step(11, count), b.up(x)
    fusion = Fusion(None if biases is None else b.up(biases), b.up(scale), accumulate)
    return Job(lambda p: linear(p, step, at, weights, out, count, fusion), {out: expected})


def linear_shares_case(b: Bench, kind: str, shape: tuple[int, int], counts: tuple[int, int], ends: bool) -> Job:
    """Columns that are shared out among workgroups, in two stripes; ends: with all that can follow."""
    (rows, columns), (count, max_count) = shape, counts
    weights, dequantized = matrix(b, kind, shape, cuts=(rows // 3,))
    x, before, scale, bias = b.normal(max_count, columns), b.normal(count, rows), b.normal(rows), b.normal(rows)
    expected = linear_numpy(*exact(x[:count], dequantized), *(exact(bias, scale) if ends else ()))
    out, step, at = b.held(before) if ends else b.poison(count, rows), b.step(11, count), b.up(x)
    fusion = Fusion(b.up(bias), b.up(scale), accumulate=True) if ends else Fusion()
    parts = parts_bytes(b.device, weights, max_count)
    products = Products(parts=b.device.buffer(parts, "parts") if parts else None)
    return Job(
        lambda p: linear(p, step, at, weights, out, max_count, fusion, products),
        {out: expected + before if ends else expected},
    )


def linear_gate_case(b: Bench, kind: str, shape: tuple[int, int], activation: Activation) -> Job:
    """Gates and values, each multiplied by its scale."""
    weights, dequantized = matrix(b, kind, shape)
    x, scale = b.normal(1, shape[1]), b.normal(shape[0])
    expected = gated_numpy(linear_numpy(*exact(x, dequantized, None, scale)), activation)
    out, step, at = b.poison(2, shape[0] // 2), b.step(11, 1), b.up(x)
    fusion = Fusion(scale=b.up(scale), activation=activation)
    return Job(lambda p: linear(p, step, at, weights, out, 1, fusion), {out: past(expected, 2)})


def linear_function_case(b: Bench, kind: str, shape: tuple[int, int], bias: bool, function: Function) -> Job:
    """Of a product that is multiplied by its scale, and to which its bias is added."""
    weights, dequantized = matrix(b, kind, shape)
    x, scale, shift = b.normal(1, shape[1]), b.normal(shape[0]), b.normal(shape[0])
    biases = shift if bias else None
    expected = unary_numpy(linear_numpy(*exact(x, dequantized, biases, scale)), function)
    out, step, at = b.poison(2, shape[0]), b.step(11, 1), b.up(x)
    fusion = Fusion(None if biases is None else b.up(biases), b.up(scale), function=function)
    return Job(lambda p: linear(p, step, at, weights, out, 1, fusion), {out: past(expected, 2)})


def linear_append_case(
    b: Bench, kind: Any, shape: tuple[int, int, int], type: str, bias: bool, bits: Bits, scaled: bool = False
) -> Job:
    """The product of one token, as `linear` and `rope_append` make it one after the other."""
    heads, kv_heads, head_dim = shape
    position, rotary_dim, pairing = 37, int(kind.partition("/")[2]), kind.partition("/")[0]
    columns, width = 256, (heads + 2 * kv_heads) * head_dim
    weights, dequantized = matrix(b, type, (width, columns), cuts=(heads * head_dim,))
    x, extra, scale = b.normal(1, columns), b.normal(width), b.normal(columns)
    rotations = rotations_numpy(0, position + 2, rotary_dim, 10000.0)
    normed = rms_norm_numpy(*exact(x, scale), 1e-5)
    factors = b.random.uniform(0.5, 2, width).astype(np.float32) if scaled else None
    qkv = linear_numpy(normed, *exact(dequantized, extra if bias else None, factors))
    qkv = qkv.reshape(1, heads + 2 * kv_heads, head_dim)
    turned = rope_numpy(qkv[:, : heads + kv_heads], rotations[position : position + 1], pairing)
    dtype = np.float16 if bits == 16 else np.float32
    q, held = b.poison(heads, head_dim), np.full((position + 2, kv_heads, head_dim), FILL, dtype)
    caches, kept = [b.held(held) for _ in "kv"], [held.astype(np.float64) for _ in "kv"]
    kept[0][position], kept[1][position] = turned[0, heads:], qkv[0, heads + kv_heads :]
    cache = KvCache(caches[0], caches[1], Heads(heads, kv_heads, head_dim), bits)
    append = Append(b.up(rotations), rotary_dim, pairing, cache)
    step, at, shift = b.step(position, 1), b.up(x), b.up(extra) if bias else None
    fusion = Fusion(
        shift, None if factors is None else b.up(factors), norm=Norm(b.up(scale), columns, 1e-5), append=append
    )
    return Job(
        lambda p: linear(p, step, at, weights, q, 1, fusion),
        {q: turned[0, :heads], **dict(zip(caches, kept, strict=True))},
    )


def linear_sum_case(
    b: Bench, kind: str, shape: tuple[int, int], norm: bool, gate: str, times: bool = True, x_bytes: int = 0
) -> Job:
    """The product of one token that makes the sum itself that it multiplies. gate: of "pairs" of rows, or of each with
    a value that is "apart"."""
    rows, columns = shape
    times = times and not (norm and gate == "apart")  # there are no bindings for all of them
    weights, dequantized = matrix(b, kind, shape, cuts=() if gate == "pairs" else (32,))
    x, before, scale, second = b.normal(1, columns), b.normal(1, columns), b.normal(columns), b.normal(columns)
    others = b.normal(1, rows + 7)
    total = 0.75 * (before + rms_norm_numpy(*exact(x, scale), 1e-5)) * (3 if times else 1)
    expected = linear_numpy(rms_norm_numpy(total, *exact(second), 1e-6) if norm else total, *exact(dequantized))
    if gate == "pairs":
        expected = gated_numpy(expected, "gelu")
    elif gate == "apart":
        expected = gated_numpy(np.concatenate([expected, others[:, 5 : 5 + rows]], axis=1), "gelu")
    out, made, step, at = b.poison(2, expected.shape[1]), b.poison(2, columns), b.step(11, 1), b.up(x)
    how = Norm(b.up(scale), columns, 1e-5, factor=0.75, times=b.up(np.array([3], np.float32)) if times else None)
    fusion = Fusion(
        sum=Sum(how, b.up(before), made),
        norm=Norm(b.up(second), columns, 1e-6) if norm else None,
        activation="gelu" if gate else None,
        values=Columns(b.up(others), rows + 7, 5) if gate == "apart" else None,
    )
    return Job(
        lambda p: linear(p, step, at, weights, out, 1, fusion, Products(x_bytes)),
        {out: past(expected, 2), made: past(total, 2)},
    )


def linear_parts_case(b: Bench, kind: str, heads: int, head_dim: int, splits: int, x_bytes: int) -> Job:
    """The product of one token that puts the partials of attention together itself."""
    weights, dequantized = matrix(b, kind, (37, heads * head_dim))
    partials, merged = attention_partials(b, 1, splits, heads, head_dim)
    before = b.normal(1, 37)
    out, step = b.held(before), b.step(5, 1)
    fusion = Fusion(accumulate=True, partials=Partials(Heads(heads, heads, head_dim), splits))
    return Job(
        lambda p: linear(p, step, partials, weights, out, 1, fusion, Products(x_bytes)),
        {out: before + linear_numpy(merged.reshape(1, -1), *exact(dequantized))},
    )


BYTES = [type.name for type in TYPES if type in BYTE_TYPES]

# A type for each way to unpack; how each type itself is read, the products of one and of few tokens show.
WAYS = ["F32", "F16", "Q4_0", "Q4_1", "Q8_0", "Q6_K", "IQ4_XS", "IQ2_S", "IQ1_M", "NVFP4", "TQ1_0"]
BYTE_WAYS = [name for name in WAYS if name in BYTES]

TABLE = [
    *cases(
        linear_sum_case,
        ["Q8_0", "F32"],
        5e-6,
        ["normal"],
        shape=[(66, 768), (66, 2560)],
        norm=[False, True],
        gate=["", "pairs", "apart"],
    ),
    *cases(
        linear_sum_case, ["Q6_K", "IQ2_S"], 5e-6, ["normal"], shape=[(66, 768)], norm=[True], gate=[""], times=[False]
    ),
    *cases(linear_sum_case, ["Q4_K"], 1.5e-2, ["normal"], shape=[(66, 768)], norm=[True], gate=[""], x_bytes=[1]),
    *cases(linear_sum_case, ["Q4_K"], 1e-4, ["normal"], shape=[(66, 768)], norm=[True], gate=[""], x_bytes=[2]),
    *cases(linear_case, TYPE_OF, 2e-6, ["normal"], shape=[(67, 768)], count=[1], max_count=[1]),
    *cases(linear_case, TYPE_OF, 2e-6, ["normal"], shape=[(67, 768)], count=[5], max_count=[8]),
    *cases(linear_case, WAYS, 2e-6, ["normal"], shape=[(67, 768)], count=[21], max_count=[32]),
    # A few tokens in two parts; rows enough for two and four a group of lanes; a last stage that is shorter.
    *cases(
        linear_case,
        ["Q4_0", "F16", "IQ2_S"],
        2e-6,
        ["normal"],
        shape=[(2048, 768), (8192, 512)],
        count=[11],
        max_count=[16],
    ),
    # So many rows that an invocation has two; more columns than a stage has.
    *cases(linear_case, ["Q4_0", "Q6_K", "IQ2_S"], 2e-6, ["normal"], shape=[(4096, 2304)], count=[1], max_count=[1]),
    *cases(linear_bytes_case, BYTES, 2e-6, ["normal"], shape=[(67, 768), (5, 2304)], rounded=[False], x_bytes=[1]),
    *cases(linear_bytes_case, BYTES, 8e-3, ["normal"], shape=[(67, 768)], rounded=[True], x_bytes=[1]),
    *cases(linear_bytes_case, BYTE_WAYS, 1e-4, ["normal"], shape=[(67, 768), (5, 2304)], rounded=[True], x_bytes=[2]),
    *cases(linear_bytes_case, BYTE_WAYS, 2e-6, ["normal"], shape=[(67, 768)], rounded=[False], x_bytes=[1], count=[3]),
    *cases(linear_same_case, ["Q4_K", "Q8_0", "IQ2_S"], 2e-6, ["normal"], shape=[(67, 768)], x_bytes=[1, 2]),
    # Not rounded.
    *cases(linear_bytes_case, ["F16", "IQ4_NL"], 2e-6, ["normal"], shape=[(67, 768)], rounded=[True], x_bytes=[1]),
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
        linear_scaled_case,
        ["Q4_1", "NVFP4"],
        2e-6,
        ["normal"],
        shape=[(67, 768)],
        count=[1, 5, 17],
        bias=[False, True],
        accumulate=[False, True],
    ),
    *cases(linear_gate_case, ["Q4_1", "NVFP4"], 4e-6, ["normal"], shape=[(70, 768)], activation=["silu"]),
    *cases(
        linear_function_case,
        ["Q4_1", "F16"],
        4e-6,
        ["normal"],
        shape=[(70, 768)],
        bias=[False, True],
        function=["relu2", "tanh"],
    ),
    *cases(
        linear_append_case,
        ["norm/16", "neox/16"],
        4e-6,
        ["normal"],
        shape=[(4, 2, 16)],
        type=["NVFP4"],
        bias=[False],
        bits=[32],
        scaled=[True],
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
        linear_parts_case,
        ["Q4_1", "Q6_K", "IQ2_S", "F16"],
        4e-6,
        ["normal"],
        heads=[6],
        head_dim=[128],
        splits=[2, 8],
        x_bytes=[0],
    ),
    *cases(
        linear_shares_case,
        ["Q8_0", "Q4_K", "F32"],
        6e-6,
        ["normal"],
        shape=[(70, 2048), (9, 1536)],
        counts=[(70, 80), (3, 17)],
        ends=[True, False],
    ),
    *cases(linear_parts_case, ["Q8_0"], 8e-3, ["normal"], heads=[7], head_dim=[64], splits=[8], x_bytes=[0, 1]),
]

LARGE = [
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
    *cases(linear_case, TYPE_OF, 5e-6, ("normal",), shape=[(4096, 4096)], count=[512], max_count=[512]),
    *cases(
        linear_bytes_case, BYTES, 8e-3, ("normal",), shape=[(4096, 4096), (14336, 4096)], rounded=[True], x_bytes=[1, 2]
    ),
]


def refusals(b: Bench) -> Refusals:
    program, step, at = b.device.program(), b.step(0, 1), b.poison(64)
    quantized, _ = b.matrix(b.normal(4, 64), TYPE_OF["Q4_0"])
    cut, _ = b.matrix(b.normal(4, 16), TYPE_OF["F32"], cuts=(2,))
    append = Append(at, 4, "norm", KvCache(at, at, Heads(2, 1, 4), 16))

    def fuse(fusion: Fusion, max_count: int = 1) -> None:
        linear(program, step, at, cut, at, max_count, fusion)

    return [
        (
            lambda: linear(program, step, at, Matrix(quantized.stripes, 48), at, 1),
            "rows of 48 elements: Q4_0 takes multiples of 32",
        ),
        (lambda: fuse(Fusion(norm=Norm(at, 16, 1e-5)), max_count=2), "product"),
        (lambda: fuse(Fusion(norm=Norm(at, 8, 1e-5))), "product"),  # of other rows
        (lambda: fuse(Fusion(activation="silu")), "product"),  # gates and values in different buffers
        (lambda: fuse(Fusion(append=append)), "product"),  # half a head in one of them
        (lambda: fuse(Fusion(norm=Norm(at, 16, 1e-5), partials=Partials(Heads(4, 4, 4), 2))), "product"),
        (lambda: fuse(Fusion(sum=Sum(Norm(at, 16, 1e-5), at, at)), max_count=2), "product"),
        (lambda: fuse(Fusion(sum=Sum(Norm(None, 16, 1e-5), at, at))), "product"),  # without a weight
        (lambda: fuse(Fusion(sum=Sum(Norm(at, 16, 1e-5), at, at), accumulate=True)), "product"),
        (lambda: fuse(Fusion(function="relu2"), max_count=2), "product"),
        (lambda: fuse(Fusion(function="relu2", accumulate=True)), "product"),
    ]


MUTATIONS = [
    Mutation("row of the weights", "lib/octets.wgsl", "row * params.row_bytes +", "row * 18u +", "linear-Q4"),
    Mutation("shares of others", "linear_sum.wgsl", "({{ s }}u * step.count + t)", "t", "linear_shares"),
    Mutation("columns of a share", "linear_tile.wgsl", "group.z * share;", "group.z * STEP_OCTETS;", "linear_shares"),
    Mutation(
        "tile's first barrier",
        "linear_tile.wgsl",
        "        workgroupBarrier();\n        //",
        "        //",
        "linear-Q8_0",
    ),
    Mutation(
        "sums of the lanes",
        "linear_few.wgsl",
        "    workgroupBarrier();\n    for (var i = index; i < GROUPS",
        "    for (var i = index; i < GROUPS",
        "linear-Q8_0",
    ),
    Mutation(
        "tokens of a second part", "linear_few.wgsl", "min(first_token + {{ t }}u,", "min({{ t }}u,", "linear-Q4_0"
    ),
    Mutation(
        "few tokens past the step",
        "linear_few.wgsl",
        "n < params.rows && token <",
        "n < params.rows && 0u <",
        "linear-Q8_0",
    ),
    Mutation("tokens past the step", "linear_tile.wgsl", "line < tile.count && has_row", "has_row", "linear-Q8_0"),
    Mutation("tile's last row", "linear_tile.wgsl", "return n < params.rows{{", "return true{{", "linear-Q8_0"),
    Mutation(
        "sum over lanes",
        "linear_vector.wgsl",
        "stride = LANES / 2u; stride > 0u; stride >>= 1u) {\n        if",
        "stride = LANES / 2u; stride > 1u; stride >>= 1u) {\n        if",
        "linear-Q8_0",
    ),
    Mutation(
        *("scale of a row", "linear_tile.wgsl"),
        *('"tile.expert" if experts else "column"', '"tile.expert" if experts else "n"', "linear_scaled"),
    ),
    Mutation(
        *("scale of a value", "linear_vector.wgsl"),
        *('"params.first + row_%d" % r', '"params.first + n_0"', "linear_gate"),
    ),
    Mutation(
        *("function of a result and its bias", "linear_vector.wgsl"),
        *('"activation(%s, 0.0, 0.0)" % sum if activated', '"activation(total_0, 0.0, 0.0)" if activated'),
        "linear_function",
    ),
    Mutation(
        "scale of rounded x",
        "linear_vector.wgsl",
        "x_scales[span] = peak / LARGEST",
        "x_scales[span] = peak",
        "linear_bytes",
    ),
    Mutation("second digit", "lib/rounded.wgsl", "numbers - DIGIT * upper", "numbers", "linear_bytes"),
    Mutation(
        "which workgroup tells the sum",
        "linear_vector.wgsl",
        "workgroup_index(group, groups) == 0u &&",
        "false &&",
        "linear_sum",
    ),
    Mutation("where the values begin", "linear_vector.wgsl", "params.values_first + at_", "at_", "linear_sum"),
    Mutation("weights of a later stage", "linear_vector.wgsl", "if start + s != lane {", "if s != lane {", "2304"),
]
