"""Several who ask one model at once: each gets what it would have got alone, and nobody waits for ever."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import gpus
import pytest
import tiny

from py_wgml import Model
from py_wgml.errors import WgmlError
from py_wgml.generate import turns
from py_wgml.gpu import Device

PROMPTS = ["one", "two words", "and three words"]


def asked(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


async def said(model: Model, text: str, **options: Any) -> str:
    return "".join([piece async for piece in model.generate(asked(text), max_tokens=24, seed=3, **options)])


def run(device: Device, tmp_path: Path, test: Any) -> None:
    async def main() -> None:
        path = tmp_path / "tiny.gguf"
        tiny.write_tiny_llama(path)
        model = await Model.load(path, device=device)
        try:
            await asyncio.wait_for(test(model), 120)
        finally:
            model.destroy()

    asyncio.run(main())


def test_at_once_as_one_after_the_other(device: Device, tmp_path: Path) -> None:
    async def test(model: Model) -> None:
        alone = [await said(model, prompt, temperature=1.0) for prompt in PROMPTS]
        assert len(set(alone)) == len(PROMPTS)
        together = await asyncio.gather(*(said(model, prompt, temperature=1.0) for prompt in PROMPTS))
        assert together == alone

    run(device, tmp_path, test)


def test_logits_wait_for_an_answer(device: Device, tmp_path: Path) -> None:
    async def test(model: Model) -> None:
        alone, logits = await said(model, "one"), await model.logits([1, 2, 3])
        text, (first, second) = await asyncio.gather(
            said(model, "one"), asyncio.gather(model.logits([1, 2, 3]), model.logits([1, 2, 3]))
        )
        assert text == alone
        assert (first == logits).all()
        assert (second == logits).all()

    run(device, tmp_path, test)


def test_an_answer_that_nobody_reads_on_holds_nobody_up(
    device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 0.05)

    async def test(model: Model) -> None:
        alone = [await said(model, prompt) for prompt in PROMPTS[:2]]
        begun = model.generate(asked(PROMPTS[0]), max_tokens=24, seed=3).__aiter__()
        pieces = [await anext(begun) for _ in range(3)]  # and then its reader does something else
        assert await said(model, PROMPTS[1]) == alone[1]
        pieces += [piece async for piece in begun]
        assert "".join(pieces) == alone[0]

    run(device, tmp_path, test)


def test_a_hundred_chats_at_once_in_the_order_of_arrival(tmp_path: Path) -> None:
    """Each as it is alone, beside whatever else a model is asked; who is stopped or cancelled leaves the line."""
    asked_at_once = 100

    async def test(model: Model) -> None:
        async def answer(number: int) -> str:
            chat = model.chat()
            pieces = [piece async for piece in chat.send(f"{number} {number * number}", max_tokens=4)]
            ended.append(number)
            return "".join(pieces)

        ended: list[int] = []
        alone = [await answer(number) for number in range(asked_at_once)]
        logits, ids = await model.logits([1, 2, 3]), model.prompt(asked("one"))
        seen = (await model.inspect(ids)).likeliest
        ended.clear()
        tasks = [asyncio.create_task(answer(number)) for number in range(asked_at_once)]
        await asyncio.sleep(0)
        stopped = model.generate(asked("never"))
        waiting = asyncio.create_task(anext(aiter(stopped), None))
        beside = asyncio.gather(model.logits([1, 2, 3]), model.inspect(ids), model.rewrite(None))
        lost = {7, 23, 99}
        for number in lost:
            tasks[number].cancel()
        await asyncio.sleep(0)
        assert not ended
        stopped.stop()
        assert await waiting is None  # at once, and not when its turn comes
        assert len(ended) < asked_at_once // 2
        assert (stopped.reason, stopped.text) == ("stopped", "")
        texts = await asyncio.gather(*tasks, return_exceptions=True)
        assert [text for text in texts if isinstance(text, str)] == [
            text for number, text in enumerate(alone) if number not in lost
        ]
        assert ended == [number for number in range(asked_at_once) if number not in lost]
        again, looked, _ = await beside
        assert (again == logits).all()
        assert (looked.likeliest == seen).all()

    run(gpus.device("naga"), tmp_path, test)


def test_others_run_while_a_model_works(tmp_path: Path) -> None:
    async def test(model: Model) -> None:
        rounds = 0

        async def count() -> None:
            nonlocal rounds
            while True:
                await asyncio.sleep(0)
                rounds += 1

        counting, found = asyncio.create_task(count()), []
        async for _ in model.generate(asked("one"), max_tokens=4, seed=3):
            found.append(rounds)
        counting.cancel()
        assert found[0] > 0
        assert found[-1] > found[0]

    run(gpus.device("naga"), tmp_path, test)


def test_its_own_reader_may_ask_for_something_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And waits for nothing: neither for itself nor for what it has left."""
    monkeypatch.setattr(turns, "PATIENCE", 1000.0)

    async def test(model: Model) -> None:
        alone, logits = await said(model, "one"), await model.logits([1, 2, 3])
        pieces = []
        async for piece in model.generate(asked("one"), max_tokens=24, seed=3):
            pieces.append(piece)
            if len(pieces) == 3:
                assert (await model.logits([1, 2, 3]) == logits).all()
        assert "".join(pieces) == alone
        form = [
            piece
            async for piece in model.generate(asked("one"), choices=["yes"])
            if len(await model.logits([1])) and piece
        ]
        assert "".join(form) == "yes"  # though it has given way at each token, and at the last

    run(gpus.device("naga"), tmp_path, test)


def test_an_answer_that_was_left_or_cancelled_ends_its_turn(device: Device, tmp_path: Path) -> None:
    async def test(model: Model) -> None:
        alone = await said(model, "one")
        async for _ in model.generate(asked("two")):
            break
        assert await said(model, "one") == alone
        endless = [asyncio.create_task(said(model, "two")) for _ in range(3)]
        await asyncio.sleep(0)
        for task in endless[1:]:
            task.cancel()
        assert await said(model, "one") == alone
        assert [task.cancelled() for task in endless] == [False, True, True]
        with pytest.raises(WgmlError, match="temperature"):
            model.generate(asked("one"), temperature="0.7")  # type: ignore[arg-type]
        assert await said(model, "one") == alone

    run(device, tmp_path, test)


def test_a_model_that_is_destroyed_ends_its_answers(device: Device, tmp_path: Path) -> None:
    async def test(model: Model) -> None:
        generation = model.generate(asked("one")).__aiter__()
        await anext(generation)
        waiting = asyncio.create_task(said(model, "two"))
        await asyncio.sleep(0)
        model.destroy()
        with pytest.raises(WgmlError, match="the model was destroyed"):
            async for _ in generation:
                pass
        with pytest.raises(WgmlError, match="the model was destroyed"):
            await waiting
        with pytest.raises(WgmlError, match="the model was destroyed"):
            await model.logits([1])

    run(device, tmp_path, test)
