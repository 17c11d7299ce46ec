import numpy as np
from ops.harness import Bench

from py_wgml.ops import View, unary


def test_in_place(bench: Bench) -> None:
    x = bench.normal(70)
    out = bench.held(x)
    half = View.of(out, 70)[:35]
    got = bench.run(lambda p: unary(p, "neg", half, half), out, 70)
    np.testing.assert_array_equal(got, np.concatenate([-x[:35], x[35:]]))
