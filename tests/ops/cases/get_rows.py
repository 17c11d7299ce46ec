import numpy as np
from ops.harness import Bench, Job, Refusals, cases
from ops.recipes import TYPE_OF, matrix, past

from py_wgml.gguf_model.weights import Matrix
from py_wgml.ops import get_rows, get_rows_numpy


def get_rows_case(b: Bench, kind: str, shape: tuple[int, int], count: int) -> Job:
    weights, dequantized = matrix(b, kind, shape, cuts=(16,))
    first = 3
    tokens = b.random.integers(0, shape[0], first + count + 2).astype(np.uint32)
    tokens[first : first + 3] = 0, 16, shape[0] - 1  # both sides of the cut
    out, step, at = b.poison(count + 1, shape[1]), b.step(first, count), b.up(tokens)
    expected = get_rows_numpy(dequantized, tokens[first : first + count], 1.5)
    return Job(
        lambda p: get_rows(p, step, at, weights, out, count + 1, 1.5),
        {out: past(expected, count + 1)},
        nbytes=count * shape[1] * 4,
    )


def add_positions_case(b: Bench, kind: str, shape: tuple[int, int], count: int) -> Job:
    weights, dequantized = matrix(b, kind, shape, cuts=(16,))
    first = 13
    before = b.normal(count, shape[1])
    out, step = b.poison(count + 1, shape[1]), b.step(first, count)
    b.device.write(out, before)
    expected = before + dequantized[first : first + count].astype(np.float64)
    return Job(
        lambda p: get_rows(p, step, None, weights, out, count + 1, accumulate=True), {out: past(expected, count + 1)}
    )


TABLE = [
    *cases(get_rows_case, TYPE_OF, 2e-6, ["normal"], shape=[(37, 512)], count=[5]),
    *cases(add_positions_case, ["F32", "F16"], 2e-6, ["normal"], shape=[(37, 512), (37, 13)], count=[5]),
]


def refusals(b: Bench) -> Refusals:
    weights, _ = b.matrix(b.normal(4, 64), TYPE_OF["Q8_0"])
    program, step, out, odd = b.device.program(), b.step(0, 1), b.poison(4, 64), Matrix(weights.stripes, 48)
    return [(lambda: get_rows(program, step, None, odd, out, 1), "rows of 48 elements: Q8_0 takes multiples of 32")]
