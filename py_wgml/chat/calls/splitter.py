"""Tells the calls of an answer from its text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...generate.parts import Part, Splitter
from .bodies import calls
from .reader import Ended, Known, NoCall, Reader, Reading
from .rows import ROWS, Row

_BARE = Row("", strict=True, inside=True)
"""Calls without a mark, where an answer begins and behind other calls: Llama 3, and those that were told to."""
_EVERYONE = ">>>all\n"  # functionary's name for whoever reads the answer


class CallSplitter:
    """What another splitter takes for text, parted into text and calls.

    A call begins where its function is known. What stands between marks and is none, is text with its marks. White
    space next to calls is left out. Marks within thoughts and within the arguments of a call are no marks. No more of
    the text is held back than what may be the beginning of a call, and white space.
    """

    def __init__(
        self, inner: Splitter, tools: Sequence[Mapping[str, Any]], prompt: str = "", rows: Sequence[Row] = ()
    ) -> None:
        """inner: tells thoughts from text. prompt: the text before the answer. rows: further ones, the model's own."""
        self._inner, self._known = inner, Known(tools)
        self._rows = {row.opening: row for row in (*ROWS, *rows)}
        openings = sorted(self._rows, key=len, reverse=True)
        self._marked = {opening for opening, row in self._rows.items() if not row.inside}
        self._find = re.compile("|".join(map(re.escape, openings)))
        self._beginnings = frozenset(opening[:n] for opening in openings for n in range(1, len(opening)))
        self._longest = max(map(len, openings))
        # Where a mark may end, what thoughts are told by stands still until it is known what follows.
        self._cut = re.compile(f"(?<=[{re.escape(''.join({opening[-1] for opening in openings}))}{{\\[])")
        self._pending = ""
        self._blank = ""  # white space that may stand before a call
        self._may_be_bare, self._has_said = True, False
        self._seen = 0  # characters of a call that the other splitter has seen
        self._reader: Reader | None = None
        self._reading: Reading[None] | None = None
        self._count = 0
        self._ids: set[str] = set()
        self._part = Part()
        if prompt.rstrip().endswith(">>>"):
            self._pending = ">>>"
        elif opened := next((row for row in (*ROWS, *rows) if prompt.rstrip().endswith(row.opening)), None):
            self._enter(opened, "")

    def push(self, text: str, is_mark: bool = False) -> Part:
        """See Splitter."""
        self._go_on(text, is_mark)
        return self._told()

    def flush(self) -> Part:
        """See Splitter."""
        if self._reader is not None:
            self._reader.end()
            self._read("")
        self._take(self._inner.flush())
        self._scan(is_over=True)
        if self._reader is not None:
            self._reader.end()
            self._read("")
        self._say(self._pending)
        if not self._count:
            self._part += Part(text=self._blank)
        self._pending = self._blank = ""
        return self._told()

    def _told(self) -> Part:
        part, self._part = self._part, Part()
        return part

    def _take(self, part: Part) -> None:
        held = self._blank + self._pending if part.recast else ""
        if part.recast:
            self._blank = self._pending = ""
            self._may_be_bare, self._has_said = True, False
        self._part += replace(part, reasoning=held + part.reasoning, text="")
        self._pending += part.text
        self._scan()

    def _scan(self, is_over: bool = False) -> None:
        """Look for a call in what is held of the text."""
        while self._reader is None and self._pending:
            if self._may_be_bare:
                start = self._pending.lstrip()
                self._blank += self._pending[: len(self._pending) - len(start)]
                self._pending = start
                if start.startswith(("{", "[")) and not self._find.match(start):
                    if not is_over and start in self._beginnings:
                        return
                    self._enter(_BARE, start)
                    continue
            found = self._find.search(self._pending)
            if found:
                self._say(self._pending[: found.start()])
                if not is_over and self._pending[found.start() :] in self._beginnings:  # it may be a longer one
                    self._pending = self._pending[found.start() :]
                    return
                self._enter(self._rows[found[0]], self._pending[found.start() :])
                continue
            most = min(len(self._pending), self._longest)
            keep = next((n for n in range(most, 0, -1) if self._pending[-n:] in self._beginnings), 0)
            keep = 0 if is_over else keep
            text = self._pending[: len(self._pending) - keep]
            self._pending = self._pending[len(self._pending) - keep :]
            self._say(text)
            return

    def _enter(self, row: Row, text: str) -> None:
        self._pending, self._seen = "", len(text)
        self._reader = Reader(self._known, self._count, self._ids)
        self._reading = self._read_row(self._reader, row)
        self._read(text)

    def _read_row(self, reader: Reader, row: Row) -> Reading[None]:
        if not row.inside and reader.text:
            reader.at = len(row.opening)
        if row.opening == ">>>" and (yield from reader.peek(4)) == _EVERYONE[3:]:
            reader.at += 4
            reader.settled = reader.at
            raise NoCall
        while True:
            yield from reader.space()
            if reader.count > self._count:  # another one may follow
                is_over = not (yield from reader.peek()) or (yield from reader.take(*row.closings))
                if is_over or (yield from reader.comes(*(self._marked - {row.each[0]}))):
                    break
            is_marked = row.each[0] and (yield from reader.take(row.each[0]))
            yield from reader.space()
            # Behind a call, words may follow.
            is_word = reader.count > self._count and not is_marked and (yield from reader.peek()) not in ("{", "[", "<")
            yield from calls(reader, row.strict or bool(is_word))
            yield from reader.space()
            if row.closings and (yield from reader.take("}")):  # one too many is forgiven
                yield from reader.space()
            if row.each[1]:
                yield from reader.take(row.each[1])
                yield from reader.space()
            if not (row.closings or row is _BARE) or (yield from reader.take(*row.closings)):
                break
            yield from reader.take(",", ";")
            reader.settled = reader.at
        reader.settled = reader.at

    def _read(self, text: str, is_mark: bool = False) -> None:
        """Go on with the call under way."""
        reader, reading = self._reader, self._reading
        assert reader
        assert reading
        reader.push(text)
        has_ended, is_wrong = True, False
        try:
            next(reading)
            has_ended = False
        except StopIteration:
            pass
        except NoCall as error:
            is_wrong = not isinstance(error, Ended) or not reader.is_open
        if reader.pieces:
            self._part += Part(calls=tuple(reader.pieces))
            reader.pieces = []
        if not has_ended:
            return
        lost = reader.text[reader.settled : reader.at] if is_wrong else ""
        if reader.is_open:
            reader.close()
        self._may_be_bare = reader.count > self._count
        self._count, self._reader, self._reading = reader.count, None, None
        self._say(lost)
        # Of the rest, the other splitter has seen what came before the call was looked for.
        seen = max(reader.at, self._seen - reader.dropped)
        self._pending, rest = reader.text[reader.at : seen], reader.text[seen:]
        self._scan()
        self._go_on(rest, is_mark and rest == text)

    def _go_on(self, text: str, is_mark: bool) -> None:
        for piece in [text] if is_mark else self._cut.split(text):
            if self._reader is not None:
                self._read(piece, is_mark)
            elif piece:
                self._take(self._inner.push(piece, is_mark))

    def _say(self, text: str) -> None:
        """Text, but for white space at its end, which may stand before a call."""
        text = self._blank + text
        if self._count and not self._has_said:
            text = text.lstrip()
        said = text.rstrip()
        self._blank = text[len(said) :]
        if said:
            self._part += Part(text=said)
            self._has_said, self._may_be_bare = True, False
