"""The chat's widget: what its views ask of it, and what they are shown, with anywidget itself."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import gpus
import pytest
from tiny import write_tiny_llama

from py_wgml import Model, WgmlError, load
from py_wgml.notebook.widget import ChatWidget

OPTIONS: Any = {"max_tokens": 12, "seed": 1}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_llama(tmp_path_factory.mktemp("model") / "tiny.gguf")


def ask(widget: ChatWidget, type: Any, **more: Any) -> None:
    """What a view sends, as it comes from it."""
    data = {"method": "custom", "content": {"type": type, **more}}
    widget._handle_msg({"content": {"data": data}, "buffers": []})


def roles(widget: ChatWidget) -> list[str]:
    return [turn["role"] for turn in widget.turns]


def test_a_question_is_answered(path: Path) -> None:
    async def run() -> None:
        async with await Model.load(path, False, gpus.device("naga")) as model:
            chat = model.chat("Be brief.")
            widget = chat.widget(**OPTIONS)
            assert (roles(widget), widget.answer, widget.busy) == (["system"], {}, False)
            states: list[Any] = []
            widget.observe(lambda change: states.append(change["new"]), "answer")
            ask(widget, "send", text="Hi *you*")
            assert (roles(widget), widget.busy) == (["system", "user"], True)
            assert widget.turns[1]["html"] == "<p>Hi <em>you</em></p>\n"
            ask(widget, "send", text="Me too")  # another view's: it is late
            await ended(widget)
            assert roles(widget) == ["system", "user", "assistant"] and widget.answer == {} and not widget.error
            assert chat.last is not None and chat.messages[2]["content"] == chat.last.text
            assert widget.turns[2]["note"] == "Cut off." and widget.turns[2]["html"]
            assert states[0] == {"role": "assistant", "html": "", "thoughts": "", "note": ""} and states[-1] == {}
            first = chat.last
            ask(widget, "retry")
            await ended(widget)
            assert chat.last is not first and [m["role"] for m in chat.messages] == roles(widget)
            ask(widget, "clear")
            assert roles(widget) == ["system"] and len(chat.messages) == 1

    asyncio.run(run())


async def ended(widget: ChatWidget) -> None:
    while widget.busy:
        await asyncio.sleep(0.01)


def test_without_await(path: Path) -> None:
    with load(path, on_progress=False, device=gpus.device("naga")) as model:
        chat = model.chat()
        widget = chat.widget(**OPTIONS)
        ask(widget, "send", text="Hi")
        while widget.busy:
            time.sleep(0.01)
        assert roles(widget) == ["user", "assistant"] == [m["role"] for m in chat.messages]


class Answer:
    def __init__(self, text: str, reasoning: str = "", reason: str = "stop") -> None:
        self.text, self.reasoning, self.reason = text, reasoning, reason
        self.tool_calls: list[Any] = []


class Scripted:
    """A chat that answers what it is told to."""

    def __init__(self, *answers: Any) -> None:
        self.messages: list[Any] = []
        self.answers = answers
        self.stopped = False
        self.go = asyncio.Event()

    async def follow(self, message: str, **options: Any) -> AsyncGenerator[Any, None]:
        if message == "refuse":
            raise WgmlError("the conversation is too long")
        self.messages = [*self.messages, {"role": "user", "content": message}, {"role": "assistant", "content": ""}]
        for answer in self.answers:
            if isinstance(answer, Exception):
                raise answer
            yield answer
            await self.go.wait()

    def stop(self) -> None:
        self.stopped = True
        self.answers[-1].reason = "stopped"
        self.go.set()


def test_what_is_shown() -> None:
    async def run() -> None:
        chat = Scripted(Answer("", "a\n\n- b"), Answer("<b>c</b> ![d](https://e.example) [f](javascript:g)", "a"))
        widget = ChatWidget(chat)
        ask(widget, "send", text="d")
        await asyncio.sleep(0)
        assert widget.answer["thoughts"] == "<p>a</p>\n<ul>\n<li>b</li>\n</ul>\n"
        ask(widget, "stop")
        await ended(widget)
        assert chat.stopped and widget.turns[1]["note"] == "Stopped."
        assert "<b>" not in widget.turns[1]["html"] and "<img" not in widget.turns[1]["html"]
        assert 'href="javascript' not in widget.turns[1]["html"]
        link = '<p><a href="https://a.example" target="_blank" rel="noopener noreferrer">b</a></p>\n'
        chat.answers = (Answer("[b](https://a.example)"),)
        ask(widget, "send", text="e")
        await ended(widget)
        assert [turn["html"] for turn in widget.turns[2:]] == ["<p>e</p>\n", link]

    asyncio.run(run())


def test_what_goes_wrong_is_told() -> None:
    async def run() -> None:
        widget = ChatWidget(chat := Scripted(Answer("a"), ValueError("of\nmine")))
        chat.go.set()
        ask(widget, "send", text="refuse")
        await ended(widget)
        assert ([turn["html"] for turn in widget.turns], chat.messages) == (["<p>refuse</p>\n"], [])
        assert widget.error == "the conversation is too long"
        ask(widget, "retry")
        await ended(widget)
        assert (len(widget.turns), widget.error) == (1, "the conversation is too long")
        ask(widget, "send", text="b")
        await ended(widget)
        assert widget.error == "of mine" and [turn["html"] for turn in widget.turns] == ["<p>b</p>\n", "<p>a</p>\n"]
        odd: list[Any] = [("send", {"text": " "}), ("send", {"text": 5}), ("send", {}), ("what", {}), (None, {})]
        for type, more in odd:
            ask(widget, type, **more)
        widget._handle_custom_msg(["no", "dict"], [])
        assert not widget.busy and len(widget.turns) == 2
        ask(widget, "clear")
        assert (widget.turns, widget.error, chat.messages) == ([], "", [])
        ask(widget, "retry")
        assert not widget.busy

    asyncio.run(run())


def test_a_host_without_a_loop() -> None:
    ask(widget := ChatWidget(Scripted(Answer("a"))), "send", text="b")
    assert (widget.busy, widget.answer, len(widget.turns)) == (False, {}, 1)
    assert "py_wgml.load" in widget.error


def test_the_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anywidget", None)
    monkeypatch.delitem(sys.modules, "py_wgml.notebook.widget")
    with pytest.raises(WgmlError, match=r"pip install py-wgml\[notebook\]"):
        __import__("py_wgml.notebook.widget")
