from ops.harness import Bench, Job, Mutation, Refusals, cases
from ops.recipes import TYPE_OF, matrix

from py_wgml.gguf_model.weights import Matrix
from py_wgml.ops import dequantize


def dequantize_case(b: Bench, kind: str, shape: tuple[int, int]) -> Job:
    weights, dequantized = matrix(b, kind, shape)
    out = b.poison(*shape)
    return Job(lambda p: dequantize(p, weights, out), {out: dequantized})


TABLE = [
    *cases(dequantize_case, TYPE_OF, 2e-7, ["normal"], shape=[(33, 256)]),
]


def refusals(b: Bench) -> Refusals:
    weights, _ = b.matrix(b.normal(4, 64), TYPE_OF["Q8_0"])
    program, out, short = b.device.program(), b.poison(4, 64), b.up(b.normal(3, 64))
    return [
        (lambda: dequantize(program, weights, out, -1, 2), "of a matrix of 4 rows"),
        (lambda: dequantize(program, weights, out, 0, 0), "of a matrix of 4 rows"),
        (lambda: dequantize(program, weights, out, 3, 2), "of a matrix of 4 rows"),
        (lambda: dequantize(program, weights, out, 4), "of a matrix of 4 rows"),
        (lambda: dequantize(program, weights, short), "the output takes 768"),
        (
            lambda: dequantize(program, Matrix(weights.stripes, 48), out),
            "rows of 48 elements: Q8_0 takes multiples of 32",
        ),
    ]


MUTATIONS = [
    Mutation("block offset", "quant/q4_0.wgsl", "load_u32(byte + 2u, j)", "load_u32(byte, j)", "test_case and Q4_0"),
    Mutation("bytes of a block", "quant/q6_k.wgsl", "BLOCK_BYTES: u32 = 210u", "BLOCK_BYTES: u32 = 208u", "Q6_K"),
    Mutation("scale of a group", "quant/q6_k.wgsl", "byte + 192u +", "byte + 193u +", "test_case and Q6_K"),
    Mutation("minimum of a group", "quant/q4_k.wgsl", "(1.0, -1.0, 1.0, -1.0)", "(1.0, 1.0, 1.0, 1.0)", "Q4_K"),
    Mutation(
        "low nibbles of a group", "quant/nvfp4.wgsl", "(4u * (j >> 1u))", "(4u * (j & 1u))", "test_case and NVFP4"
    ),
    Mutation("subnormal scale", "quant/nvfp4.wgsl", "0x1p-10", "0x1p-9", "every_scale"),
    Mutation("bits of a nibble", "quant/q1_0.wgsl", "spread_bits(bits >> 4u)", "spread_bits(bits)", "Q1_0"),
    Mutation("bytes of an octet", "quant/q2_0.wgsl", "8u * span + 2u * j", "8u * span + j", "test_case and Q2_0"),
    Mutation("fifth bit", "quant/q5_1.wgsl", "spread_bits(fifth >> 16u)", "spread_bits(fifth)", "Q5_1"),
]
