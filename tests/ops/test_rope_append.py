import numpy as np
import pytest
from ops.harness import Bench
from ops.recipes import unpacked

from py_wgml.ops import Append, Heads, KvCache, rope_append


@pytest.mark.parametrize(("heads", "kv_heads", "head_dim"), [(9, 3, 64), (2, 1, 96), (1, 1, 32)])
def test_eight_bits(bench: Bench, heads: int, kv_heads: int, head_dim: int) -> None:
    """Off by no more than half a step of each block's scale; rows that are not the step's stay as they are."""
    first, count, context = 5, 3, 12
    qkv = bench.normal(count + 1, heads + 2 * kv_heads, head_dim)
    qkv[1, heads] = 0  # a block without a scale
    q = bench.poison(count, heads, head_dim)
    words = head_dim // 32 * 9
    caches = [bench.held(np.full((context, kv_heads, words), 7, np.uint32)) for _ in "kv"]
    no_turn = bench.up(np.tile(np.array([1, 0], np.float32), (context, 1, 1)))
    cache = KvCache(caches[0], caches[1], Heads(heads, kv_heads, head_dim), 8)
    append = Append(no_turn, 2, "norm", cache)
    got = bench.run(
        lambda p: rope_append(p, bench.step(first, count), bench.up(qkv), q, append, count + 1),
        q,
        count,
        heads,
        head_dim,
    )
    np.testing.assert_array_equal(got, qkv[:count, :heads])
    for i, buffer in enumerate(caches):
        held = bench.array(buffer, context, kv_heads, words, dtype=np.uint32)
        assert (held[:first] == 7).all() and (held[first + count :] == 7).all()
        expected = qkv[:count, heads + i * kv_heads :][:, :kv_heads]
        blocks = expected.reshape(count, kv_heads, -1, 32)
        step = np.abs(blocks).max(axis=-1, keepdims=True) / 127
        error = unpacked(held[first : first + count], 8).reshape(blocks.shape) - blocks
        assert (np.abs(error) <= 0.501 * step).all()
