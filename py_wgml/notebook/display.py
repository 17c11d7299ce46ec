"""An answer where its reader looks: as Markdown in Jupyter and marimo, printed elsewhere, as it comes."""

from __future__ import annotations

import sys
import time
from typing import Any, Protocol

_INTERVAL = 0.1  # seconds between two drawings of an answer


class Drawn:
    """What a notebook draws as the value of a cell, but not in the cell that has shown it already."""

    shown_in: int | None = None  # the number of that cell

    def _ipython_display_(self) -> None:
        shell = _notebook()
        if shell is None or self.shown_in != shell.execution_count:
            raise NotImplementedError  # which tells IPython to draw it


class Answer(Protocol):
    """As much of a Generation as is shown."""

    shown_in: int | None

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
        self._shell = _notebook()
        self._marimo = _marimo()

    def update(self, answer: Answer) -> None:
        """It has grown: what is new is printed, or, at most ten times a second, all of it drawn."""
        if self._shell is None and self._marimo is None:
            self._print(answer.text)
        elif (now := time.perf_counter()) >= self._next:
            self._next = now + _INTERVAL
            self._draw(answer)

    def end(self, answer: Answer) -> None:
        """There comes no more of it."""
        if self._marimo is not None:
            self._draw(answer)
            return
        if self._shell is not None:
            self._draw(answer)
            answer.shown_in = self._shell.execution_count
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
        if self._marimo is not None:  # where the answer, as the value of its cell, takes the place of this
            self._marimo.output.replace(self._marimo.md(answer._repr_markdown_()))
            return
        from IPython.display import display

        data = {"text/markdown": answer._repr_markdown_(), "text/plain": answer.text}
        if self._handle is None:
            self._handle = display(data, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(data, raw=True)


def _notebook() -> Any:
    """IPython's shell, where it runs this and can draw; None in its terminal."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return None if type(shell).__name__ == "TerminalInteractiveShell" else shell


def _marimo() -> Any:
    """marimo's module, where a notebook of its runs this."""
    module = sys.modules.get("marimo")
    return module if getattr(module, "running_in_notebook", bool)() else None
