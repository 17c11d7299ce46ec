"""Answers with speculation are the answers without it, whatever ends them and whatever comes after."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import gpus
import pytest
from tiny import TINY, write_tiny

from py_wgml import Model, Sampling, WgmlError
from py_wgml.generate import ActivationBits
from py_wgml.generate.bench import measure_speculation
from py_wgml.generate.draft import Lookup
from py_wgml.generate.runner import Runner
from py_wgml.gguf_model.ggml import GGMLQuantizationType
from py_wgml.gguf_model.header import read_header
from py_wgml.gpu import Device
from py_wgml.gpu.paper import PaperDevice

Result = TypeVar("Result")

PROMPT = [1, 40, 50, 60, 70, 80, 90]
SAMPLINGS = {
    "greedy": Sampling(),
    "penalised": Sampling(repetition_penalty=1.3, penalty_window=5),
    "sampled": Sampling(temperature=0.4, top_k=3, seed=5),
    "sampled, penalised": Sampling(temperature=0.3, top_p=0.8, repetition_penalty=1.05, seed=9),
}


@pytest.fixture
def device() -> Device:
    return gpus.device("naga")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("speculation") / "tiny.gguf", TINY["llama"])


def run(path: Path, device: Device, scenario: Callable[[Model], Awaitable[Result]], **options: Any) -> Result:
    """`scenario(model)` on a freshly loaded model that checks each guess."""

    async def main() -> Result:
        model = await Model.load(path, device=device, **({"speculate": True, "cache_bits": 32} | options))
        try:
            return await scenario(model)
        finally:
            model.destroy()

    return asyncio.run(main())


class Checks:
    """How many tokens were guessed, and how many of them right."""

    def __init__(self) -> None:
        self.drafted = self.accepted = 0

    def __call__(self, drafted: int, accepted: int) -> None:
        assert 0 < drafted <= 7 and 0 <= accepted <= drafted
        self.drafted += drafted
        self.accepted += accepted


async def answer(
    runner: Runner, ids: Sequence[int], sampling: Sampling, count: int = 10_000, checks: Checks | None = None
) -> list[int]:
    """The first `count` tokens that follow, or as many as there are."""
    got: list[int] = []
    tokens = runner.generate(ids, sampling, on_check=checks or Checks())
    async for token in tokens:
        got.append(token)
        if len(got) == count:
            break
    await tokens.aclose()
    return got


async def plainly(runner: Runner, ids: Sequence[int], sampling: Sampling, count: int = 10_000) -> list[int]:
    """`answer`, from an empty cache and without speculation."""
    runner.forget()
    runner.speculate = False
    checks = Checks()
    got = await answer(runner, ids, sampling, count, checks)
    assert checks.drafted == 0
    runner.speculate = True
    runner.forget()
    return got


def foretell(monkeypatch: pytest.MonkeyPatch, prompt: Sequence[int], expected: Sequence[int]) -> None:
    """Guesses of `expected` in the place of those by the text, right for any number of tokens from none to all."""

    def find(lookup: Lookup, count: int) -> tuple[int, list[int]]:
        done = len(lookup._ids) - len(prompt)
        ids = [*expected[done : done + count], *[3] * 7][:count]
        wrong = 5 * done % 9
        return 2, [(id + 1) % 512 if i == wrong else id for i, id in enumerate(ids)]

    monkeypatch.setattr(Lookup, "find", find)


@pytest.mark.parametrize("name", SAMPLINGS)
def test_the_same_tokens(name: str, path: Path, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    sampling = SAMPLINGS[name]

    async def scenario(model: Model) -> None:
        checks = Checks()
        expected = await plainly(model.runner, PROMPT, sampling, 60)
        foretell(monkeypatch, PROMPT, expected)
        assert await answer(model.runner, PROMPT, sampling, 60, checks) == expected
        assert checks.drafted > checks.accepted > 30
        if not sampling.temperature:
            return
        # Another seed is another text, however good the guesses were for this one.
        other = replace(sampling, seed=sampling.seed + 1)
        different = await plainly(model.runner, PROMPT, other, 40)
        assert different != expected[:40]
        assert await answer(model.runner, PROMPT, other, 40) == different

    run(path, device, scenario)


@pytest.mark.parametrize("name", ["gemma3", "gemma4", "lfm2", "deepseek2, sigmoid", "qwen2moe"])
def test_whatever_a_layer_keeps(name: str, device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows, shared keys, convolutions, latents; and experts of several tokens at once."""
    path = write_tiny(tmp_path / "tiny.gguf", TINY[name])

    async def scenario(model: Model) -> None:
        checks = Checks()
        expected = await plainly(model.runner, PROMPT, Sampling(), 40)
        foretell(monkeypatch, PROMPT, expected)
        assert await answer(model.runner, PROMPT, Sampling(), 40, checks) == expected
        assert checks.accepted > 20

    run(path, device, scenario, context=64)


