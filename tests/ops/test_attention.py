import numpy as np
import pytest

from py_wgml.errors import WgmlError
from py_wgml.ops import attention, attention_numpy


def test_large_scores_do_not_overflow(bench):
    q = np.full((1, 1, 4), 300, np.float32)
    k = np.stack([np.full((1, 4), 300), np.full((1, 4), -300)]).astype(np.float32)
    v = np.stack([np.full((1, 4), 2), np.full((1, 4), 5)]).astype(np.float32)
    out = bench.poison(1, 1, 4)
    got = bench.run(
        lambda p: attention(p, bench.step(1, 1), bench.up(q), bench.up(k), bench.up(v), out, 1, 1, 4, 1.0, False, 1),
        out, 1, 1, 4,
    )  # fmt: skip
    np.testing.assert_array_equal(got, np.full((1, 1, 4), 2, np.float32))


def test_refuses_uneven_groups(bench):
    b = bench.poison(64)
    with pytest.raises(WgmlError, match="not supported"):
        attention(bench.device.program(), b, b, b, b, b, 5, 2, 8, 1.0, True, 1)


@pytest.mark.parametrize("splits", [2, 5, 32])
@pytest.mark.parametrize("half", [True, False], ids=["f16", "f32"])
@pytest.mark.parametrize(
    ("shape", "position"), [((9, 3, 64), 0), ((9, 3, 64), 700), ((4, 1, 80), 129), ((2, 2, 256), 63)]
)
def test_shared_out_among_workgroups(bench, shape, position, half, splits):
    """Parts of the positions, some of them empty, put together again; two queries at once."""
    heads, kv_heads, head_dim = shape
    count, length, scale = 2, position + 2, head_dim**-0.5
    dtype = np.float16 if half else np.float32
    q = bench.normal(count, heads, head_dim)
    k, v = (bench.normal(length, kv_heads, head_dim).astype(dtype) for _ in "kv")
    out = bench.poison(count + 1, heads, head_dim)
    parts = bench.poison(count + 1, heads, splits, head_dim + 2)
    got = bench.run(
        lambda p: attention(
            p, bench.step(position, count), bench.up(q), bench.up(k), bench.up(v), out,
            heads, kv_heads, head_dim, scale, half, count + 1, splits, parts,
        ),
        out, count + 1, heads, head_dim,
    )  # fmt: skip
    expected = attention_numpy(*(a.astype(np.float64) for a in (q, k, v)), position, scale)
    np.testing.assert_allclose(got[:count], expected, rtol=1e-4, atol=1e-5)
    assert np.isnan(got[count]).all()


def test_refuses_parts_without_room(bench):
    b = bench.poison(64)
    with pytest.raises(WgmlError, match="no room"):
        attention(bench.device.program(), b, b, b, b, b, 4, 2, 8, 1.0, True, 1, 32, b)
