"""Answers as they are shown: in IPython as it draws them in a notebook, and where there is none."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gpus
import IPython
import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from IPython.terminal.interactiveshell import TerminalInteractiveShell
from tiny import write_tiny_llama

from py_wgml import Model, load
from py_wgml.notebook.display import Screen

OPTIONS: Any = {"max_tokens": 12, "seed": 1}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_llama(tmp_path_factory.mktemp("model") / "tiny.gguf")


@pytest.fixture
def outputs(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What a notebook's kernel is told to draw."""
    shell: Any = InteractiveShell()  # type: ignore[no-untyped-call]
    publisher = shell.display_pub = CapturingDisplayPublisher()  # type: ignore[no-untyped-call]
    monkeypatch.setattr(InteractiveShell, "_instance", shell)
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    monkeypatch.setattr(InteractiveShell, "initialized", classmethod(lambda cls: True))
    return publisher.outputs


def test_an_answer_grows_in_one_place(path: Path, outputs: list[dict[str, Any]], monkeypatch: Any) -> None:
    monkeypatch.setattr("py_wgml.notebook.display._INTERVAL", 0)

    async def run() -> Any:
        async with await Model.load(path, False, gpus.device("naga")) as model:
            chat = model.chat()
            answer = await chat.show("Hi", **OPTIONS)
            assert chat.last is answer
            assert chat._repr_markdown_() == f"**User**\n\nHi\n\n**Assistant**\n\n{answer._repr_markdown_()}"
            return answer

    answer = asyncio.run(run())
    shell: Any = IPython.get_ipython()
    assert shell.display_formatter.format(answer)[0] == {}  # at the end of its cell it is not drawn once more
    shell.execution_count += 1
    assert shell.display_formatter.format(answer)[0]["text/markdown"] == answer._repr_markdown_()
    drawn = [output["data"] for output in outputs]
    assert len(drawn) > 4 and drawn[-1] == {"text/markdown": answer._repr_markdown_(), "text/plain": answer.text}
    assert [output["update"] for output in outputs] == [False] + [True] * (len(drawn) - 1)
    assert len({output["transient"]["display_id"] for output in outputs}) == 1
    assert all(answer.text.startswith(data["text/plain"]) for data in drawn)


def test_without_await_and_without_a_notebook(path: Path, capsys: Any, outputs: list[dict[str, Any]]) -> None:
    with load(path, on_progress=False, device=gpus.device("naga")) as model:
        drawn = model.chat().show("Hi", **OPTIONS)
        assert outputs[-1]["data"]["text/plain"] == drawn.text
        assert IPython.get_ipython().display_formatter.format(drawn)[0] == {}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("IPython.get_ipython", lambda: object.__new__(TerminalInteractiveShell))
            assert model.chat().show("Hi", **OPTIONS).text == drawn.text
            patch.delitem(sys.modules, "IPython")
            model.chat().show("Hi", **OPTIONS)
    assert capsys.readouterr().out == f"{drawn.text}\n" * 2


class Answer:
    """Of a model that thinks, calls, and turns out to have thought what it said."""

    def __init__(self, text: str, calls: int = 0) -> None:
        self.text = text
        self.tool_calls = [{"function": {"name": "f", "arguments": "{}"}}] * calls

        self.shown_in: int | None = None

    def _repr_markdown_(self) -> str:
        return self.text


def test_marimo_draws_it_as_what_its_cell_gives(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Any] = []
    inside = SimpleNamespace(
        running_in_notebook=lambda: True, md=str.upper, output=SimpleNamespace(replace=drawn.append)
    )
    monkeypatch.setitem(sys.modules, "marimo", inside)
    screen = Screen()
    for text in ("", "a", "ab"):  # within a moment: the first is drawn alone
        screen.update(Answer(text))
    screen.end(Answer("ab"))
    assert drawn == ["", "AB"] and not capsys.readouterr().out
    inside.running_in_notebook = lambda: False  # as a script
    Screen().end(Answer("ab"))
    assert len(drawn) == 2 and capsys.readouterr().out == "ab\n"


def test_what_is_printed(capsys: Any) -> None:
    screen = Screen()
    for text in ("", "a", "ab", "", "c"):
        screen.update(Answer(text))
    screen.end(Answer("c", calls=2))
    assert capsys.readouterr().out == "ab\nc\nf({})\nf({})\n"
