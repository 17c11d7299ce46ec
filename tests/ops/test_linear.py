from functools import partial

import numpy as np
import pytest
from gguf import GGMLQuantizationType as T
from ops.harness import Bench

from py_wgml.ops import Fusion, Norm, gated_numpy, linear, linear_numpy, rms_norm_numpy
from py_wgml.ops.gated import Activation


def check(
    bench: Bench,
    type: T,
    columns: int,
    rows: int,
    count: int,
    max_count: int,
    bias: bool = False,
    accumulate: bool = False,
    cuts: tuple[int, ...] = (),
) -> None:
    weights, dequantized = bench.matrix(bench.normal(rows, columns), type, cuts)
    x = bench.normal(max_count, columns)
    before = bench.normal(max_count, rows)
    out = bench.up(before) if accumulate else bench.poison(max_count, rows)
    extra = bench.normal(rows) if bias else None
    step, fusion = bench.step(11, count), Fusion(bench.up(extra) if bias else None, accumulate=accumulate)
    got = bench.run(lambda p: linear(p, step, bench.up(x), weights, out, max_count, fusion), out, max_count, rows)
    exact = linear_numpy(
        x[:count].astype(np.float64),
        dequantized.astype(np.float64),
        None if extra is None else extra.astype(np.float64),
    )
    if accumulate:
        exact += before[:count]
    assert np.linalg.norm(got[:count] - exact) <= 2e-6 * np.linalg.norm(exact)
    rest = got[count:]
    assert (rest == before[count:]).all() if accumulate else np.isnan(rest).all(), "a row beyond the step was written"


@pytest.mark.parametrize("type", [T.F32, T.Q4_1, T.Q6_K, T.MXFP4, T.IQ2_S], ids=lambda t: t.name)
def test_large_tile(bench: Bench, type: T) -> None:
    check(bench, type, columns=768, rows=67, count=70, max_count=128)


@pytest.mark.parametrize("columns", [32, 96, 160, 576, 1056])
@pytest.mark.parametrize("count", [1, 16, 33])
def test_odd_sizes(bench: Bench, columns: int, count: int) -> None:
    check(bench, T.Q8_0, columns, rows=1, count=count, max_count=count)
    check(bench, T.Q4_1, columns, rows=130, count=count, max_count=count)


@pytest.mark.parametrize("count", [1, 3])
def test_bias_accumulate_and_parts(bench: Bench, count: int) -> None:
    check(bench, T.Q4_0, 64, 200, count, count, bias=True)
    check(bench, T.Q5_0, 64, 200, count, count, accumulate=True)
    check(bench, T.F16, 64, 200, count, count, bias=True, accumulate=True, cuts=(64, 65))


def test_more_rows_than_one_dimension_of_workgroups(bench: Bench) -> None:
    """A vocabulary of 262,144 rows folds its workgroups into two dimensions."""
    if "subgroups" in bench.device.features:
        pytest.skip("the fold is the same with subgroups")
    check(bench, T.F16, 8, 65535 * 16 + 5, 1, 1)


@pytest.mark.parametrize("columns", [1, 5, 12, 47, 66])
@pytest.mark.parametrize("type", [T.F32, T.F16, T.BF16], ids=lambda t: t.name)
def test_rows_of_any_length(bench: Bench, type: T, columns: int) -> None:
    """Rows that start in the middle of a word or of a vec4; in parts, which may end in the middle of a word too."""
    for count in (1, 3, 33):
        check(bench, type, columns, 71, count, count, bias=count == 3, accumulate=count == 33, cuts=(5, 64))


def test_numbers_past_the_end_of_a_row_do_not_count(bench: Bench) -> None:
    """What follows a row in the buffers, of weights and of activations, may be NaN."""
    columns = 13
    values = np.full((4, columns), np.nan, np.float32)
    values[1] = bench.normal(columns)
    weights, _ = bench.matrix(values, T.F32)
    x = np.full((3, columns), np.nan, np.float32)
    x[0] = bench.normal(columns)
    for max_count in (1, 3):
        out, step = bench.poison(max_count, 4), bench.step(0, 1)
        record = partial(linear, step=step, x=bench.up(x), weights=weights, out=out, max_count=max_count)
        got = bench.run(record, out, max_count, 4)
        np.testing.assert_allclose(got[0, 1], x[0] @ values[1], rtol=1e-5)


@pytest.mark.parametrize("type", [T.Q4_1, T.Q6_K, T.IQ2_S, T.F16], ids=lambda t: t.name)
@pytest.mark.parametrize("with_norm", [True, False], ids=["norm", ""])
@pytest.mark.parametrize("activation", ["silu", "gelu", None])
def test_with_the_norm_before_and_the_gate_after(
    bench: Bench, type: T, with_norm: bool, activation: Activation | None
) -> None:
    """One dispatch does what rms_norm, linear and gated do."""
    columns, rows, eps = 768, 70, 1e-5
    weights, dequantized = bench.matrix(bench.normal(rows, columns), type)
    x, scale = bench.normal(1, columns), bench.normal(columns)
    width = rows // 2 if activation else rows
    out = bench.poison(width + 1)
    fusion = Fusion(norm=Norm(bench.up(scale), columns, eps) if with_norm else None, activation=activation)
    got = bench.run(lambda p: linear(p, bench.step(0, 1), bench.up(x), weights, out, 1, fusion), out, width + 1)
    exact = x.astype(np.float64)
    if with_norm:
        exact = rms_norm_numpy(exact, scale, eps)
    exact = linear_numpy(exact, dequantized.astype(np.float64))
    if activation:
        exact = gated_numpy(exact, activation)
    assert np.linalg.norm(got[:-1] - exact[0]) <= 4e-6 * np.linalg.norm(exact)
    assert np.isnan(got[-1])
