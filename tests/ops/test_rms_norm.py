import numpy as np
import pytest

from py_wgml.ops import rms_norm, rms_norm_numpy


@pytest.mark.parametrize("columns", [1, 64, 127, 576, 4096])
@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
def test_rms_norm(bench, columns, scale):
    x, weight = scale * bench.normal(6, columns), bench.normal(columns)
    out, step = bench.poison(6, columns), bench.step(2, 5)
    got = bench.run(
        lambda p: rms_norm(p, step, bench.up(x), bench.up(weight), out, columns, 1e-5, max_count=6), out, 6, columns
    )
    np.testing.assert_allclose(got[:5], rms_norm_numpy(x[:5], weight, 1e-5), rtol=2e-5, atol=1e-7)
    assert np.isnan(got[5]).all()


def test_last_row_only(bench):
    x, weight = bench.normal(6, 96), bench.normal(96)
    out, step = bench.poison(6, 96), bench.step(2, 4)
    got = bench.run(
        lambda p: rms_norm(p, step, bench.up(x), bench.up(weight), out, 96, 1e-5, max_count=6, last=True), out, 6, 96
    )
    np.testing.assert_allclose(got[0], rms_norm_numpy(x[3], weight, 1e-5), rtol=2e-5, atol=1e-7)
    assert np.isnan(got[1:]).all()
