"""The interface without `await`: what it gives is what the other one gives, from any thread, and Ctrl-C is no end."""

from __future__ import annotations

import _thread
import asyncio
import inspect
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gpus
import pytest
import tiny

import py_wgml
from py_wgml import Chat, Generation, Model, SyncChat, SyncGeneration, SyncModel, WgmlError
from py_wgml.generate import turns
from web.build import paths

ONE = [{"role": "user", "content": "one"}]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sync") / "tiny.gguf"
    tiny.write_tiny_llama(path)
    return path


@pytest.fixture(scope="module")
def model(path: Path) -> Iterator[SyncModel]:
    with py_wgml.load(path, device=gpus.device("naga"), context=512) as model:
        yield model
    with pytest.raises(WgmlError, match="the model was destroyed"):
        model.logits([1])


@pytest.mark.parametrize(("own", "other"), [(SyncModel, Model), (SyncChat, Chat), (SyncGeneration, Generation)])
def test_it_has_what_the_other_has(own: type, other: type) -> None:
    """By name, and with the same parameters."""
    for name, member in vars(other).items():
        if name.startswith("_") or isinstance(member, classmethod):
            continue
        assert hasattr(own, name), name
        if inspect.isfunction(member) and name != "generate":
            given = inspect.signature(getattr(own, name)).parameters.values()
            assert [(one.name, one.kind) for one in given] == [
                (one.name, one.kind) for one in inspect.signature(member).parameters.values()
            ]


def test_answers_are_those_of_the_other(model: SyncModel, path: Path) -> None:
    async def other() -> tuple[str, Any]:
        async with await Model.load(path, device=gpus.device("naga"), context=512) as model:
            chat = model.chat("Be brief.")
            said = [piece async for piece in chat.send("one", max_tokens=8)]
            return "".join(said), await model.logits([1, 2, 3])

    text, logits = asyncio.run(other())
    chat = model.chat("Be brief.")
    pieces = [*chat.send("one", max_tokens=8)]
    assert chat.last is not None
    assert "".join(pieces) == chat.last.text == chat.messages[-1]["content"] == text
    assert chat.last.usage.completion_tokens == 8
    assert (model.logits([1, 2, 3]) == logits).all()
    assert "".join(part.text for part in model.generate(chat.messages[:2], max_tokens=8).parts()) == text
    with pytest.raises(WgmlError, match="makes no vectors"):
        model.embed(["one"])


def test_it_works_beside_a_loop_that_runs(model: SyncModel) -> None:
    """As in a notebook."""
    alone = "".join(model.generate(ONE, max_tokens=4))

    async def cell() -> str:
        return "".join(model.generate(ONE, max_tokens=4))

    assert asyncio.run(cell()) == alone


def test_threads_take_turns(model: SyncModel) -> None:
    def ask(number: int) -> None:
        answers[number] = "".join(model.generate([{"role": "user", "content": str(number)}], max_tokens=8))

    answers: dict[int, str] = {}
    for number in range(4):
        ask(number)
    alone = dict(answers)
    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == alone


def test_an_interruption_ends_that_answer_alone(model: SyncModel) -> None:
    alone = "".join(model.generate(ONE, max_tokens=8))
    answer = model.generate(ONE)
    pieces = iter(answer)
    next(pieces)
    threading.Timer(0.01, _thread.interrupt_main).start()
    with pytest.raises(KeyboardInterrupt):
        list(pieces)
    assert answer.usage.completion_tokens < 400
    assert "".join(model.generate(ONE, max_tokens=8)) == alone


def test_what_was_left_in_the_middle_holds_nobody_up(model: SyncModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 1000.0)
    alone = "".join(model.generate(ONE, max_tokens=8))
    begun = iter(model.generate(ONE, max_tokens=8))
    first = next(begun)
    assert "".join(model.generate(ONE, max_tokens=8)) == alone
    assert first + "".join(begun) == alone
    for _ in model.generate(ONE):
        break
    assert "".join(model.generate(ONE, max_tokens=8)) == alone


def test_what_the_model_calls_can_not_wait_for_it(model: SyncModel, path: Path) -> None:
    with pytest.raises(WgmlError, match="can't wait for the model"):
        py_wgml.load(path, on_header=lambda header: model.logits([1]))


def test_a_script_ends_though_an_answer_was_left(path: Path) -> None:
    script = (
        f"import sys; sys.path[:0] = [{str(paths.ROOT)!r}, {str(paths.ROOT / 'tests')!r}]; import gpus, py_wgml\n"
        f"model = py_wgml.load({str(path)!r}, device=gpus.device('naga'))\n"
        "answer = iter(model.generate([{'role': 'user', 'content': 'one'}]))\n"
        "print(len(next(answer)) > 0, model)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0
    assert done.stdout == "True SyncModel('tiny', chat, 0.1 M parameters)\n"
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
