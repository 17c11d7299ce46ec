"""Speculation without a second model: the next tokens are looked up in the conversation (prompt lookup decoding), and
several are checked in one step.

Leviathan et al., arXiv:2211.17192, check what a small model drafts; where a text repeats itself, as edited code and
summaries do, the text is as good a draft (Saxena, "Prompt Lookup Decoding", 2023; Yang et al., arXiv:2304.04487).
"""

from collections import deque
from collections.abc import Sequence
from statistics import median_low
from typing import Literal

Speculate = bool | Literal["auto"]
"""Whether guesses are checked: where it pays, wherever there is one, or never."""

CHECKED = 8  # tokens a step that checks a guess: the last one known, and those guessed

_SHORTEST, _LONGEST = 2, 8  # tokens that a place has in common with the end, for what follows it to be a guess
_PLACES = 32  # that are compared: the latest with the same last two tokens
_REACH = 1 << 14  # tokens of a prompt, its last ones, that are looked at: bounds the time it takes
_FEW = 2  # steps to begin with, before the next look for a guess
_CHECK_STEPS = 2.0  # what a check takes, in steps of one token, until it was measured
_WORTH = 1.2  # what a check must save: both times vary, and guesses turn out worse than they were
_MEASURED = 9  # times that a median is of
_WEIGHT = 0.25  # of the last guess, in what to expect of the next


class Lookup:
    """A sequence of tokens, and where each pair of neighbours stood in it last."""

    def __init__(self) -> None:
        self._ids: list[int] = []
        self._last: dict[tuple[int, int], int] = {}  # the position after a pair
        self._before: list[int] = []  # of each position: where the pair before it stood before that; 0: nowhere

    def push(self, id: int) -> None:
        """One more token."""
        # The pair that ends the sequence is noted only now: it must not be found as its own match.
        end = len(self._ids)
        if end >= _SHORTEST:
            pair = self._ids[-2], self._ids[-1]
            self._before.append(self._last.get(pair, 0))
            self._last[pair] = end
        else:
            self._before.append(0)
        self._ids.append(id)

    def find(self, count: int) -> tuple[int, list[int]]:
        """How many of the last tokens (up to 8) also stand at the place that has most of them in common with the end,
        the latest of several, and the `count` tokens that follow it: these go on with themselves where the sequence
        ends. (0, []) where no two are. The latest 32 places are looked at that end as the sequence does."""
        ids = self._ids
        if len(ids) < _SHORTEST:
            return 0, []
        place = self._last.get((ids[-2], ids[-1]), 0)
        best = matched = 0
        for _ in range(_PLACES):
            if not place:
                break
            length = _SHORTEST
            while length < min(_LONGEST, place) and ids[place - length - 1] == ids[-length - 1]:
                length += 1
            if length > matched:
                best, matched = place, length
            if matched == _LONGEST:
                break
            place = self._before[place]
        if not matched:
            return 0, []
        period = len(ids) - best
        return matched, [ids[best + i % period] for i in range(count)]


class Costs:
    """Seconds, as measured, of a step of one token amid others, and of a check with all that it makes the GPU wait.

    They are those of a device and a model, whatever the text.
    """

    def __init__(self, step: float = 0.0, read: float = 0.0) -> None:
        self._first, self._read = step, read
        self._steps: deque[float] = deque(maxlen=_MEASURED)
        self._checks: deque[float] = deque(maxlen=_MEASURED)

    @property
    def step(self) -> float:
        """Of a step. Medians: a kernel's first run may compile it, and a reader may pause."""
        return median_low(self._steps) if self._steps else self._first

    @property
    def check(self) -> float:
        """Of a check. The guess at it stays one of the figures: a first check may compile something too."""
        return median_low([_CHECK_STEPS * self.step + self._read, *self._checks])

    def took_steps(self, seconds: float, count: int) -> None:
        """Take up how long `count` steps took."""
        self._steps.append(seconds / count)

    def took_check(self, seconds: float) -> None:
        """Take up how long a check took, from when the host knew the token before it."""
        self._checks.append(seconds)

    def renew(self) -> None:
        """Forget the oldest check, so that what did not pay once is tried again some day."""
        if self._checks:
            self._checks.popleft()


class Draft:
    """Guesses at what follows in one text, and whether to check them.

    How good they are is known without any check: each is compared with what comes, however that is made.
    prompt: what the text goes on from; looked at by `read`.
    """

    def __init__(self, prompt: Sequence[int], costs: Costs, speculate: Speculate) -> None:
        self._unread, self._costs, self._speculate = prompt[-_REACH:], costs, speculate
        self._lookup, self._follows = Lookup(), self._may_pay
        # How many tokens are right of a guess, by how many of those before it match.
        self._right = {matched: matched - 1.0 for matched in range(_SHORTEST, _LONGEST + 1)}
        self._matched, self._awaited, self._seen = 0, list[int](), 0  # the guess that is being compared
        self._steps = _FEW
        costs.renew()

    def read(self) -> None:
        """Take in the prompt, if it is not yet."""
        for id in self._unread if self._follows else ():
            self._lookup.push(id)
        self._unread = ()

    def push(self, id: int) -> None:
        """Take in the next token."""
        if not self._follows:
            return
        self._lookup.push(id)
        if self._awaited:
            is_right = self._awaited[self._seen] == id
            self._seen += is_right
            if is_right and self._seen < len(self._awaited):
                return
            self._learn(self._matched, self._seen)
            if not is_right:
                # With each token that was right it was one of a longer match, and of less to come.
                for right in range(self._seen):
                    self._learn(self._matched + right + 1, self._seen - right - 1)
        self._matched, self._awaited = self._lookup.find(CHECKED - 1)
        self._seen = 0

    def _learn(self, matched: int, right: int) -> None:
        if matched <= _LONGEST:
            self._right[matched] += _WEIGHT * (right - self._right[matched])

    def guess(self, most: int) -> list[int]:
        """Up to `most` tokens that should be checked now; none where steps of one token are the better way."""
        count = min(most, CHECKED - 1)
        if count < 1 or not (self._follows and self._may_pay):
            return []
        matched, ids = self._lookup.find(count)
        return ids if ids and self._pays(min(self._right[matched], count)) else []

    def _pays(self, right: float) -> bool:
        if self._speculate == "auto":
            return (1 + right) * self._costs.step > _WORTH * self._costs.check
        return self._speculate

    @property
    def _may_pay(self) -> bool:
        return self._pays(CHECKED - 1)

    def steps(self, most: int) -> int:
        """How many steps of one token to submit at once: few after a check, for the next guess may be near."""
        return min(most, self._steps) if self._may_pay else most

    def checked(self, seconds: float) -> None:
        """A guess was checked; that took so long from when the token before it was known."""
        self._costs.took_check(seconds)
        self._steps = _FEW

    def passed(self, seconds: float, count: int) -> None:
        """`count` steps of one token came back, so long after those before them."""
        self._costs.took_steps(seconds, count)
        self._steps *= 2
