"""Whether a place in a Markdown text is code."""

from __future__ import annotations

import re

_FENCE = re.compile(r"\s*(`{3,}(?=[^`]*$)|~{3,})(.*)")
_HEAD = 200  # characters of a line that are looked at for a fence


class CodeTracker:
    """Reads a text as it comes, in linear time."""

    def __init__(self) -> None:
        self._fence = ""
        self._head = ""  # how the last line begins
        self._ticks = 0  # in it
        self.last = "\n"
        """The last character."""

    def push(self, text: str) -> None:
        """More text."""
        if not text:
            return
        first, *lines = text.split("\n")
        self._go_on(first)
        for line in lines:
            self._end_line()
            self._go_on(line)
        self.last = text[-1]

    @property
    def is_inside(self) -> bool:
        """Whether the next character is part of code: in a block between fences, or between backticks."""
        return bool(self._fence) or self._ticks % 2 == 1

    def _go_on(self, text: str) -> None:
        self._head += text[: _HEAD - len(self._head)]
        self._ticks += text.count("`")

    def _end_line(self) -> None:
        if found := _FENCE.match(self._head):
            if not self._fence:
                self._fence = found[1]
            elif found[1].startswith(self._fence) and not found[2].strip():
                self._fence = ""
        self._head, self._ticks = "", 0
