"""An answer where its reader looks: as Markdown in Jupyter, printed elsewhere, as it comes."""

from __future__ import annotations

import sys
import time
from typing import Any, Protocol

_INTERVAL = 0.1  # seconds between two drawings of an answer


class Answer(Protocol):
    """As much of a Generation as is shown."""

    @property
    def text(self) -> str: ...
    @property
    def tool_calls(self) -> list[dict[str, Any]]: ...
    def _repr_markdown_(self) -> str: ...


class Screen:
    """Shows one answer: `update` it as it grows, and `end` it."""

    def __init__(self) -> None:
        self._printed = ""
        self._next = 0.0
        self._handle: Any = None
        self._is_notebook = _is_notebook()

    def update(self, answer: Answer) -> None:
        """It has grown: what is new is printed, or, at most ten times a second, all of it drawn."""
        if not self._is_notebook:
            self._print(answer.text)
        elif (now := time.perf_counter()) >= self._next:
            self._next = now + _INTERVAL
            self._draw(answer)

    def end(self, answer: Answer) -> None:
        """There comes no more of it."""
        if self._is_notebook:
            self._draw(answer)
            return
        self._print(answer.text)
        for call in answer.tool_calls:
            print(f"\n{call['function']['name']}({call['function']['arguments']})", end="")
        print(flush=True)

    def _print(self, text: str) -> None:
        if not text.startswith(self._printed):  # what was said turned out to be a thought
            print()
            self._printed = ""
        print(text[len(self._printed) :], end="", flush=True)
        self._printed = text

    def _draw(self, answer: Answer) -> None:
        from IPython.display import display

        data = {"text/markdown": answer._repr_markdown_(), "text/plain": answer.text}
        if self._handle is None:
            self._handle = display(data, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(data, raw=True)


def _is_notebook() -> bool:
    """Whether IPython runs this where it can draw; its terminal can't."""
    ask = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)
    shell = ask()
    return shell is not None and type(shell).__name__ != "TerminalInteractiveShell"
