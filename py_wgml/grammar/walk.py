"""One way through an automaton, byte by byte: what the host knows of an answer as it comes."""

from __future__ import annotations

from .automaton import DEAD, RETURN, TARGET_BITS, Automaton

MAX_DEPTH = 64
"""Calls within calls. Deeper ones are not allowed: the stack that the GPU walks with has so much room."""

_TARGET = (1 << TARGET_BITS) - 1


class Walk:
    """`state` and `stack` (the topmost last) after the text so far; a text that does not fit has the state DEAD."""

    def __init__(self, automaton: Automaton, state: int | None = None, stack: tuple[int, ...] = ()) -> None:
        self.automaton = automaton
        self.state = automaton.start if state is None else state
        self.stack = list(stack)
        self._end = automaton.next.shape[1] - 1

    def copy(self) -> Walk:
        """Another one from here on."""
        return Walk(self.automaton, self.state, tuple(self.stack))

    def push(self, data: bytes) -> bool:
        """More text -> whether all of it fits."""
        for byte in data:
            if not self._take(int(self.automaton.classes[byte])):
                self.state = DEAD
                return False
        return True

    @property
    def may_end(self) -> bool:
        """Whether the text may end here."""
        return self.state != DEAD and self.copy()._take(self._end)

    @property
    def must_end(self) -> bool:
        """Whether it may, and nothing can follow."""
        return self.may_end and not self._following(1)

    def _following(self, most: int) -> list[int]:
        """Classes of bytes that fit here, at most so many."""
        found = []
        for symbol, entry in enumerate(self.automaton.next[self.state, :-1].tolist()):
            if entry != DEAD and (entry != RETURN or self.copy()._take(symbol)):
                found.append(symbol)
                if len(found) == most:
                    break
        return found

    def _take(self, symbol: int) -> bool:
        next = self.automaton.next
        entry = int(next[self.state, symbol])
        while entry == RETURN and self.stack:
            self.state = self.stack.pop()
            entry = int(next[self.state, symbol])
        if entry == RETURN:
            return bool(symbol == self._end)
        if entry == DEAD:
            return False
        self.stack += self.automaton.pushes[entry >> TARGET_BITS]
        self.state = entry & _TARGET
        return len(self.stack) <= MAX_DEPTH
