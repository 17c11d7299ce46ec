"""A look inside, on tiny models of several families: probabilities and attention beside NumPy, and a `forward` that is
rewritten."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import gpus
import numpy as np
import pytest
from models.kept import IDS
from tiny import TINY, write_tiny

from py_wgml import Model
from py_wgml.errors import WgmlError
from py_wgml.models import numpy_graph
from py_wgml.models.numpy_graph import NumpyModel
from py_wgml.models.rewritten import ForwardError, compiled
from py_wgml.ops import Sampling, attention_numpy
from py_wgml.ops.attention import weights_numpy


def on(path: Path, act: Callable[[Model], Awaitable[Any]], **options: Any) -> Any:
    async def main() -> Any:
        model = await Model.load(path, device=gpus.device("naga"), cache_bits=32, activation_bits=32, **options)
        try:
            return await act(model)
        finally:
            model.destroy()

    return asyncio.run(main())


def tiny(folder: Path, name: str) -> Path:
    return write_tiny(folder / "tiny.gguf", TINY[name])


# Windows and a soft cap; sinks; latents; layers with their neighbours' keys; half of them recurrent.
@pytest.mark.parametrize("name", ["gemma2", "gpt-oss", "deepseek2, sigmoid", "gemma3n", "qwen35"])
def test_as_numpy_has_it(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, weights = tiny(tmp_path, name), list[Any]()

    def noted(q: Any, k: Any, v: Any, position: int, scores: Any) -> Any:
        weights.append(weights_numpy(q, k, position, scores))
        return attention_numpy(q, k, v, position, scores)

    monkeypatch.setattr(numpy_graph, "attention_numpy", noted)
    logits = NumpyModel(path, np.float64, TINY[name].wanted).logits(IDS)
    expected = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))

    async def act(model: Model) -> None:
        layers = list(model.runner.attending)
        assert len(layers) == len(weights)
        for layer, due in zip(layers, weights, strict=True):
            found = await model.inspect(IDS, layer=layer, first=3)
            assert found.attention is not None
            np.testing.assert_allclose(found.attention, due[:, 3:], atol=2e-5)
            one = await model.inspect(IDS, layer=layer, head=1, first=17, end=18)
            assert one.attention is not None
            np.testing.assert_allclose(one.attention, due[1, 17:18, :18], atol=2e-5)
        np.testing.assert_allclose(found.came[:-1], expected[np.arange(3, len(IDS) - 1), IDS[4:]], atol=1e-4)
        assert np.isnan(found.came[-1])
        np.testing.assert_allclose(found.logprobs, -np.sort(-expected[3:], axis=1)[:, :5], atol=1e-4)
        np.testing.assert_allclose(
            np.take_along_axis(expected[3:], found.likeliest.astype(int), axis=1), found.logprobs, atol=1e-4
        )

    on(path, act, context=TINY[name].wanted)


@pytest.mark.parametrize("name", ["llama", "qwen35"])
def test_the_next_answer_is_as_without(name: str, tmp_path: Path) -> None:
    """Whatever part of a conversation was looked at; and a cache that attends alone still has all of it."""

    async def act(model: Model) -> None:
        ids = IDS * 3

        async def answer() -> list[int]:
            return [token async for token in model.runner.generate(ids, Sampling(temperature=0.0), limit=4)]

        due = await answer()
        for first, end in ((0, len(ids)), (40, 41), (20, 50), (len(ids) - 1, len(ids))):
            await model.inspect(ids, layer=next(iter(model.runner.attending)), first=first, end=end)
            if not name.startswith("qwen35"):
                assert model.runner.reused(ids) == len(ids) - 1
            assert await answer() == due

    on(tiny(tmp_path, name), act)


def test_refusals(tmp_path: Path) -> None:
    async def act(model: Model) -> None:
        cases: list[tuple[dict[str, Any], str]] = [
            ({"ids": []}, "ids is empty"),
            ({"ids": [1, 512]}, "ids"),
            ({"layer": 9}, "layer 9 has no attention to look at; those that have: 1, 3"),
            ({"layer": 1, "head": 4}, "head 4 of layer 1: it has 4, from 0 on"),
            ({"head": 1}, "a head is one of a layer"),
            ({"top": 0}, "top"),
            ({"first": 21}, "first"),
            ({"layer": 0}, "layer 0 has no attention to look at"),
        ]
        for given, message in cases:
            with pytest.raises(WgmlError, match=message):
                await model.inspect(**{"ids": IDS, **given})

    on(tiny(tmp_path, "lfm2"), act)


def test_where_time_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def act(model: Model) -> None:
        if "timestamp-query" not in model.runner.device.features:
            with pytest.raises(WgmlError, match="this GPU can't time this program"):
                await model.profile_token()

        async def timestamps(program: Any, times: int, passes: int) -> bytes:
            return np.arange(2 * passes, dtype=np.uint64).tobytes()  # a nanosecond each

        monkeypatch.setattr(model.runner.device, "_timestamps", timestamps)
        monkeypatch.setattr(model.runner.device, "features", {"timestamp-query"})
        kinds = await model.profile_token()
        assert sum(kind.count for kind in kinds) == model.runner.dispatches_per_token
        assert {kind.kernel for kind in kinds} == {
            pipeline.name for pipeline, *_ in model.runner.token_program.dispatches
        }
        assert [kind.seconds for kind in kinds] == pytest.approx([1e-9 * kind.count for kind in kinds])

    on(tiny(tmp_path, "llama"), act)


LLAMA = {
    "a layer is left out": (
        "    for layer, rope in enumerate(ropes):\n",
        "    for layer, rope in [*enumerate(ropes)][:1]:\n",
    ),
    "attention is left out": ("h = g.attention(h, c.attention(layer, rope, window=window))\n", "continue\n"),
    "another activation": ('activation: Activation = "silu"', 'activation: Activation = "gelu"'),
    "the rest is scaled": ("return logits(g", 'x = g.unary(x, "scale", 0.5)\n    return logits(g'),
    "layers in another order": ("in enumerate(ropes)", "in reversed([*enumerate(ropes)])"),
}


@pytest.mark.parametrize("change", LLAMA)
def test_rewritten(change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it makes is what NumPy makes of it; and the family's own is there again afterwards."""
    path = tiny(tmp_path, "llama")
    old, new = LLAMA[change]

    async def act(model: Model) -> None:
        before, text = await model.logits(IDS), model.source
        assert text.count(old) == 1
        await model.rewrite(text.replace(old, new))
        assert model.source == text.replace(old, new)
        found = await model.logits(IDS)
        reference = NumpyModel(path, np.float64)
        monkeypatch.setattr(reference, "_forward", compiled(model.source, "llama"))
        np.testing.assert_allclose(found, reference.logits(IDS)[-1], atol=1e-4)
        assert np.abs(found - before).max() > 1e-2 or change == "the rest is scaled"
        await model.rewrite(None)
        assert model.source == text
        np.testing.assert_array_equal(await model.logits(IDS), before)

    on(path, act)


