"""What a caller asks of the sampler, and what he is told of it, token by token as NumPy's model and sampler have it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
from tiny import write_tiny_llama

from py_wgml import Model, Sampling, WgmlError
from py_wgml.gpu import Device
from py_wgml.models.numpy_graph import NumpyModel
from py_wgml.ops import Records, logprobs_numpy, sample_numpy

Result = TypeVar("Result")
PROMPT = [1, 40, 50, 60, 70, 80, 90, 60, 70, 80]
COUNT = 14
ASKED = {
    "biased": {"logit_bias": {7: 3.0, 60: -4}, "presence_penalty": 0.5, "frequency_penalty": 0.3},
    "DRY": {"dry_multiplier": 4, "dry_allowed_length": 1, "dry_sequence_breakers": [50], "logit_bias": {90: 4}},
    "mirostat": {"temperature": 1.5, "mirostat": 2, "mirostat_tau": 3, "mirostat_eta": 0.6},
    "typical, XTC": {"temperature": 1.2, "typical_p": 0.8, "xtc_probability": 0.5, "xtc_threshold": 0.05},
    "dynamic": {"temperature": 1.0, "dynatemp_range": 0.8, "top_n_sigma": 1.5, "penalty_window": -1},
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_tiny_llama(tmp_path / "tiny.gguf", context=128)


def run(path: Path, device: Device, scenario: Callable[[Model], Awaitable[Result]]) -> Result:
    async def main() -> Result:
        model = await Model.load(path, device=device, cache_bits=32)
        try:
            return await scenario(model)
        finally:
            model.destroy()

    return asyncio.run(main())


def reference(path: Path, sampling: Sampling) -> tuple[list[int], list[tuple[Any, Any]]]:
    """The tokens, and of each the ids of it and of the likeliest, and their log-probabilities."""
    model, ids, told = NumpyModel(path), list(PROMPT), []
    logits = model.logits(ids)[-1]
    mu = np.array([2 * sampling.mirostat_tau], np.float32)
    for _ in range(COUNT):
        ids.append(sample_numpy(logits, np.array(ids), sampling, mu))
        told.append(logprobs_numpy(logits, ids[-1], 3))
        logits = model.logits(ids[-1:])[-1]
    return ids[len(PROMPT) :], told


def test_tokens_and_their_probabilities_equal_the_reference(path: Path, device: Device) -> None:
    """With and without being told, one after the other by the same model: its steps must not be mixed up."""
    asked = [Sampling(seed=3, **given) for given in ASKED.values()]  # type: ignore[arg-type]
    expected = [reference(path, sampling) for sampling in asked]

    async def scenario(model: Model) -> None:
        for sampling, (ids, told) in [*zip(asked, expected, strict=True), (asked[0], expected[0])]:
            got: list[tuple[Any, Any]] = []

            def hear(ids: Any, logprobs: Any, got: list[tuple[Any, Any]] = got) -> None:
                got.append((ids, logprobs))

            for hears in (None, hear):
                model.runner.forget()
                generated = model.runner.generate(PROMPT, sampling, limit=COUNT, on_logprobs=hears)
                assert [token async for token in generated] == ids
            for (found, logprobs), (wanted, exact) in zip(got, told, strict=True):
                assert [*found[:4]] == [*wanted]
                np.testing.assert_allclose(logprobs[:4], exact, atol=2e-5)

    run(path, device, scenario)


def test_records_go_round(path: Path, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the place for records is full, the oldest make room, and none is read across the end."""
    make = Records.make
    monkeypatch.setattr(Records, "make", lambda device, vocabulary: make(device, vocabulary, 5))

    async def scenario(model: Model) -> None:
        records: list[int] = []
        generated = model.runner.generate(
            PROMPT, Sampling(temperature=1, seed=4), limit=COUNT, on_logprobs=lambda ids, _: records.append(int(ids[0]))
        )
        got = [token async for token in generated]
        assert model.runner.steps.records is not None and model.runner.steps.records.ring == 5
        model.runner.forget()
        plain = model.runner.generate(PROMPT, Sampling(temperature=1, seed=4), limit=COUNT)
        assert got == records == [token async for token in plain]

    run(path, device, scenario)


def test_an_answer_tells_of_its_tokens(path: Path, device: Device) -> None:
    async def scenario(model: Model) -> None:
        asked: dict[str, Any] = {"max_tokens": 6, "seed": 1, "temperature": 1.0}
        answer = model.generate([{"role": "user", "content": "Hi"}], **asked, logprobs=True, top_logprobs=2)
        async for _ in answer:
            pass
        assert len(answer.logprobs) == answer.usage.completion_tokens - (answer.reason == "stop")
        for token in answer.logprobs:
            assert token.data == model.tokenizer.token_bytes(token.id) and token.text == token.data.decode(
                errors="replace"
            )
            assert len(token.top) == 2 and token.logprob <= token.top[0].logprob <= 0
            assert token.top[0].logprob >= token.top[1].logprob
        silent = model.generate([{"role": "user", "content": "Hi"}], **asked)
        async for _ in silent:
            pass
        assert silent.logprobs == [] and silent.text == answer.text

    run(path, device, scenario)


def test_what_can_not_be_asked_for_is_refused_in_one_line(path: Path, device: Device) -> None:
    refused: list[tuple[dict[str, Any], str]] = [
        ({"top_logprobs": 2}, "top_logprobs is given, but logprobs is not true"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs is 21; it must lie between 0 and 20"),
        ({"logprobs": 1}, "logprobs is the int 1, not true or false"),
        ({"logit_bias": {"many": 1}}, "a token of logit_bias is the str 'many', not a whole number"),
        ({"logit_bias": {100000: 1}}, "there is no token 100000: the vocabulary has"),
        ({"dry_multiplier": 1, "dry_sequence_breakers": ["no token has this"]}, "no token holds"),
    ]

    async def scenario(model: Model) -> None:
        for options, message in refused:
            with pytest.raises(WgmlError, match=message):
                model.generate([{"role": "user", "content": "Hi"}], **options)
        held = model.tokenizer.holding(("a",))["a"]
        assert held and all(b"a" in model.tokenizer.token_bytes(id) for id in held)
        answer = model.generate([{"role": "user", "content": "Hi"}], dry_multiplier=1, dry_sequence_breakers=["a", 3])
        assert answer._sampling.dry_sequence_breakers == tuple(sorted({*held, 3}))

    run(path, device, scenario)
