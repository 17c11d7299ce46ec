import numpy as np
import pytest

from py_wgml.errors import WgmlError
from py_wgml.ops import attention, attention_numpy


@pytest.mark.parametrize("half", [True, False], ids=["f16", "f32"])
@pytest.mark.parametrize(
    ("heads", "kv_heads", "head_dim", "position", "count"),
    [(9, 3, 64, 0, 1), (9, 3, 64, 0, 7), (4, 4, 16, 200, 3), (2, 1, 256, 63, 2), (6, 2, 80, 130, 1), (1, 1, 2, 64, 1)],
)
def test_attention(bench, heads, kv_heads, head_dim, position, count, half):
    length = position + count
    dtype = np.float16 if half else np.float32
    q = bench.normal(count + 1, heads, head_dim)
    k, v = (bench.normal(length + 9, kv_heads, head_dim).astype(dtype) for _ in "kv")
    k[length:], v[length:] = np.nan, np.nan
    k[0] *= 4  # a peaked softmax as well as flat ones
    scale = head_dim**-0.5
    out, step = bench.poison(count + 1, heads, head_dim), bench.step(position, count)
    got = bench.run(
        lambda p: attention(
            p, step, bench.up(q), bench.up(k), bench.up(v), out, heads, kv_heads, head_dim, scale, half, count + 1
        ),
        out,
        count + 1,
        heads,
        head_dim,
    )
    expected = attention_numpy(
        q[:count].astype(np.float64), k[:length].astype(np.float64), v[:length].astype(np.float64), position, scale
    )
    np.testing.assert_allclose(got[:count], expected, rtol=1e-4, atol=1e-5)
    assert np.isnan(got[count]).all()


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
