import numpy as np
import pytest

from py_wgml.errors import WgmlError
from py_wgml.ops import Heads, KvCache, Scores, attention


def test_large_scores_do_not_overflow(bench):
    q = np.full((1, 1, 4), 300, np.float32)
    k = np.stack([np.full((1, 4), 300), np.full((1, 4), -300)]).astype(np.float32)
    v = np.stack([np.full((1, 4), 2), np.full((1, 4), 5)]).astype(np.float32)
    out, cache = bench.poison(1, 1, 4), KvCache(bench.up(k), bench.up(v), Heads(1, 1, 4), 32)
    got = bench.run(lambda p: attention(p, bench.step(1, 1), bench.up(q), cache, out, Scores(1.0), 1), out, 1, 1, 4)
    np.testing.assert_array_equal(got, np.full((1, 1, 4), 2, np.float32))


def test_refuses_uneven_groups(bench):
    b = bench.poison(64)
    with pytest.raises(WgmlError, match="not supported"):
        attention(bench.device.program(), b, b, KvCache(b, b, Heads(5, 2, 8), 16), b, Scores(1.0), 1)


def test_refuses_parts_without_room(bench):
    b = bench.poison(64)
    with pytest.raises(WgmlError, match="no room"):
        attention(bench.device.program(), b, b, KvCache(b, b, Heads(4, 2, 8), 16), b, Scores(1.0), 1, splits=32)


@pytest.mark.parametrize("wrong", [{"window": 0}, {"soft_cap": 0.0}, {"soft_cap": float("nan")}])
def test_refuses_windows_and_caps_of_nothing(wrong):
    with pytest.raises(WgmlError, match="not supported"):
        Scores(1.0, **wrong)
