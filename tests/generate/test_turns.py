"""Several who ask one model at once: each gets what it would have got alone, and nobody waits for ever."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

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
