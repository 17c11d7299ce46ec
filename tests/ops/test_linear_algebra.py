"""What the ops on views refuse, and what the table's cases cannot say."""

import numpy as np
import pytest
from ops import harness

from py_wgml.errors import WgmlError
from py_wgml.ops import View, argmax, assign, binary, cumulative_sum, gemm, gemv, reduce, softmax, top_k


def test_softmax_in_place(bench):
    x = bench.held(np.zeros((2, 4), np.float32))
    view = View.of(x, 2, 4)
    got = bench.run(lambda p: softmax(p, view, view), x, 2, 4)
    np.testing.assert_array_equal(got, np.full((2, 4), 0.25, np.float32))


def test_argmax_takes_the_first_of_equals(bench):
    x = np.zeros(1000, np.float32)
    x[[700, 300, 999]] = 2
    ids = bench.poison(1, dtype=np.uint32)
    program = bench.device.program()
    argmax(program, View.of(bench.up(x), 1000), View.of(ids))
    program.run()
    assert bench.array(ids, 1, dtype=np.uint32)[0] == 300


def test_more_rows_than_one_dimension_of_workgroups():
    """On one compiler alone: it takes a software adapter long, and the fold is the same on all."""
    bench = harness.Bench(harness.device("naga"))
    rows = 65535 + 9
    x, out = bench.normal(rows, 1), bench.poison(rows)
    got = bench.run(lambda p: reduce(p, "sum", View.of(bench.up(x), rows, 1), View.of(out, rows)), out, rows)
    np.testing.assert_array_equal(got, x[:, 0])


def test_refuses_what_does_not_fit(bench):
    program = bench.device.program()
    a, b, out = (View.of(bench.poison(6, 6), 6, 6) for _ in range(3))
    row, long = View.of(bench.poison(6), 6), bench.poison(1100)
    for call, message in (
        (lambda: binary(program, "pow", a, b, out), "no binary operation"),
        (lambda: binary(program, "add", a, b[:4], out), "cannot be broadcast"),
        (lambda: binary(program, "add", a, b, a), "another buffer"),
        (lambda: binary(program, "add", a, b, out[:1].broadcast(6, 6)), "broadcast view"),
        (lambda: assign(program, "pow", a, b), "no assignment"),
        (lambda: assign(program, "copy", a, a.T), "another buffer"),
        (lambda: reduce(program, "mean", a, row), "no reduction"),
        (lambda: reduce(program, "dot", a, row), "takes two"),
        (lambda: reduce(program, "sum", a, row, b), "others? .*one"),
        (lambda: reduce(program, "sum", a, out), "does not fit"),
        (lambda: softmax(program, a, out[:5]), "does not fit"),
        (lambda: softmax(program, a, a.T), "another buffer"),
        (lambda: top_k(program, a[:, :3], out[:, :4]), "do not fit"),
        (lambda: top_k(program, a, out[:, :2], out[:, 2:4]), "another buffer"),
        (lambda: top_k(program, a, out[:, :2], splits=2), "no room"),
        (lambda: top_k(program, a, out[:, :2], splits=64, parts=row.buffer), "no room"),
        (lambda: top_k(program, View.of(long, 1100), View.of(bench.poison(1030), 1030)), "do not fit"),
        (lambda: cumulative_sum(program, a, row), "do not fit"),
        (lambda: gemm(program, a[:, :5], b, out), "does not fit"),
        (lambda: gemm(program, a, b, b), "another buffer"),
        (lambda: gemv(program, a[:, :5], row, View.of(out.buffer, 6)), "does not fit"),
        (lambda: gemv(program, a, row, row), "another buffer"),
    ):
        with pytest.raises(WgmlError, match=message):
            call()