def test_the_same_tokens_by_what_the_text_holds(path: Path, device: Device) -> None:
    """A tiny model says anything, a pair of words of a prompt among it."""
    prompt = [1, *(id for first in range(3, 512, 11) for second in (3, 90, 177) for id in (first, second))]

    async def scenario(model: Model) -> None:
        checks = Checks()
        expected = await plainly(model.runner, prompt, SAMPLINGS["sampled"], 60)
        assert await answer(model.runner, prompt, SAMPLINGS["sampled"], 60, checks) == expected
        assert checks.drafted > 0

    run(path, device, scenario)


def test_a_full_context(path: Path, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last guess is as short as the room that there is; the token behind the last position is sampled too."""

    async def scenario(model: Model) -> None:
        runner = model.runner
        for length in range(5, 13):
            prompt = [1, *range(40, 40 + length)]
            expected = await plainly(runner, prompt, Sampling())
            assert len(expected) == 32 - length
            with monkeypatch.context() as patch:
                foretell(patch, prompt, expected)
                assert await answer(runner, prompt, Sampling()) == expected

    run(path, device, scenario, context=32)


def test_a_cache_that_grows(path: Path, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("py_wgml.generate.runner._PAGE", 20)

    async def scenario(model: Model) -> None:
        expected = await plainly(model.runner, PROMPT, Sampling(), 60)
        foretell(monkeypatch, PROMPT, expected)
        assert await answer(model.runner, PROMPT, Sampling(), 60) == expected

    run(path, device, scenario)


def test_a_turn_after_it_reuses_what_was_right(path: Path, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the answer was left, in the middle of what a check found too, and whatever is asked then."""

    async def scenario(model: Model) -> None:
        runner = model.runner
        expected = await plainly(runner, PROMPT, Sampling(), 24)
        for count in range(1, 24, 2):
            asked = [*PROMPT, *expected[:count], 7, 8, 9]
            following = await plainly(runner, asked, Sampling(), 6)
            with monkeypatch.context() as patch:
                foretell(patch, PROMPT, expected)
                assert await answer(runner, PROMPT, Sampling(), count) == expected[:count]
            assert runner.reused(asked) >= len(PROMPT) + count - 1
            assert await answer(runner, asked, Sampling(), 6) == following

    run(path, device, scenario)


def test_an_answer_left_while_a_guess_is_checked(path: Path, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(model: Model) -> None:
        runner = model.runner
        expected = await plainly(runner, PROMPT, Sampling(), 24)
        foretell(monkeypatch, PROMPT, expected)
        check, left = runner._check_guess, []

        async def leave(guess: Sequence[int]) -> list[int]:
            got = asyncio.ensure_future(check(guess))
            await asyncio.sleep(0)  # it is submitted
            got.cancel()
            left.append(len(guess))
            raise asyncio.CancelledError

        runner._check_guess = leave  # type: ignore[method-assign]
        with pytest.raises(asyncio.CancelledError):
            await answer(runner, PROMPT, Sampling(), 24)
        assert left
        runner._check_guess = check  # type: ignore[method-assign]
        assert await answer(runner, PROMPT, Sampling(), 24) == expected

    run(path, device, scenario)


def test_the_ends_of_an_answer(path: Path, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that ends it, stop strings, max_tokens and `stop()`, wherever among those of a check they come."""

    async def scenario(model: Model) -> None:
        runner, messages = model.runner, [{"role": "user", "content": "hi"}]
        prompt = model.prompt(messages)
        expected = await plainly(runner, prompt, Sampling(), 30)
        never = model.tokenizer.eog_ids

        async def ask(speculate: bool, **options: Any) -> tuple[Any, ...]:
            runner.forget()
            runner.speculate = speculate
            generation = model.generate(messages, temperature=0, repetition_penalty=1.0, **options)
            async for _ in generation:
                if options.get("max_tokens") == 29 and generation.usage.completion_tokens >= 12:
                    generation.stop()
            usage = generation.usage
            assert speculate or usage.drafted_tokens == 0
            accepted.append(usage.accepted_tokens)
            return generation.text, generation.reason, usage.completion_tokens

        accepted: list[int] = []
        foretell(monkeypatch, prompt, expected)
        text = (await ask(False, max_tokens=30))[0]
        ways: list[dict[str, Any]] = [{"max_tokens": count} for count in [*range(1, 16), 29, 30]]
        ways += [{"max_tokens": 30, "stop": [text[i : i + 3]]} for i in range(0, len(text) - 3, 8)]
        ended: list[Any] = [frozenset({id}) for id in dict.fromkeys(expected[:12])]
        for eog, options in [(never, way) for way in ways] + [(end, {"max_tokens": 30}) for end in ended]:
            model.tokenizer.eog_ids = eog
            assert await ask(True, **options) == await ask(False, **options), options
        assert max(accepted) > 10

    run(path, device, scenario)


def test_it_is_off_where_it_can_not_be_or_does_not_pay(tmp_path: Path) -> None:
    def speculates(device: Device, name: str = "llama", **options: Any) -> Any:
        return Runner(device, read_header(write_tiny(tmp_path / "tiny.gguf", TINY[name])), **options).speculate

    assert speculates(PaperDevice()) == "auto"
    assert speculates(PaperDevice(), speculate=True) is True
    assert speculates(PaperDevice(), speculate=False) is False
    assert speculates(PaperDevice(), activation_bits=8) == "auto"
    experts = write_tiny(tmp_path / "experts.gguf", TINY["qwen2moe"], types={"_exps": GGMLQuantizationType.Q8_0})
    can_be: dict[ActivationBits, Any] = {32: "auto", 16: False}  # a step of several tokens does not round for experts
    for bits, can in can_be.items():
        assert Runner(PaperDevice(), read_header(experts), activation_bits=bits).speculate == can
    # What forgets would have to be put back.
    assert speculates(PaperDevice(), "mamba2", speculate=True) is False
    assert speculates(PaperDevice(), "gemma4") == "auto"
    software = PaperDevice(software=True)
    assert speculates(software) is False
    assert not any("found: array" in pipeline.code for pipeline in software.pipelines.values())
    assert speculates(software, speculate=True) is True


def test_refuses_other_values(path: Path, device: Device) -> None:
    for value in ("yes", 2, None, [True]):
        with pytest.raises(WgmlError, match=r"speculate is .*, not True, False or \"auto\""):
            asyncio.run(Model.load(path, device=device, speculate=value))  # type: ignore[arg-type]


def test_bench_figures(path: Path, device: Device) -> None:
    """With and without it, of questions that fit."""

    async def scenario(model: Model) -> None:
        figures = await measure_speculation(model.runner, model.generate, 5, 2)
        assert list(figures) == ["code edited", "text summarised"]
        for found in figures.values():
            assert found["same_text"] and 0 < found["completion_tokens"] <= 5
            assert found["tokens_per_second"]["low"] > 0 and found["tokens_per_second_without"]["low"] > 0
            assert found["drafted_tokens"] >= found["accepted_tokens"] >= 0
        assert model.runner.speculate is True
        model.runner.context = 20
        assert await measure_speculation(model.runner, model.generate, 5, 2) == {}

    run(path, device, scenario)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["greedy", pytest.param("sampled", marks=pytest.mark.thorough)])
def test_smollm2_says_the_same(name: str, smollm2_path: Path) -> None:
    """In words that it finds in the question, and in others."""
    questions = ["What is the capital of France?", "Say this again: " + " ".join(f"{i} apples," for i in range(20))]

    async def scenario(model: Model) -> None:
        for question in questions:
            prompt, checks = model.prompt([{"role": "user", "content": question}]), Checks()
            expected = await plainly(model.runner, prompt, SAMPLINGS[name], 40)
            assert await answer(model.runner, prompt, SAMPLINGS[name], 40, checks) == expected
            print(f"{question[:20]}: {checks.drafted} guessed, {checks.accepted} right")
            if question == questions[1] and name == "greedy":
                assert checks.accepted > 10

    run(smollm2_path, gpus.device("naga", software=True), scenario, cache_bits=16, context=1024)
