"""Reasoning spans: what a model thinks, between marks, before it answers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..generate.parts import Part
from .code import CodeTracker
from .marks import THINKING, Thinking

_MOST_SPACE = 1000  # characters of white space that are waited through for a mark
_QUOTES = "\"'`\u201c\u2018\u00ab"
COMMON = tuple(row for row in THINKING if row.common)


class ReasoningSplitter:
    """Parts the text of an answer, as it comes, into reasoning and what follows it.

    A span begins where the answer does, or behind another span; elsewhere only with a control token, which no quoted
    text has in it. Where the answer has a closing mark alone, outside of code and of quotes, and the prompt had none at
    its end, what came before was thought. No more is held back than what may be the beginning of a mark.
    """

    def __init__(
        self,
        prompt: str = "",
        begun: str = "",
        thinking: Sequence[Thinking] = COMMON,
        own: frozenset[str] = frozenset(),
    ) -> None:
        """prompt: the text before the answer; where it ends with an opening mark, the answer begins inside the span.

        begun: what of the answer there is already. thinking: the marks to look for. own: those of them that are known
        to be the model's.
        """
        self._thinking, self._own = thinking, own
        marks = {mark for row in thinking for mark in (row.opening, row.closing)}
        self._find = _any_of(marks)
        self._beginnings = frozenset(mark[:n] for mark in marks for n in range(1, len(mark)))
        self._longest = max(map(len, marks))
        self._pending = ""
        self._end = ""  # the mark behind the answer that is left out
        self._span: Thinking | None = None  # the one within, or the last one
        self._nested = 0  # opening marks within a span
        self._is_blank = False  # within a span: nothing has been thought
        self._opened: dict[str, int] = {}  # how often the text has an opening mark, by the closing one
        self._has_thought = False
        self._code = CodeTracker()
        self._state = self._at_start
        self._reasoning: list[str] = []
        self._text: list[str] = []
        self._recast = False
        self._begin(prompt.rstrip())
        if begun:
            self.push(begun)
            self._pending = ""

    def push(self, text: str, is_mark: bool = False) -> Part:
        """More text -> what it adds. is_mark: it is a control token."""
        if is_mark and self._state == self._in_text and any(row.opening.startswith(text) for row in self._thinking):
            self._say(self._pending)
            self._pending, self._state = "", self._at_start
        self._pending += text
        while self._state():
            pass
        return self._take()

    def flush(self) -> Part:
        """What was held back, at the end of the text."""
        pending, self._pending = self._pending, ""
        if self._state == self._inside:
            self._reasoning.append(pending)
        else:
            self._text.append(pending)
        return self._take()

    def _begin(self, prompt: str) -> None:
        for row in self._thinking:
            if prompt.endswith(row.opening):
                self._enter(row)
            elif prompt.endswith(row.closing):
                self._span, self._has_thought = row, True  # no more of it is expected
            for opening, closing in row.answers:
                if opening and prompt.endswith(opening):
                    self._span, self._end, self._state = row, closing, self._in_text

    def _take(self) -> Part:
        part = Part("".join(self._reasoning), "".join(self._text), self._recast)
        self._reasoning, self._text, self._recast = [], [], False
        return part

    # Each state takes what it can from what is held, and returns whether the next one should look at once.

    def _at_start(self) -> bool:
        """The state where a span may begin: at the start, and behind a span."""
        start = self._pending.lstrip()
        for row in self._thinking:
            if start.startswith(row.opening):
                self._pending = start[len(row.opening) :]
                self._enter(row)
                return True
            if start.startswith(row.closing):  # of nothing, or a second time
                self._pending = start[len(row.closing) :]
                self._leave(row)
                return True
        answers = self._answers()
        for opening, closing in answers:
            if opening and start.startswith(opening):
                self._pending, self._end, self._state = start[len(opening) :], closing, self._in_text
                return True
        expected = [mark for row in self._thinking for mark in (row.opening, row.closing)] + [a[0] for a in answers]
        if len(self._pending) - len(start) < _MOST_SPACE and any(mark.startswith(start) for mark in expected):
            return False
        self._state = self._in_text
        return True

    def _inside(self) -> bool:
        assert self._span is not None
        found = self._find.search(self._pending)
        while found and found[0] not in (self._span.opening, self._span.closing):
            found = self._find.search(self._pending, found.end())
        if not found:
            self._think(self._release())
            return False
        self._think(self._pending[: found.start()])
        self._pending = self._pending[found.end() :]
        if found[0] == self._span.closing:
            self._leave(self._span)
        elif not self._is_blank:  # else the model repeats what the prompt has written for it
            self._nested += 1
            self._reasoning.append(found[0])
        return True

    def _in_text(self) -> bool:
        found = self._find.search(self._pending)
        end = self._pending.find(self._end) if self._end else -1
        if end >= 0 and not (found and found.start() < end):
            self._say(self._pending[:end])
            self._pending = self._pending[end + len(self._end) :]
            if self._code.is_inside:
                self._say(self._end)
            else:
                self._end = ""
            return True
        if not found:
            self._say(self._release())
            return False
        self._say(self._pending[: found.start()])
        mark, self._pending = found[0], self._pending[found.end() :]
        row = next((row for row in self._thinking if row.closing == mark), None)
        if row is None:
            self._open_in_text(mark)
        elif self._closes_thoughts(mark):
            self._reasoning += self._text
            self._text, self._recast, self._code = [], True, CodeTracker()
            self._leave(row)
            return True
        else:
            self._opened[mark] = max(0, self._opened.get(mark, 0) - 1)
        self._say(mark)
        return True

    def _open_in_text(self, mark: str) -> None:
        if not self._is_quoted:
            closing = next(row.closing for row in self._thinking if row.opening == mark)
            self._opened[closing] = self._opened.get(closing, 0) + 1

    def _closes_thoughts(self, mark: str) -> bool:
        if self._has_thought and not self._nested:
            return False
        return not self._is_quoted and not self._opened.get(mark)

    @property
    def _is_quoted(self) -> bool:
        return self._code.is_inside or self._code.last in _QUOTES

    def _enter(self, row: Thinking) -> None:
        self._span, self._nested, self._is_blank, self._state = row, 0, True, self._inside

    def _leave(self, row: Thinking) -> None:
        self._span, self._has_thought, self._state = row, True, self._at_start
        self._end = next((closing for opening, closing in row.answers if not opening), "")

    def _answers(self) -> list[tuple[str, str]]:
        """Marks that may stand around the answer, here where it may begin."""
        if self._span is not None:
            return list(self._span.answers)
        return [pair for row in self._thinking for pair in row.answers if pair[0] in self._own]

    def _release(self) -> str:
        """What of the text held can't be the beginning of a mark."""
        pending, most = self._pending, min(len(self._pending), max(self._longest, len(self._end)))
        keep = next((n for n in range(most, 0, -1) if self._may_begin(pending[len(pending) - n :])), 0)
        self._pending = pending[len(pending) - keep :]
        return pending[: len(pending) - keep]

    def _may_begin(self, text: str) -> bool:
        return text in self._beginnings or (bool(self._end) and self._end.startswith(text))

    def _think(self, text: str) -> None:
        self._is_blank = self._is_blank and not text.strip()
        self._reasoning.append(text)

    def _say(self, text: str) -> None:
        self._text.append(text)
        self._code.push(text)


def _any_of(marks: set[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(marks, key=len, reverse=True))))
