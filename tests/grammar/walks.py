"""Texts that an automaton takes, by random walks through it."""

from __future__ import annotations

import random

import numpy as np
import numpy.typing as npt

from py_wgml.grammar.automaton import DEAD, RETURN, TARGET_BITS, Automaton

_MASK = (1 << TARGET_BITS) - 1


class Walker:
    """Walks at random until it has gone far, then the shortest way to an end."""

    def __init__(self, automaton: Automaton) -> None:
        self._automaton = automaton
        self._end = automaton.next.shape[1] - 1
        self._bytes = [np.flatnonzero(automaton.classes == c).tolist() for c in range(self._end)]
        self._far = self._distances()

    def _distances(self) -> npt.NDArray[np.float64]:
        """How many bytes it takes at least from each state to where what is called may end."""
        entries = self._automaton.next[:, :-1]
        leads = (entries != DEAD) & (entries != RETURN)
        far = np.where(self._automaton.next[:, -1] == RETURN, 0.0, np.inf)
        while True:
            pushed = np.array([sum(far[state] for state in states) for states in self._automaton.pushes])
            ways = np.where(leads, 1 + far[entries & _MASK * leads] + pushed[(entries >> TARGET_BITS) * leads], np.inf)
            shorter = np.minimum(far, ways.min(axis=1, initial=np.inf))
            if np.array_equal(shorter, far):
                return far
            far = shorter

    def _step(self, state: int, stack: tuple[int, ...], symbol: int) -> tuple[int, tuple[int, ...]] | None:
        """None: not taken. The state 0: here the text may end."""
        entry = int(self._automaton.next[state, symbol])
        while entry == RETURN and stack:
            state, stack = stack[-1], stack[:-1]
            entry = int(self._automaton.next[state, symbol])
        if entry in (DEAD, RETURN):
            return (0, ()) if entry == RETURN and symbol == self._end else None
        return entry & _MASK, stack + self._automaton.pushes[entry >> TARGET_BITS]

    def _distance(self, state: int, stack: tuple[int, ...]) -> float:
        return float(self._far[state] + sum(self._far[waiting] for waiting in stack))

    def walk(self, chance: random.Random, most: int = 120) -> bytes:
        """One text. Some walks prefer rare bytes, some go on with what they did last, some end as soon as they may."""
        state, stack, data = self._automaton.start, tuple[int, ...](), bytearray()
        stop, again = chance.choice([0.02, 0.3, 0.9]), chance.choice([0.0, 0.0, 0.7])
        last = -1
        while True:
            moves = [(c, to) for c in range(self._end) if (to := self._step(state, stack, c))]
            ends = self._step(state, stack, self._end) is not None
            if ends and (not moves or chance.random() < stop or len(data) >= most):
                return bytes(data)
            if len(data) >= most:
                least = min(self._distance(*to) for _, to in moves)
                moves = [move for move in moves if self._distance(*move[1]) == least]
            elif chance.random() < again and any(c == last for c, _ in moves):
                moves = [move for move in moves if move[0] == last]
            last, (state, stack) = chance.choice(moves)
            data.append(chance.choice(self._bytes[last]))
