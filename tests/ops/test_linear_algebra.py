"""What cases of the ops on views cannot say."""

import numpy as np
from ops import harness
from ops.harness import Bench

from py_wgml.ops import View, argmax, reduce, softmax


def test_softmax_in_place(bench: Bench) -> None:
    x = bench.held(np.zeros((2, 4), np.float32))
    view = View.of(x, 2, 4)
    got = bench.run(lambda p: softmax(p, view, view), x, 2, 4)
    np.testing.assert_array_equal(got, np.full((2, 4), 0.25, np.float32))


def test_argmax_takes_the_first_of_equals(bench: Bench) -> None:
    x = np.zeros(1000, np.float32)
    x[[700, 300, 999]] = 2
    ids = bench.poison(1, dtype=np.uint32)
    program = bench.device.program()
    argmax(program, View.of(bench.up(x), 1000), View.of(ids))
    program.run()
    assert bench.array(ids, 1, dtype=np.uint32)[0] == 300


def test_more_rows_than_one_dimension_of_workgroups() -> None:
    """On one compiler alone: it takes a software adapter long, and the fold is the same on all."""
    bench = harness.Bench(harness.device("naga"))
    rows = 65535 + 9
    x, out = bench.normal(rows, 1), bench.poison(rows)
    got = bench.run(lambda p: reduce(p, "sum", View.of(bench.up(x), rows, 1), View.of(out, rows)), out, rows)
    np.testing.assert_array_equal(got, x[:, 0])
