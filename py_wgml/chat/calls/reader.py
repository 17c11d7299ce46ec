"""Reads calls out of a text that comes in pieces. A reading is a generator: it yields where it needs more of the text,
so that it is written as if all of it were there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from secrets import token_hex
from typing import Any, TypeVar

from ...generate.parts import CallPiece

T = TypeVar("T")
Reading = Generator[None, None, T]

_MOST_NAME = 200  # characters
_NAME = re.compile(r"[\w.\-/:]")
_OUTSIDE, _INSIDE = re.compile(r'["{}\[\]]'), re.compile(r'["\\]')


class NoCall(Exception):
    """What is read is no call, from here on."""


class Ended(NoCall):
    """The answer has ended before the call."""


class Known:
    """The functions that were given: `names`, and which of their parameters are text."""

    def __init__(self, tools: Sequence[Mapping[str, Any]] = ()) -> None:
        functions = [tool["function"] for tool in tools]
        self.names = frozenset(function["name"] for function in functions)
        self._types: dict[tuple[str, str], Any] = {}
        for function in functions:
            properties = (function.get("parameters") or {}).get("properties")
            for key, schema in properties.items() if isinstance(properties, Mapping) else ():
                self._types[function["name"], key] = schema.get("type") if isinstance(schema, Mapping) else None

    def is_text(self, name: str, key: str) -> bool | None:
        """Whether this parameter is text; None: that is not said."""
        kind = self._types.get((name, key))
        return None if kind is None else kind == "string"


class Reader:
    """The text from the beginning of a call on, and the pieces of calls that were found in it.

    `pieces` are for whoever reads on to take. What lies between `settled` and `at` was read and belongs to no call.
    """

    def __init__(self, known: Known, first: int, ids: set[str]) -> None:
        """first: the index of the first call. ids: of the calls of this answer, to which those found are added."""
        self.known, self._ids = known, ids
        self.text, self.at, self.settled = "", 0, 0
        self.dropped = 0
        """Characters that the text had in front."""
        self.pieces: list[CallPiece] = []
        self.count = first
        self.is_open = False
        self._is_over = False

    def push(self, text: str) -> None:
        """More of the text."""
        self.text = self.text[self.settled :] + text
        self.at -= self.settled
        self.dropped += self.settled
        self.settled = 0

    def end(self) -> None:
        """There is no more."""
        self._is_over = True

    # What is found.

    def begin(self, name: str, id: str = "") -> None:
        """A call begins. id: as the model has it, taken if it is another one each time."""
        if not id or id in self._ids:
            id = f"call_{token_hex(12)}"
        self._ids.add(id)
        self.pieces.append(CallPiece(self.count, id, name))
        self.is_open, self.settled = True, self.at

    def argue(self, text: str) -> None:
        """More of the JSON text of its arguments."""
        if text:
            self.pieces.append(CallPiece(self.count, arguments=text))
        self.settled = self.at

    def close(self) -> None:
        """The call ends."""
        self.count += 1
        self.is_open, self.settled = False, self.at

    # What is read.

    def peek(self, count: int = 1) -> Reading[str]:
        """The next characters; fewer where the answer ends."""
        while len(self.text) - self.at < count and not self._is_over:
            yield
        return self.text[self.at : self.at + count]

    def space(self) -> Reading[None]:
        """Past white space."""
        while (yield from self.peek()).isspace():
            self.at += 1

    def take(self, *options: str) -> Reading[str]:
        """Past the longest of these texts that comes now; "" if none does."""
        found = yield from self.comes(*options)
        self.at += len(found)
        return found

    def comes(self, *options: str) -> Reading[str]:
        """The longest of these texts that comes now; "" if none does."""
        longest = max(map(len, options), default=0)
        for count in range(1, longest + 1):
            seen = yield from self.peek(count)
            if len(seen) < count or not any(option.startswith(seen) for option in options):
                break
        ahead = self.text[self.at : self.at + longest]
        return max((option for option in options if ahead.startswith(option)), key=len, default="")

    def expect(self, *options: str) -> Reading[str]:
        """Past one of these texts; anything else is no call."""
        found = yield from self.take(*options)
        if not found:
            raise Ended if self._is_over and self.at == len(self.text) else NoCall
        return found

    def name(self) -> Reading[str]:
        """A function's name, or that of a parameter."""
        found: list[str] = []
        while _NAME.match(character := (yield from self.peek())):
            self.at += 1
            found.append(character)
            if len(found) > _MOST_NAME:
                raise NoCall
        if not found:
            raise NoCall
        return "".join(found)

    def until(self, marks: Sequence[str], each: Callable[[str], None], most: int | None = None) -> Reading[str]:
        """What comes before the first of these marks goes to `each` as it comes; past the mark, which is returned.

        most: characters, of what is waited for.
        """
        pattern = re.compile("|".join(map(re.escape, sorted(marks, key=len, reverse=True))))
        longest, read = max(map(len, marks)), 0
        while True:
            # A mark is taken when no longer one may come in its place.
            ahead = yield from self.peek(longest)
            found = pattern.search(self.text, self.at)
            if found and (found.start() == self.at or len(ahead) < longest):
                each(self.text[self.at : found.start()])
                self.at = found.end()
                return found[0]
            keep = found.start() if found else max(self.at, len(self.text) - longest + 1)
            if self._is_over and not found:
                keep = len(self.text)
            read += keep - self.at
            if most is not None and read > most:
                raise NoCall
            text, self.at = self.text[self.at : keep], keep
            each(text)
            if self._is_over and not found:
                raise Ended

    def string(self, most: int | None = _MOST_NAME) -> Reading[str]:
        """A string of JSON, which may have line ends in it."""
        start: list[str] = []
        yield from self.expect('"')
        yield from self._string(start.append, most)
        try:
            return str(json.loads('"' + "".join(start), strict=False))
        except ValueError:
            raise NoCall from None

    def value(self, each: Callable[[str], None]) -> Reading[None]:
        """A value of JSON, whose text goes to `each` as it comes."""
        first = yield from self.peek()
        if first == '"':
            self.at += 1
            each('"')
            yield from self._string(each)
        elif first in ("{", "["):
            yield from self._nested(each)
        else:
            found: list[str] = []
            while (character := (yield from self.peek())).isalnum() or character in tuple("+-."):
                self.at += 1
                found.append(character)
            if not found:
                raise NoCall
            each("".join(found))

    def _nested(self, each: Callable[[str], None]) -> Reading[None]:
        depth = 0
        while True:
            yield from self._some()
            found = _OUTSIDE.search(self.text, self.at)
            start, self.at = self.at, found.end() if found else len(self.text)
            each(self.text[start : self.at])
            if not found:
                continue
            if found[0] == '"':
                yield from self._string(each)
            else:
                depth += 1 if found[0] in "{[" else -1
                if depth == 0:
                    return

    def _string(self, each: Callable[[str], None], most: int | None = None) -> Reading[None]:
        """The rest of a string, with its closing quote."""
        read = 0
        while True:
            yield from self._some()
            found = _INSIDE.search(self.text, self.at)
            start, self.at = self.at, found.start() if found else len(self.text)
            read += self.at - start
            if most is not None and read > most:
                raise NoCall
            each(self.text[start : self.at])
            if not found:
                continue
            size = 1 if found[0] == '"' else 2
            pair = yield from self.peek(size)
            self.at += len(pair)
            each(pair)
            if size == 1:
                return

    def _some(self) -> Reading[None]:
        if not (yield from self.peek()):
            raise Ended
