"""What an answer begins from, what it is made of as it comes, and who tells its parts from one another."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..grammar.nodes import EMPTY, Node
from ..values import read_json


@dataclass(frozen=True)
class CallPiece:
    """What has come of a call of a function. The first piece of a call has its id and its name.

    index: of the call in its answer, from 0. arguments: more of their JSON text.
    """

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True)
class Part:
    """What has come of an answer: what was thought, what was said, what was called.

    A call begins when its function is known; what comes of its arguments behind that is told as it was written, which
    is no whole JSON where the answer is cut off or the model errs.
    """

    reasoning: str = ""
    text: str = ""
    recast: bool = False
    """All text of the parts before turned out to be reasoning."""
    calls: tuple[CallPiece, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.reasoning or self.text or self.recast or self.calls)

    def __add__(self, later: Part) -> Part:
        """Both as one."""
        calls = joined_calls((*self.calls, *later.calls)) if later.calls else self.calls
        if later.recast:
            return Part(self.reasoning + self.text + later.reasoning, later.text, True, calls)
        return Part(self.reasoning + later.reasoning, self.text + later.text, self.recast, calls)


@dataclass(frozen=True)
class TokenProbability:
    """A token, and how likely the model found it: the natural logarithm of its probability, by the model's own logits,
    before biases, penalties, the temperature and whatever else `Sampling` asks for.

    text: of a token alone, with U+FFFD for what is no whole character; data: its bytes, of a control token its name.
    top: the likeliest tokens at this place, the first of them first.
    """

    id: int
    text: str
    data: bytes
    logprob: float
    top: tuple[TokenProbability, ...] = ()


def joined_calls(pieces: Iterable[CallPiece]) -> tuple[CallPiece, ...]:
    """All pieces of a call as one."""
    calls: dict[int, list[CallPiece]] = {}
    for piece in pieces:
        calls.setdefault(piece.index, []).append(piece)
    return tuple(
        CallPiece(index, found[0].id, found[0].name, "".join(piece.arguments for piece in found))
        for index, found in calls.items()
    )


def arguments_of(call: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a call of `Generation.tool_calls` calls its function with; None: the model wrote no JSON object."""
    try:
        arguments = read_json(call["function"]["arguments"])
    except ValueError:
        return None
    return arguments if isinstance(arguments, dict) else None


class Splitter(Protocol):
    """Tells an answer's reasoning, its text and its calls from one another."""

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
    tokens that are part of it. begun: text of it that the prompt ends with, and that it goes on with. before: what may
    stand in front of what it says, such as thoughts; before_call: in front of what it calls. dropped: messages that
    were left out, for want of room.
    """

    ids: Sequence[int]
    splitter: Splitter = field(default_factory=PlainSplitter)
    shown: Container[int] = frozenset()
    begun: str = ""
    before: Node = EMPTY
    before_call: Node = EMPTY
    dropped: int = 0
