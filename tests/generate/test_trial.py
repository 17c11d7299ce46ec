"""A GPU that computes something wrong: it is noticed before a model answers, and done without."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gpus
import numpy as np
import pytest
import tiny

from py_wgml import wgsl
from py_wgml.errors import WgmlError
from py_wgml.generate import trial
from py_wgml.generate.trial import BOUND, Kinds, _Maker, error_of, examine, outcome, recall
from py_wgml.gguf_model.ggml import GGMLQuantizationType
from py_wgml.gguf_model.weights import TYPES, Matrix, Stripe
from py_wgml.gpu import INTEGER_PRODUCTS, TILES, Buffer, CompileError
from py_wgml.model import Model
from py_wgml.ops import Heads, Sampling, sample_numpy

SHUFFLE = ("sum += subgroupShuffleXor(sum, stride)", "sum -= subgroupShuffleXor(sum, stride)")
DOT = ("dot4I8Packed(", "1 + dot4I8Packed(")


class Liar(gpus.SharedDevice):
    """A device whose compiler makes something else of kernels: `lie` says of what."""

    def __init__(self, lie: Callable[[str, str], str], software: bool = True) -> None:
        super().__init__(gpus.device("naga", subgroups=True), True, software, {})
        self.features |= {INTEGER_PRODUCTS}
        self._lie = lie

    def _create_pipeline(self, name: str, code: str, bindings: tuple[wgsl.Binding, ...]) -> Any:
        return super()._create_pipeline(name, self._lie(name, code), bindings)


def honest(name: str, code: str) -> str:
    return code


def with_subgroups(name: str, code: str) -> str:
    return code.replace(*SHUFFLE)


def kinds(device: Any, type: str = "F32", **others: Any) -> Kinds:
    """Of a model of one matrix; its weights are never looked at."""
    stripe = Stripe(device.buffer(16), GGMLQuantizationType[type], 0, 96)
    some = Kinds((Matrix((stripe,), 256),), 256, (), 16, (1,), 256, causal=True, x_bytes=0)
    return replace(some, **others)


def examined(device: Any, what: Kinds) -> bool:
    return asyncio.run(examine(device, what))


def test_what_is_right_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    device = Liar(honest)
    what = kinds(device, "Q4_1", heads=(Heads(6, 2, 32),), counts=(1, 16), x_bytes=1)
    memory = device.memory
    assert not examined(device, what)
    assert device.distrusted == {}
    assert len(device.tried) == 7 and all(error <= BOUND / 10 for error in device.tried.values())
    assert device.memory == memory + sum(buffer.nbytes for buffer in device.uniforms._buffers.values())
    monkeypatch.setattr(device, "run", None)  # nothing runs any more
    assert not examined(device, what)


def test_products_that_are_wrong_with_subgroups() -> None:
    device = Liar(with_subgroups)
    what = kinds(device, heads=(Heads(6, 2, 32),))
    assert examined(device, what)
    assert [*device.distrusted] == ["subgroups"]
    assert "F32 x vector, 2 rows by 2 lanes is wrong by" in device.distrusted["subgroups"]
    assert not device.uses("subgroups") and all(error <= BOUND for error in device.tried.values())
    assert not any(wgsl.uses_subgroups(pipeline.code) for pipeline in device.pipelines.values())
    assert not examined(device, what)


def test_bytes_that_are_wrong_are_told_from_subgroups() -> None:
    device = Liar(lambda name, code: code.replace(*DOT))
    assert examined(device, kinds(device, "Q8_0", x_bytes=1))
    assert [*device.distrusted] == [INTEGER_PRODUCTS]
    assert device.uses("subgroups")


def test_what_was_right_before_is_tried_again_to_find_what_is_to_blame() -> None:
    device = Liar(lambda name, code: code.replace(*DOT))
    assert not examined(device, kinds(device, "Q8_0"))
    assert examined(device, kinds(device, "Q8_0", x_bytes=1))
    assert [*device.distrusted] == [INTEGER_PRODUCTS]


def test_tiles_that_are_wrong() -> None:
    def lie(name: str, code: str) -> str:
        return code.replace("exp(", "0.5 + exp(") if name == "attention_tile" else code

    device = Liar(lie)
    assert examined(device, kinds(device, heads=(Heads(4, 2, 32),), counts=(1, 64)))
    assert [*device.distrusted] == [TILES]


def test_a_plain_form_that_is_wrong_ends_it() -> None:
    device = Liar(lambda name, code: code.replace("inverseSqrt(", "1.5 * inverseSqrt("))
    told = r"^this GPU \(.*llvmpipe.*\) computes wrongly: norm is wrong by 0\.5$"
    with pytest.raises(WgmlError, match=told):
        examined(device, kinds(device))


def test_what_does_not_compile_is_done_without() -> None:
    """As in a browser, which tells of it later."""
    device = Liar(honest)

    async def compiled() -> None:
        for pipeline in device.pipelines.values():
            if "subgroups" in pipeline.variants:
                raise CompileError(pipeline.name, pipeline.code, 1, "internal error", pipeline)

    device.compiled = compiled  # type: ignore[method-assign]
    assert examined(device, kinds(device))
    assert device.distrusted["subgroups"].endswith(" does not compile")


def test_a_plain_form_that_does_not_compile_ends_it() -> None:
    device = Liar(honest)
    device.features = frozenset()

    async def compiled() -> None:
        [pipeline, *_] = device.pipelines.values()
        raise CompileError(pipeline.name, pipeline.code, 1, "internal error", pipeline)

    device.compiled = compiled  # type: ignore[method-assign]
    with pytest.raises(CompileError, match="internal error"):
        examined(device, kinds(device))


def test_an_outcome_is_taken_up_by_the_same_device_and_engine_alone() -> None:
    device = Liar(with_subgroups)
    examined(device, kinds(device))
    told = outcome(device, "1")
    again = Liar(with_subgroups)
    recall(again, "1", told)
    assert outcome(again, "1") == told
    again.run = None  # type: ignore[assignment, method-assign]
    assert not examined(again, kinds(again))
    for version, others in (("2", {}), ("1", {"device": "another"})):
        other = Liar(with_subgroups)
        recall(other, version, told | others)
        assert not other.distrusted and not other.tried


@pytest.mark.parametrize(
    "others",
    [
        {"tried": []},
        {"distrusted": "subgroups"},
        {"distrusted": {"timestamp-query": ""}, "tried": {"norm": 1, "x": "0"}},
    ],
    ids=str,
)
def test_an_outcome_that_is_none(others: dict[str, Any]) -> None:
    device = Liar(honest)
    recall(device, "1", outcome(device, "1") | others)
    assert not device.distrusted and not device.tried
    recall(device, "1", None)


def test_a_model_answers_rightly_on_a_device_that_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "tiny.gguf"
    tiny.write_tiny_llama(file)

    async def logits(device: gpus.SharedDevice) -> Any:
        model = await Model.load(file, device=device)
        found = await model.runner.logits([1, 2, 3, 4], at_once=1)
        model.destroy()
        return found

    plain = Liar(honest)
    plain.features = frozenset()
    right = asyncio.run(logits(plain))
    liar = Liar(with_subgroups)
    assert np.array_equal(asyncio.run(logits(liar)), right)
    assert [*liar.distrusted] == ["subgroups"]

    async def untried(device: Any, kinds: Kinds) -> bool:
        return False

    monkeypatch.setattr("py_wgml.generate.engine.examine", untried)
    assert not np.allclose(asyncio.run(logits(Liar(with_subgroups))), right, rtol=0.1)


def test_a_model_embeds_rightly_on_a_device_that_lies(tmp_path: Path) -> None:
    file = tmp_path / "bert.gguf"
    tiny.write_tiny(file, tiny.EMBEDDING["bert"])

    async def vectors(device: gpus.SharedDevice) -> Any:
        model = await Model.load(file, device=device)
        found = await model.embed(["one", "two words"])
        model.destroy()
        return found

    plain = Liar(honest)
    plain.features = frozenset()
    liar = Liar(lambda name, code: code.replace("let partial = subgroupAdd(value)", "let partial = value"))
    assert np.array_equal(asyncio.run(vectors(liar)), asyncio.run(vectors(plain)))
    assert liar.distrusted["subgroups"].startswith("norm is wrong by ")


@pytest.mark.parametrize("type", TYPES, ids=lambda type: type.name)
def test_blocks_made_at_random_hold_numbers_of_a_common_size(type: GGMLQuantizationType) -> None:
    class Nowhere(_Maker):
        def up(self, array: Any) -> Buffer:
            return None  # type: ignore[return-value]

    matrix, numbers = Nowhere(None).matrix(type, 512)  # type: ignore[arg-type]
    assert numbers.shape == (67, 512) and matrix.rows == 67
    assert np.isfinite(numbers).all() and 1e-2 < np.abs(numbers).max() <= 16
    assert len(np.unique(numbers)) > 2 and (numbers != 0).mean() > 0.2


def test_the_token_that_is_drawn_is_far_ahead() -> None:
    """Else a GPU whose functions are rounded otherwise would seem wrong."""
    seen: list[Any] = []

    class Recorded(_Maker):
        def up(self, array: Any) -> Buffer:
            seen.append(array)
            return super().up(array)

    device = gpus.device("naga", software=True)
    maker = Recorded(device)
    result = trial._sampler(maker, device.program())
    logits = next(array for array in seen if len(array) == 1000)
    drawn = int(result.expected()[-1])
    random = np.random.default_rng(1)
    sampling = Sampling(temperature=0.8, top_k=40, seed=trial._SEED)
    for _ in range(100):
        moved = logits + 0.1 * random.standard_normal(1000, np.float32)
        assert sample_numpy(moved, np.zeros(7, np.uint32), sampling) == drawn
    assert drawn != int(np.argmax(logits))
    maker.destroy()


def test_an_error_is_a_number_whatever_was_computed() -> None:
    ones = np.ones(4, np.float32)
    assert error_of(ones, ones) == 0
    assert error_of(0 * ones, ones) == 1
    assert error_of(np.full(4, np.nan), ones) == error_of(np.full(4, np.inf), ones) == 1e6
