import numpy as np
import pytest

from py_wgml.errors import WgmlError
from py_wgml.ops import rope_append, rope_numpy, rotations_numpy


@pytest.mark.parametrize("pairing", ["norm", "neox"])
@pytest.mark.parametrize("half", [True, False], ids=["f16", "f32"])
@pytest.mark.parametrize(("head_dim", "rotary_dim"), [(64, 64), (20, 8), (12, 12)])
def test_rope_append(bench, pairing, half, head_dim, rotary_dim):
    heads, kv_heads, first, count, context = 5, 2, 37, 3, 48
    qkv = bench.normal(count + 1, heads + 2 * kv_heads, head_dim)
    rotations = rotations_numpy(0, context, rotary_dim, 10000.0)
    dtype = np.float16 if half else np.float32
    q = bench.poison(count + 1, heads, head_dim)
    k, v = (bench.up(np.full((context, kv_heads, head_dim), 9, dtype)) for _ in "kv")
    step = bench.step(first, count)
    got_q = bench.run(
        lambda p: rope_append(
            p, step, bench.up(qkv), bench.up(rotations), q, k, v,
            heads, kv_heads, head_dim, rotary_dim, pairing, half, max_count=count + 1,
        ),
        q, count + 1, heads, head_dim,
    )  # fmt: skip
    at = slice(first, first + count)
    turned = rope_numpy(qkv[:count, : heads + kv_heads], rotations[at], pairing)
    np.testing.assert_allclose(got_q[:count], turned[:, :heads], rtol=1e-5, atol=1e-6)
    assert np.isnan(got_q[count]).all()
    got_k, got_v = (bench.array(c, context, kv_heads, head_dim, dtype=dtype).astype(np.float32) for c in (k, v))
    tolerance = 1e-3 if half else 1e-5
    np.testing.assert_allclose(got_k[at], turned[:, heads:], rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(got_v[at], qkv[:count, heads + kv_heads :], rtol=tolerance, atol=tolerance)
    others = np.delete(np.arange(context), np.arange(first, first + count))
    assert (got_k[others] == 9).all() and (got_v[others] == 9).all(), "other positions of the cache were written"


def test_rotation_is_a_rotation_by_position_times_frequency():
    """By hand: pair 0 of a head turns by `position` radians."""
    x = np.array([[[1.0, 0.0, 1.0, 0.0]]], np.float32)
    turned = rope_numpy(x, rotations_numpy(3, 1, 4, 100.0), "norm")[0, 0]
    np.testing.assert_allclose(turned, [np.cos(3), np.sin(3), np.cos(0.3), np.sin(0.3)], rtol=1e-6)


def test_refuses_odd_dimensions(bench):
    b = bench.poison(64)
    with pytest.raises(WgmlError, match="not supported"):
        rope_append(bench.device.program(), b, b, b, b, b, b, 1, 1, 8, 3, "norm", True, 1)
