import numpy as np

from py_wgml.ops import gated, gated_numpy


def test_silu(bench):
    width = 130
    x = bench.normal(4, 2 * width)
    x[0, :4] = -200, 200, 0, -1e-30
    out, step = bench.poison(4, width), bench.step(5, 3)
    got = bench.run(lambda p: gated(p, step, bench.up(x), out, width, "silu", max_count=4), out, 4, width)
    np.testing.assert_allclose(got[:3], gated_numpy(x[:3], "silu"), rtol=2e-5, atol=1e-6)
    assert np.isnan(got[3]).all()