def test_mistakes_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("py_wgml.models.rewritten._PATIENCE", 0.2)
    start = "def forward(g, c):\n    x = g.embed('token_embd')\n"
    cases = {
        "def forward(g, c)\n    pass": "line 1: SyntaxError: expected ':'",
        "x = 1": "NameError: the text defines no function forward",
        "def forward(g, c):\n    return y": "line 2: NameError: name 'y' is not defined",
        "def forward(g, c):\n    while True: pass": "line 2: TimeoutError: not done after 0 s: is this loop endless",
        "def forward(g, c):\n    return forward(g, c)": "RecursionError: maximum recursion depth exceeded",
        start: "forward gives None instead of logits",
        start + "    return x": "forward gives 64 numbers a token instead of 512 logits",
        start + "    return g.linear(x, 'blk.7.ffn_up')": "line 3: the file lacks the tensor blk.7.ffn_up.weight",
        start + "    g.linear(x, 'blk.0.attn_q')\n    return g.linear(x, 'output')": "multiply by 'blk.0.attn_q', ",
        start + "    return g.linear(g.unary(x, 'scale', 1e38), 'output')": "it overflows somewhere",
        start + "    return g.linear(g.unary(x, 'wiggle'), 'output')": "wiggle",
    }

    async def act(model: Model) -> None:
        text = model.source.replace('"silu"', '"gelu"')
        await model.rewrite(text)
        due = await model.logits(IDS)
        for bad, message in cases.items():
            with pytest.raises(WgmlError) as caught:
                await model.rewrite(bad)
            assert message in str(caught.value)
            assert "\n" not in str(caught.value)
            assert model.source == text
            if str(caught.value).startswith("line"):
                assert isinstance(caught.value, ForwardError)
                assert 'File "llama.py, as rewritten", line' in caught.value.traceback
            np.testing.assert_array_equal(await model.logits(IDS), due)

    on(tiny(tmp_path, "llama"), act)
