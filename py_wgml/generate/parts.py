"""What an answer is made of as it comes, and who tells its parts from one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Part:
    """What has come of an answer: first what was thought, then what was said."""

    reasoning: str = ""
    text: str = ""
    recast: bool = False
    """All text of the parts before turned out to be reasoning."""

    def __bool__(self) -> bool:
        return bool(self.reasoning or self.text or self.recast)

    def __add__(self, later: Part) -> Part:
        """Both as one."""
        if later.recast:
            return Part(self.reasoning + self.text + later.reasoning, later.text, True)
        return Part(self.reasoning + later.reasoning, self.text + later.text, self.recast)


class Splitter(Protocol):
    """Tells an answer's reasoning from its text."""

    def push(self, text: str, is_mark: bool = False) -> Part:
        """More of the answer -> what it adds. is_mark: it is a control token."""

    def flush(self) -> Part:
        """What was held back, at the end of the answer."""


class PlainSplitter:
    """For answers that are all text."""

    def push(self, text: str, is_mark: bool = False) -> Part:
        """See Splitter."""
        return Part(text=text)

    def flush(self) -> Part:
        """See Splitter."""
        return Part()
