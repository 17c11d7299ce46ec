import itertools
from functools import partial
from typing import Any

import numpy as np
import pytest
from gguf import quants
from ops.harness import Bench
from quantize import NVFP4, quantize, random_blocks

from py_wgml.gguf_model.ggml import GGML_QUANT_SIZES
from py_wgml.gguf_model.ggml import GGMLQuantizationType as T
from py_wgml.gguf_model.weights import TYPES, Matrix, Stripe
from py_wgml.ops import dequantize, dequantize_numpy
from py_wgml.ops.lib.array import Array

BLOCKS = tuple(type for type in TYPES if GGML_QUANT_SIZES[type][0] > 1)
# Half-precision scales: of everyday size, subnormal (below 2^-14), none at all, the largest that there are.
SCALES = {"usual": (1e-3, -2e-2), "subnormal": (2.0**-24, 5e-6), "zero": (0.0, -0.0), "large": (65504.0, -4e4)}


# Blocks and what ggml's own functions make of them.
WORKED: dict[str, tuple[str, Any]] = {
    "NVFP4": (
        "38403008 1032547698badcfe f0f0f0f0f0f0f0f0 0707070707070707 2b2b2b2b2b2b2b2b",
        [0, 1, 2, 4, 0, -1, -2, -4, 0.5, 1.5, 3, 6, -0.5, -1.5, -3, -6]
        + [0] * 8
        + [-12] * 8
        + [3] * 8
        + [0] * 8
        + [-0.0234375] * 8
        + [0.015625] * 8,
    ),
    "Q1_0": (
        "0038 01800ff0 55aa00ff 0000000000000000",
        [0.5 * (1 if i in (0, 15, *range(16, 20), *range(28, 32)) else -1) for i in range(32)]
        + [0.5, -0.5] * 4
        + [-0.5, 0.5] * 4
        + [-0.5] * 8
        + [0.5] * 8
        + [-0.5] * 64,
    ),
    "Q2_0": (
        "003c e41b 00 55 aa ff 55555555555555555555",
        [-1, 0, 1, 2, 2, 1, 0, -1] + [-1] * 4 + [0] * 4 + [1] * 4 + [2] * 4 + [0] * 40,
    ),
}
QUANTIZED: dict[str, tuple[Any, str]] = {
    "NVFP4": ((np.arange(64) - 31.5) / 8, "332a2a33efefefefeededededfdfcfcebeae9e0d50616263647475756565656676767676"),
    "Q1_0": (
        [0 if i in (7, 8) else 0.25 if i % 3 else -0.5 for i in range(128)],
        "4835b66ddbb66ddbb66ddbb66ddbb66ddbb6",
    ),
    "Q2_0": ([1, 0, -1, 0.4, 0.6, -0.6, 2, -2] * 8, "004046254625462546254625462546254625"),
}


def whole(bench: Bench, rows: Array, type: T, columns: int) -> Matrix:
    return Matrix((Stripe(bench.up(rows), type, 0, len(rows)),), columns)


def check(bench: Bench, rows: Array, type: T, columns: int) -> None:
    """Each block to 2e-6 of its own largest number; a GPU may take subnormal scales (times up to 128) for zero."""
    out = bench.poison(len(rows), columns)
    weights = whole(bench, rows, type, columns)
    got = bench.run(lambda p: dequantize(p, weights, out), out, len(rows), columns)
    expected = dequantize_numpy(rows, type)
    assert np.isfinite(expected).all()
    shape = (-1, GGML_QUANT_SIZES[type][0])
    error = np.abs(got.astype(np.float64) - expected).reshape(shape).max(axis=1)
    largest = np.abs(expected).reshape(shape).max(axis=1)
    assert (error <= 2e-6 * largest + 128 * np.finfo(np.float32).tiny).all()


@pytest.mark.parametrize("scales", SCALES.values(), ids=SCALES)
@pytest.mark.parametrize("type", BLOCKS, ids=lambda t: t.name)
def test_random_blocks(bench: Bench, type: T, scales: tuple[float, ...]) -> None:
    """Any bytes are a block: every bit pattern of every field counts."""
    check(bench, random_blocks(bench.random, type, 33, 768, scales), type, 768)


@pytest.mark.parametrize("name", WORKED)
def test_blocks_of_ggml(bench: Bench, name: str) -> None:
    """Bit for bit, in NumPy and on the GPU."""
    text, expected = WORKED[name]
    rows, columns = np.frombuffer(bytes.fromhex(text), np.uint8)[None], len(expected)
    assert (dequantize_numpy(rows, T[name]) == np.array(expected, np.float32)).all()
    weights, out = whole(bench, rows, T[name], columns), bench.poison(1, columns)
    assert (bench.run(lambda p: dequantize(p, weights, out), out, 1, columns) == np.array(expected, np.float32)).all()


@pytest.mark.parametrize("name", QUANTIZED)
def test_quantized_as_by_ggml(name: str) -> None:
    values, expected = QUANTIZED[name]
    assert quantize(np.array([values], np.float32), T[name]).tobytes().hex() == expected


def test_every_scale_of_nvfp4(bench: Bench) -> None:
    """Those too that are no numbers, and those with a sign."""
    blocks = bench.random.integers(0, 256, (64, 36), dtype=np.uint8)
    blocks[:, :4] = np.arange(256).reshape(64, 4)
    check(bench, blocks, NVFP4, 64)


@pytest.mark.parametrize("type", [T.MXFP4, T.Q8_K], ids=lambda t: t.name)
@pytest.mark.parametrize("scale", [1e-40, 2.0**-127, 2.0**-126, 1e-30, 1e36])
def test_scales_beyond_half_precision(bench: Bench, type: T, scale: float) -> None:
    check(bench, random_blocks(bench.random, type, 3, 256, (scale,)), type, 256)


@pytest.mark.parametrize("columns", [1, 3, 7, 9, 12, 30, 33])
@pytest.mark.parametrize("type", [T.F32, T.F16, T.BF16], ids=lambda t: t.name)
def test_rows_of_any_length_bit_for_bit(bench: Bench, type: T, columns: int) -> None:
    """Neighbouring rows of NaN do not leak in."""
    rows = quants.quantize(bench.normal(5, columns), type).view(np.uint8).reshape(5, -1)
    rows[1::2] = 0xFF  # NaN
    weights = whole(bench, rows, type, columns)
    out = bench.poison(5, columns)
    got = bench.run(lambda p: dequantize(p, weights, out), out, 5, columns)
    assert (got[::2] == dequantize_numpy(rows, type)[::2]).all()
    assert np.isnan(got[1::2]).all()


def test_some_rows_of_a_matrix_in_parts(bench: Bench) -> None:
    rows, columns, cuts = 23, 64, (5, 6, 20)
    weights, expected = bench.matrix(bench.normal(rows, columns), T.Q5_1, cuts)
    bounds = (0, *cuts, rows)
    for first, end in [(0, rows), *itertools.pairwise(bounds), (4, 7), (6, 21), (rows - 1, rows)]:
        count = end - first
        out = bench.poison(count + 1, columns)
        record = partial(dequantize, weights=weights, out=out, first=first, rows=count)
        got = bench.run(record, out, count + 1, columns)
        np.testing.assert_allclose(got[:count], expected[first:end], rtol=2e-6, atol=2e-6)
        assert np.isnan(got[count]).all(), "a row too many was written"
