"""Generation on the GPU: text, stopping, reuse of what was processed; against the reference where numbers matter."""

import asyncio
import json
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np
import pytest
from tiny import CHATML, TINY, write_tiny, write_tiny_llama
from work import counted

from py_wgml import Model, Options, Sampling, WgmlError
from py_wgml.chat import ChatTemplate
from py_wgml.generate.generation import Generation, StopStrings
from py_wgml.generate.pace import Pace
from py_wgml.generate.steps import Kind
from py_wgml.gpu import Device
from py_wgml.models.numpy_graph import NumpyModel
from py_wgml.ops import sample_numpy

Result = TypeVar("Result")
PROMPT = [1, 40, 50, 60, 70, 80, 90]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_tiny_llama(tmp_path / "tiny.gguf", context=128)


def run(path: Path, device: Device, scenario: Callable[[Model], Awaitable[Result]], **options: Any) -> Result:
    """`scenario(model)` on a freshly loaded model."""

    async def main() -> Result:
        model = await Model.load(path, device=device, **options)
        try:
            return await scenario(model)
        finally:
            model.destroy()

    return asyncio.run(main())


async def take(tokens: AsyncGenerator[int, None], count: int) -> list[int]:
    got = []
    async for token in tokens:
        got.append(token)
        if len(got) == count:
            break
    await tokens.aclose()
    return got


@pytest.mark.parametrize(("in_flight", "batch"), [(1, 1), (3, 1), (2, 5)])
@pytest.mark.parametrize(
    "sampling",
    [Sampling(), Sampling(temperature=0.9, top_k=20, repetition_penalty=1.3, seed=5)],
    ids=["greedy", "sampled"],
)
def test_tokens_equal_the_reference(path: Path, device: Device, sampling: Sampling, in_flight: int, batch: int) -> None:
    """Step by step through NumPy's model and sampler."""
    reference = NumpyModel(path)
    ids = list(PROMPT)
    logits = reference.logits(ids)[-1]
    for _ in range(12):
        ids.append(sample_numpy(logits, np.array(ids), sampling))
        logits = reference.logits(ids[-1:])[-1]

    async def scenario(model: Model) -> list[int]:
        model.runner._in_flight, model.runner._pace = in_flight, Pace(batch=batch)
        return await take(model.runner.generate(PROMPT, sampling), 12)

    assert run(path, device, scenario, cache_bits=32) == ids[len(PROMPT) :]


