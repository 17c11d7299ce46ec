import importlib
import re

import numpy as np
import pytest
from ops.harness import Bench

from py_wgml import wgsl
from py_wgml.ops import Heads, KvCache, Scores, attention


def test_large_scores_do_not_overflow(bench: Bench) -> None:
    q = np.full((1, 1, 4), 300, np.float32)
    k = np.stack([np.full((1, 4), 300), np.full((1, 4), -300)]).astype(np.float32)
    v = np.stack([np.full((1, 4), 2), np.full((1, 4), 5)]).astype(np.float32)
    out, cache = bench.poison(1, 1, 4), KvCache(bench.up(k), bench.up(v), Heads(1, 1, 4), 32)
    got = bench.run(lambda p: attention(p, bench.step(1, 1), bench.up(q), cache, out, Scores(1.0), 1), out, 1, 1, 4)
    np.testing.assert_array_equal(got, np.full((1, 1, 4), 2, np.float32))


def declared_words(code: str) -> int:
    """Words of workgroup memory that a kernel declares."""
    names: dict[str, int] = {}
    words = 0

    def value(expression: str) -> int:
        return int(eval(re.sub(r"(\d)u", r"\1", expression).replace("/", "//"), {}, names))

    for name, expression in re.findall(r"const (\w+): u32 = ([^;]+);", code):
        names[name] = value(expression)
    arrays = re.findall(r"var<workgroup> \w+: array<(?:vec(\d)<)?f32>?, ([^;]+)>;", code)
    assert code.count("var<workgroup>") == len(arrays)
    for scalars, expression in arrays:
        words += int(scalars or 1) * value(expression)
    return words


@pytest.mark.parametrize("head_dim", [2, 20, 64, 128, 512])
@pytest.mark.parametrize("width", [1, 4, 32])
@pytest.mark.parametrize("group", [1, 3, 8])
def test_words_of_workgroup_memory(head_dim: int, width: int, group: int) -> None:
    """What Python reckons with is what the kernel takes."""
    words, size = importlib.import_module("py_wgml.ops.attention")._words, 128
    strands = size // width if width > 1 else 16
    choices: dict[str, bool | int] = dict.fromkeys(("window", "soft_cap", "alibi", "sinks", "spans"), False)
    choices |= {"causal": True, "subgroups": width > 1, "bits": 16, "block": 32}
    sizes = {
        "head_dim": head_dim,
        "latent": 0,
        "group": group,
        "width": width,
        "strands": strands,
        "workgroup_size": size,
    }
    code = wgsl.compose("attention_vector", choices | sizes | {"splits": 1, "key_unroll": 1, "value_unroll": 1})
    assert declared_words(code) == words(group, head_dim, strands, size)
