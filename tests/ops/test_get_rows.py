import numpy as np
import pytest
from gguf import GGMLQuantizationType as T
from ops.harness import Bench

from py_wgml.ops import get_rows, get_rows_numpy


def check(bench: Bench, type: T, columns: int) -> None:
    """A matrix of 37 rows cut in two; five of them picked."""
    rows, first, count = 37, 3, 5
    weights, dequantized = bench.matrix(bench.normal(rows, columns), type, cuts=(16,))
    tokens = bench.random.integers(0, rows, first + count + 2).astype(np.uint32)
    tokens[first : first + 3] = 0, 16, rows - 1
    out = bench.poison(count + 1, columns)
    step = bench.step(first, count)
    got = bench.run(
        lambda p: get_rows(p, step, bench.up(tokens), weights, out, max_count=8, scale=1.5), out, count + 1, columns
    )
    expected = get_rows_numpy(dequantized, tokens[first : first + count], 1.5)
    np.testing.assert_allclose(got[:count], expected, rtol=2e-6, atol=2e-6 * np.abs(expected).max())
    assert np.isnan(got[count]).all(), "a row beyond the step was written"


@pytest.mark.parametrize("columns", [1, 12, 515])
@pytest.mark.parametrize("type", [T.F32, T.F16, T.BF16], ids=lambda t: t.name)
def test_rows_of_any_length(bench: Bench, type: T, columns: int) -> None:
    check(bench, type, columns)