@pytest.mark.parametrize("architecture", ["gemma4", "gemma3n"])
def test_layers_that_share_keys_take_the_last_token_of_a_prompt_alone(
    architecture: str, device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_tiny(tmp_path / "tiny.gguf", TINY[architecture])
    prompt, steps = [3 + 7 * i % 500 for i in range(40)], []

    async def scenario(model: Model) -> list[int]:
        submit = model.runner._submit

        def noted(count: int, kind: Kind, times: int = 1) -> Any:
            steps.append((count, kind))
            return submit(count, kind, times)

        monkeypatch.setattr(model.runner, "_submit", noted)
        return await take(model.runner.generate(prompt, Sampling()), 3)

    got = run(path, device, scenario)
    prefill = steps[: next(i for i, (_, kind) in enumerate(steps) if kind == "sample") + 1]
    assert prefill[-1] == (1, "sample")
    assert sum(count for count, _ in prefill) == len(prompt)
    reference = NumpyModel(path, np.float64)
    expected: list[int] = []
    while len(expected) < 3:
        expected.append(int(reference.logits(prompt if not expected else expected[-1:])[-1].argmax()))
    assert got == expected


def test_prompt_longer_than_a_step_and_growing_cache(
    path: Path, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A prompt in several steps, and an answer past the cache's first size, give what a single step gives."""
    prompt = [int(i) for i in np.random.default_rng(0).integers(3, 512, 70)]

    async def scenario(model: Model) -> list[int]:
        return await take(model.runner.generate(prompt, Sampling()), 40)

    expected = run(path, device, scenario)
    monkeypatch.setattr("py_wgml.generate.runner._PAGE", 80)

    async def in_steps(model: Model) -> list[int]:
        model.runner._step_size = 16
        assert await take(model.runner.generate(prompt[:40], Sampling()), 1)
        before, length = dict(model.runner.steps.programs), model.runner._cache.length
        answer = await take(model.runner.generate(prompt, Sampling()), 40)
        # What was recorded before is used on.
        assert model.runner._cache.length > length
        assert all(model.runner.steps.programs[key][0] is program for key, (program, _) in before.items())
        return answer

    assert run(path, device, in_steps) == expected


def test_no_memory_for_a_longer_conversation(path: Path, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("py_wgml.generate.runner._PAGE", 32)

    async def scenario(model: Model) -> None:
        first = await take(model.runner.generate(PROMPT, Sampling()), 3)

        async def none_left() -> NoReturn:
            raise WgmlError("no memory left")

        monkeypatch.setattr(model.runner.device, "allocated", none_left)
        with pytest.raises(WgmlError, match="no memory left: conversations end at 32 tokens"):
            await take(model.runner.generate(PROMPT, Sampling()), 40)
        # It is as good as before for what fits.
        assert model.runner.context == 32
        assert await take(model.runner.generate(PROMPT, Sampling()), 3) == first

    run(
        path, device, scenario, speculate=False
    )  # a check would be the first to miss memory, where there is time for one


@pytest.mark.parametrize("architecture", ["llama", "lfm2"])
def test_what_was_processed_is_reused(architecture: str, device: Device, tmp_path: Path) -> None:
    """Whatever it is that a layer keeps, it keeps it for every position: conversations can go on from any."""
    path = write_tiny(tmp_path / "tiny.gguf", TINY[architecture])

    async def scenario(model: Model) -> None:
        runner = model.runner
        runner._step_size = 16
        first = await take(runner.generate(PROMPT, Sampling()), 5)
        longer = [*PROMPT, *first[:3], 7, 8, 9]
        processed: list[int] = []
        assert runner.reused(longer) == len(PROMPT) + 3
        again = await take(runner.generate(longer, Sampling(), processed.append), 6)
        assert processed == []  # it took a single step
        # A regenerated answer processes the last token of its prompt alone.
        assert runner.reused(PROMPT) == len(PROMPT) - 1
        assert await take(runner.generate(PROMPT, Sampling()), 5) == first
        # Another beginning: nothing is reused.
        assert runner.reused([2, *longer[1:]]) == 0
        runner.forget()
        assert runner.reused(longer) == 0
        assert await take(runner.generate(longer, Sampling()), 6) == again

    run(path, device, scenario)


def test_context_full(path: Path, device: Device) -> None:
    async def scenario(model: Model) -> None:
        assert model.runner.context == 24
        tokens = [t async for t in model.runner.generate(PROMPT, Sampling())]
        # The last token has no room any more, but was sampled.
        assert len(tokens) == 24 - len(PROMPT) + 1
        generation = model.generate([{"role": "user", "content": "a"}], temperature=0)
        async for _ in generation:
            pass
        assert generation.reason == "context"
        with pytest.raises(WgmlError, match="has 25 tokens, the context only 24"):
            await take(model.runner.generate([3] * 25, Sampling()), 1)

    run(path, device, scenario, context=24)


def test_chat(path: Path, device: Device) -> None:
    async def scenario(model: Model) -> None:
        chat = model.chat(system="Be brief.")
        text = "".join([piece async for piece in chat.send("hello", max_tokens=6, seed=3)])
        assert chat.last is not None
        usage = chat.last.usage
        assert text and chat.last.reason == "length" and usage.completion_tokens == 6
        assert [m["role"] for m in chat.messages] == ["system", "user", "assistant"]
        assert chat.messages[-1]["content"] == text
        async for _ in chat.send("more", max_tokens=2):
            pass
        # The second turn takes up what the first had processed: system prompt and question at least.
        assert chat.last.usage.cached_tokens >= usage.prompt_tokens

        again = model.chat(system="Be brief.")
        assert text == "".join([piece async for piece in again.send("hello", max_tokens=6, seed=3)])

        stopping = again.send("go on")
        await anext(stopping)
        again.stop()
        assert len([piece async for piece in stopping]) <= 1
        assert again.last is not None and again.last.reason == "stopped"

    run(path, device, scenario)


def test_going_on_with_an_answer(path: Path, device: Device) -> None:
    async def scenario(model: Model) -> None:
        question = [{"role": "user", "content": "hello"}]
        begun = {"role": "assistant", "content": " so", "reasoning_content": "why"}
        asked = model.prompt(question)
        assert model.prompt([*question, begun]) == asked + model.tokenizer.encode("<think>why</think> so")
        assert [piece async for piece in model.generate(question, max_tokens=1)]
        more = model.generate([*question, begun], max_tokens=1)
        assert [piece async for piece in more] and more.usage.cached_tokens >= len(asked)

    run(path, device, scenario)


def test_the_oldest_messages_make_room(path: Path, device: Device) -> None:
    async def scenario(model: Model) -> None:
        def talk(turns: int, words: int) -> list[dict[str, Any]]:
            roles = ("user", "assistant")
            return [{"role": roles[i % 2], "content": f"{i}" + "x" * words} for i in range(2 * turns - 1)]

        assert model.overflow(talk(2, 5)) == 0
        system = {"role": "system", "content": "be"}
        messages = [system, *talk(5, 5)]
        count = model.overflow(messages)
        left = [system, *messages[1 + count :]]
        assert count > 0 and left[1]["role"] == "user"
        assert len(model.prompt(left)) <= model.runner.context // 2
        assert (
            len(model.prompt([system, *messages[count - 1 :]])) > model.runner.context // 2
        )  # and no more than need be
        assert model.overflow(talk(2, 500)) == 2  # the last question stays, too long as it is

    run(path, device, scenario)


def test_tools_are_part_of_the_prompt(path: Path, device: Device) -> None:
    """They are counted where messages make room, and reused like the rest; what is wrong with them is said."""

    async def scenario(model: Model) -> None:
        model.template = ChatTemplate("{{ tools | tojson if tools }}{{ thinking }}" + CHATML)
        chat, tools = model.chat(), [{"type": "function", "function": {"name": "now"}}]
        options: Options = {"tools": tools, "chat_template_kwargs": {"thinking": "on"}, "max_tokens": 1}
        assert model.prompt_text([], tools, thinking="on") == json.dumps(tools) + "on<|im_start|>assistant\n"
        assert [piece async for piece in chat.send("when?", **options)]
        assert chat.last is not None
        first = chat.last.usage.prompt_tokens
        call = {"type": "function", "function": {"name": "now"}}
        chat.messages[-1] = {**chat.messages[-1], "content": None, "tool_calls": [call]}
        with pytest.raises(WgmlError, match="results must come"):
            model.generate(chat.messages, tools=tools)
        assert [piece async for piece in chat.send({"role": "tool", "content": "soon"}, **options)]
        assert [m["role"] for m in chat.messages] == ["user", "assistant", "tool", "assistant"]
        assert chat.last.usage.cached_tokens >= first

        messages = [{"role": role, "content": "x"} for role in ("user", "assistant", "user")]
        assert (model.overflow(messages), model.overflow(messages, tools, thinking="on" * 20)) == (0, 2)
        with pytest.raises(WgmlError, match=r"tools\[0\] is not"):
            model.generate([{"role": "user", "content": "hi"}], tools=[{"name": "now"}])

    run(path, device, scenario)


def test_stop_while_the_prompt_is_processed(path: Path, device: Device) -> None:
    async def scenario(model: Model) -> None:
        model.runner._step_size = 16
        generation = model.generate([{"role": "user", "content": "x" * 60}], on_prefill=lambda done: generation.stop())
        assert [piece async for piece in generation] == []
        assert generation.reason == "stopped" and model.runner.context_used <= 48  # one is done, two are under way
        # The runner is fit for the next question.
        assert await take(model.runner.generate(PROMPT, Sampling()), 3)

    run(path, device, scenario)


def test_end_of_generation_and_stop_strings(path: Path, device: Device) -> None:
    async def scenario(model: Model) -> None:
        async def ask(**options: Any) -> tuple[str, Generation]:
            generation = model.generate([{"role": "user", "content": "hi"}], temperature=0, max_tokens=8, **options)
            return "".join([piece async for piece in generation]), generation

        text, _ = await ask()
        cut = text[5:8]
        shorter, generation = await ask(stop=["never there", cut])
        assert shorter == text[: text.index(cut)] and generation.reason == "stop"
        # Declare the third token that it says its end of generation.
        ids = await take(model.runner.generate(model.prompt([{"role": "user", "content": "hi"}]), Sampling()), 3)
        model.tokenizer.eog_ids = frozenset({ids[2]})
        ended, generation = await ask()
        expected = ids.index(ids[2])
        assert generation.reason == "stop" and generation.usage.completion_tokens == expected + 1
        assert text.startswith(ended)

    run(path, device, scenario)


@pytest.mark.parametrize(
    ("pieces", "strings", "shown"),
    [
        (["abc", "def"], (), ["abc", "def"]),
        (["ab", "cd", "ef"], ("cde",), ["ab", "", ""]),
        (["ab", "cd", "xf"], ("cde",), ["ab", "", "cdxf"]),
        (["aaab"], ("aab",), ["a"]),
        (["<", "|", "x"], ("<|end|>",), ["", "", "<|x"]),
    ],
)
def test_stop_strings(pieces: list[str], strings: Sequence[str], shown: list[str]) -> None:
    text = StopStrings(strings)
    assert [text.push(piece) for piece in pieces] == shown


def test_stop_strings_are_found_wherever_text_is_cut() -> None:
    dice = random.Random(1)
    for _ in range(5000):
        strings = ["".join(dice.choices("ab", k=dice.randint(1, 6))) for _ in range(dice.randint(0, 3))]
        whole = "".join(dice.choices("abc", k=dice.randint(0, 30)))
        text, shown, at = StopStrings(strings), "", 0
        while at < len(whole):
            piece = whole[at : at + dice.randint(1, 5)]
            at += len(piece)
            shown += text.push(piece)
            found = min((place for string in strings if (place := whole[:at].find(string)) >= 0), default=None)
            assert text.found == (found is not None)
            if found is not None:
                assert shown == whole[:found]
                break
            assert whole.startswith(shown)
        else:
            assert shown + text.flush() == whole


@pytest.mark.parametrize("string", ["a" * 20_000 + "b", "ab" * 10_000 + "c", "b" + "a" * 20_000])
def test_long_stop_strings_take_work_that_grows_with_the_text(string: str) -> None:
    def push_all() -> None:
        text = StopStrings([string] * 4)
        for _ in range(10_000):
            text.push("abaa")
            text.push("aaaa")

    counted(push_all, limit=5_000_000)


def test_refuses_bad_arguments(path: Path, device: Device) -> None:
    async def scenario(model: Model) -> None:
        hello = [{"role": "user", "content": "hi"}]
        refused: list[tuple[dict[str, Any], str]] = [
            ({"temperature": -1.0}, "temperature is -1.0"),
            ({"max_tokens": 0}, "max_tokens is 0"),
            ({"stop": [""]}, "stop holds an empty text"),
            ({"top_q": 1}, "there is no option top_q; did you mean top_p"),
        ]
        for options, message in refused:
            with pytest.raises(WgmlError, match=message):
                model.generate(hello, **options)
        with pytest.raises(WgmlError, match=r"ids\[0\] is 512; it must lie between 0 and 511"):
            await model.logits([512])
        with pytest.raises(WgmlError, match="no token"):
            await model.logits([])

    run(path, device, scenario)


def test_all_memory_is_given_back(path: Path, device: Device) -> None:
    before = device.memory

    async def scenario(model: Model) -> None:
        await take(model.runner.generate(PROMPT, Sampling()), 3)

    run(path, device, scenario)
    first = device.memory
    run(path, device, scenario)
    # Only the cached uniform buffers stay; the second model finds its own among them.
    assert first - before < 10_000 and device.memory == first


async def not_loaded(model: Model) -> NoReturn:
    pytest.fail("it was loaded")


@pytest.mark.parametrize("cut", [100, 5_000, 100_000])
def test_truncated_files(path: Path, device: Device, cut: int, tmp_path: Path) -> None:
    short = tmp_path / "short.gguf"
    short.write_bytes(path.read_bytes()[:cut])
    before = device.memory
    with pytest.raises(WgmlError, match=r"truncated|can't hold"):
        run(short, device, not_loaded)
    assert device.memory - before < 10_000


def test_a_type_that_can_not_be_used_allocates_nothing(
    path: Path, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("py_wgml.gguf_model.weights.TYPES", ())
    before = device.memory
    with pytest.raises(WgmlError, match=r"is of type F32 \(.*\); supported:"):
        run(path, device, not_loaded)
    assert device.memory == before
