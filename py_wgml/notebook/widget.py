"""A small chat in a notebook, by anywidget: in JupyterLab, JupyterLite, marimo and wherever else that works.

What is shown are the widget's traits: every view of it shows the same, and one that is drawn again what there was. A
view sends what its reader wants as a message: {"type": "send", "text": ...}, or "stop", "retry" or "clear" alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from ..errors import WgmlError, said

try:
    import anywidget
    import traitlets
    from markdown_it import MarkdownIt
except ImportError as error:
    raise WgmlError("a widget needs packages that are not installed: pip install py-wgml[notebook]") from error

_HERE = Path(__file__).parent
_INTERVAL = 0.1  # seconds between two states of an answer
_SHARE = 4  # times as long as it takes to make one, at least

_NOTES = {
    "length": "Cut off.",
    "stopped": "Stopped.",
    "context": "Cut off: the conversation fills the model's context.",
}

_tasks: set[asyncio.Future[None]] = set()  # which nothing else refers to


@cache
def _markdown() -> MarkdownIt:
    """Without HTML, and without pictures: showing one asks its server."""
    made = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")
    made.add_render_rule("link_open", _link)
    return made


def _link(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    for name, value in {"target": "_blank", "rel": "noopener noreferrer"}.items():
        tokens[index].attrSet(name, value)
    return str(renderer.renderToken(tokens, index, options, env))


def _html(text: str) -> str:
    return str(_markdown().render(text))


def _turn(message: Mapping[str, Any], note: str = "") -> dict[str, str]:
    """A message as a view shows it."""
    content = message.get("content") or ""
    text = content if isinstance(content, str) else "\n\n".join(str(part.get("text", "")) for part in content)
    calls = [call["function"] for call in message.get("tool_calls") or ()]
    text = "\n\n".join(filter(None, [text, *(f"`{call['name']}({call['arguments']})`" for call in calls)]))
    thoughts = str(message.get("reasoning_content") or "")
    return {"role": str(message["role"]), "html": _html(text), "thoughts": thoughts and _html(thoughts), "note": note}


def _turns(messages: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    return [_turn(message) for message in messages]


def _of_answer(answer: Answer, ended: bool = False) -> dict[str, str]:
    note = _NOTES.get(answer.reason, "") if ended else ""
    message = {"content": answer.text, "reasoning_content": answer.reasoning, "tool_calls": answer.tool_calls}
    return _turn({"role": "assistant", **message}, note)


class Answer(Protocol):
    """As much of a Generation as is shown."""

    @property
    def text(self) -> str: ...
    @property
    def reasoning(self) -> str: ...
    @property
    def tool_calls(self) -> list[dict[str, Any]]: ...
    @property
    def reason(self) -> str: ...


class Conversation(Protocol):
    """As much of a Chat as a widget needs."""

    messages: list[Mapping[str, Any]]

    @property
    def follow(self) -> Callable[..., AsyncGenerator[Answer, None]]: ...
    def stop(self) -> None: ...


class ChatWidget(anywidget.AnyWidget):
    """A chat to be talked to. options: as for `Model.generate`, of all answers. begin: what a coroutine is done by.

    `chat` is the conversation; what is said to that elsewhere is seen here with the next answer.
    """

    _esm = _HERE / "widget.js"
    _css = _HERE / "widget.css"
    turns = traitlets.List(traitlets.Dict(), help="role, html, thoughts, note: of each message").tag(sync=True)
    answer = traitlets.Dict(help="likewise: the one that is under way, if one is").tag(sync=True)
    busy = traitlets.Bool(False, help="whether there is one").tag(sync=True)
    error = traitlets.Unicode("", help="why there is none").tag(sync=True)

    def __init__(
        self,
        chat: Conversation,
        options: Mapping[str, Any] | None = None,
        begin: Callable[[Coroutine[Any, Any, None]], object] | None = None,
    ) -> None:
        super().__init__()
        self.chat, self._options, self._begin = chat, dict(options or {}), begin or _begin
        self._first = len(chat.messages)  # those before are not the widget's to clear
        self._last: tuple[str, list[Mapping[str, Any]]] | None = None  # the last question, and what came before it
        self.turns = _turns(chat.messages)
        self.on_msg(self._asked)

    def _asked(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """A view's message."""
        kind = content.get("type") if isinstance(content, Mapping) else None
        if kind == "stop":
            self.chat.stop()
        elif self.busy:
            return  # another view was sooner
        elif kind == "send" and isinstance(text := content.get("text"), str) and text.strip():
            self._say(text)
        elif kind == "retry":
            self._retry()
        elif kind == "clear":
            self.chat.messages = self.chat.messages[: self._first]
            self.turns, self.error, self._last = _turns(self.chat.messages), "", None

    def _retry(self) -> None:
        """Answer the last question anew."""
        if self._last:
            text, self.chat.messages = self._last
            self._say(text)

    def _say(self, text: str) -> None:
        self._last = text, self.chat.messages
        self.turns = [*_turns(self.chat.messages), _turn({"role": "user", "content": text})]
        self.busy, self.error, self.answer = True, "", {"role": "assistant", "html": "", "thoughts": "", "note": ""}
        try:
            self._begin(self._answer(text))
        except WgmlError as error:
            self.answer, self.busy, self.error = {}, False, str(error)

    async def _answer(self, text: str) -> None:
        due = 0.0
        answer = None
        try:
            async for answer in self.chat.follow(text, **self._options):
                if (began := time.perf_counter()) >= due:
                    self.answer = _of_answer(answer)
                    due = began + max(_INTERVAL, _SHARE * (time.perf_counter() - began))
        except Exception as error:  # whatever it is, its reader is to see it
            self.error = said(error, 500)
        finally:
            with self.hold_sync():  # the answer is never seen twice
                if answer is not None:  # else the question was refused, and is no part of the conversation
                    self.turns = [*_turns(self.chat.messages[:-1]), _of_answer(answer, ended=True)]
                self.answer, self.busy = {}, False


def _begin(work: Coroutine[Any, Any, None]) -> None:
    """Have it done by the loop that runs, which most notebooks have."""
    try:
        task = asyncio.get_running_loop().create_task(work)
    except RuntimeError:
        work.close()
        raise WgmlError("no event loop runs here: load the model with py_wgml.load instead") from None
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
