"""What an answer begins from, what it is made of as it comes, and who tells its parts from one another."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
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
    """The splitter of answers that are all text."""

    def push(self, text: str, is_mark: bool = False) -> Part:
        """See Splitter."""
        return Part(text=text)

    def flush(self) -> Part:
        """See Splitter."""
        return Part()


@dataclass(frozen=True)
class Prompt:
    """What an answer begins from.

    ids: the tokens before it. splitter: tells its reasoning from its text (default: all is text). shown: ids of control
    tokens that are part of it. continuing: it goes on with text that the prompt ends with. dropped: messages that were
    left out, for want of room.
    """

    ids: Sequence[int]
    splitter: Splitter = field(default_factory=PlainSplitter)
    shown: Container[int] = frozenset()
    continuing: bool = False
    dropped: int = 0
