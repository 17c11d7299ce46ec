import numpy as np
import pytest

from py_wgml.errors import WgmlError
from py_wgml.ops import View, unary


def test_in_place(bench):
    x = bench.normal(70)
    out = bench.held(x)
    half = View.of(out, 70)[:35]
    got = bench.run(lambda p: unary(p, "neg", half, half), out, 70)
    np.testing.assert_array_equal(got, np.concatenate([-x[:35], x[35:]]))


def test_refuses_what_does_not_fit(bench):
    x, program = View.of(bench.poison(4, 6), 4, 6), bench.device.program()
    out = View.of(bench.poison(4, 6), 4, 6)
    for call, message in (
        (lambda: unary(program, "cube", x, out), "no unary function"),
        (lambda: unary(program, "abs", x[:2], out), "does not fit"),
        (lambda: unary(program, "abs", x[:2], x[2:]), "another buffer"),
        (lambda: unary(program, "abs", x, out[:1].broadcast(4, 6)), "broadcast view"),
    ):
        with pytest.raises(WgmlError, match=message):
            call()
