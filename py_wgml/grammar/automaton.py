"""Tables by which a byte leads from one state to the next, made of an expression.

An expression becomes an automaton of many states at once (Thompson 1968), and that one of a single state at a time
(Rabin and Scott 1959): a byte costs one look into a table, on the GPU too. A rule that leads to itself is called: where
it begins, the states to go on from are pushed on a stack, and where it has ended the topmost is popped. So JSON may
nest, in as few states as if it did not. It needs bytes that tell what is called, and where that ends; in a grammar
without them such rules are written out up to a depth instead.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ..errors import WgmlError, quoted
from .nodes import Both, Bytes, Choice, Grammar, Node, Repeat, Rule, Sequence, Without

DEAD = 0
"""The entry of a byte that nothing leads on from; the state of this number too."""
RETURN = 0xFFFFFFFF
"""The entry of a byte that what is called does not take, where it may end: to be looked up from the state popped."""
TARGET_BITS = 20
"""Of an entry: the state that it leads to; above them the number of what it pushes (0: nothing)."""

_MAX_STATES = 60_000
_MAX_PARTS = 1_000_000  # states before they are made single ones
_MAX_PUSHES = 1 << 32 - TARGET_BITS
_DEPTHS: tuple[int, ...] = (2, 3, 5, 8)  # to which rules are written out, the last that is not too large
_LARGE = 4000  # states, of which the next depth would have several times as many


@dataclass(frozen=True)
class Automaton:
    """classes: uint8 [256], of each byte. next: uint32 [states, classes + 1], the entry of each class and of the end of
    the text. pushes: what entries push, the topmost last; the first pushes nothing. start: the state of no text.
    depth: to which rules that lead to themselves were written out; None: they may nest as deep as the stack is.
    """

    classes: npt.NDArray[np.uint8]
    next: npt.NDArray[np.uint32]
    pushes: tuple[tuple[int, ...], ...]
    start: int
    depth: int | None = None

    def matches(self, data: bytes) -> bool:
        """Whether the whole of `data` fits."""
        stack, state = list[int](), self.start
        for symbol in [*self.classes[list(data)].tolist(), self.next.shape[1] - 1]:
            entry = int(self.next[state, symbol])
            while entry == RETURN and stack:
                state = stack.pop()
                entry = int(self.next[state, symbol])
            if entry in (DEAD, RETURN):
                return entry == RETURN and symbol == self.next.shape[1] - 1
            stack += self.pushes[entry >> TARGET_BITS]
            state = entry & (1 << TARGET_BITS) - 1
        return False


def compile(grammar: Grammar) -> Automaton:
    """The automaton of `grammar`.

    Raises WgmlError where no text fits it, a rule is missing or begins with itself, or the tables would be too large.
    """
    recursive, depths = _recursive(grammar), _DEPTHS
    found, error = None, WgmlError("what the answer may be is too much for a table of states")
    try:
        return _Compiler(grammar, recursive, None).automaton()
    except _AmbiguousError:
        pass
    except _TooLargeError:
        depths = ()
    for depth in depths:
        try:
            found = _Compiler(grammar, recursive, depth).automaton()
        except WgmlError as nothing:  # no text nests so little
            error = nothing
            continue
        except _TooLargeError:
            break
        if len(found.next) > _LARGE:
            break
    if found is None:
        raise error
    return found


class _AmbiguousError(Exception):
    """A byte does not tell whether a rule is called, or which, or whether it goes on."""


class _TooLargeError(Exception):
    """There are too many states."""


def _rules_in(node: Node) -> Iterable[str]:
    match node:
        case Rule(name):
            yield name
        case Sequence(nodes) | Choice(nodes):
            for inner in nodes:
                yield from _rules_in(inner)
        case Repeat(inner):
            yield from _rules_in(inner)
        case Both(first, second) | Without(first, second):
            yield from _rules_in(first)
            yield from _rules_in(second)


def _recursive(grammar: Grammar) -> frozenset[str]:
    """The rules that lead to themselves. Raises WgmlError for one that there is not."""
    leads = {name: {*_rules_in(node)} for name, node in grammar.rules.items()}
    for name in {*_rules_in(grammar.root)}.union(*leads.values()):
        if name not in leads:
            raise WgmlError(f"the grammar has no rule {quoted(name)}")
    found = set()
    for name in leads:
        reached, waiting = set[str](), [*leads[name]]
        while waiting:
            if (other := waiting.pop()) not in reached:
                reached.add(other)
                waiting += leads[other]
        if name in reached:
            found.add(name)
    return frozenset(found)


Edge = tuple[int, int, int]  # from a byte to a byte, and the state that they lead to


class _Parts:
    """The automaton of many states at once. Of each state: where it leads by bytes, by nothing, and by a call."""

    def __init__(self, rules: Mapping[str, Node], recursive: frozenset[str]) -> None:
        self._rules, self._recursive = rules, recursive
        self.edges: list[list[Edge]] = []
        self.empty: list[list[int]] = []
        self.calls: list[list[tuple[str, int]]] = []

    def state(self) -> int:
        if len(self.edges) == _MAX_PARTS:
            raise _TooLargeError
        for table in (self.edges, self.empty, self.calls):
            table.append([])
        return len(self.edges) - 1

    def add(self, node: Node, start: int, depth: int | None) -> int:
        """What fits `node`, from `start` on; returns where it ends. depth: to which rules are written out, else called.
        No edge leads back to `start` itself."""
        match node:
            case Bytes(ranges):
                end = self.state()
                self.edges[start] += [(low, high, end) for low, high in ranges]
                return end
            case Sequence(parts):
                for part in parts:
                    start = self.add(part, start, depth)
                return start
            case Choice(options):
                end = self.state()
                for option in options:
                    self._option(option, start, end, depth)
                return end
            case Repeat(inner, least, most):
                return self._repeat(inner, least, most, start, depth)
            case Both(first, second):
                return self._product(first, second, start, True)
            case Without(first, second):
                return self._product(first, second, start, False)
            case Rule(name):
                return self._rule(name, start, depth)

    def _option(self, option: Node, start: int, end: int, depth: int | None) -> None:
        parts = option.parts if isinstance(option, Sequence) else (option,)
        if parts and isinstance(parts[-1], Bytes):  # characters, mostly: without states that lead nowhere by a byte
            last = self.add(Sequence(parts[:-1]), start, depth)
            self.edges[last] += [(low, high, end) for low, high in parts[-1].ranges]
        else:
            self.empty[self.add(option, start, depth)].append(end)

    def _repeat(self, inner: Node, least: int, most: int | None, start: int, depth: int | None) -> int:
        for _ in range(least):
            start = self.add(inner, start, depth)
        if most is None:
            again = self.state()
            self.empty[start].append(again)
            self.empty[self.add(inner, again, depth)].append(again)
            end = self.state()
            self.empty[again].append(end)
            return end
        end = self.state()
        for _ in range(most - least):
            self.empty[start].append(end)
            start = self.add(inner, start, depth)
        self.empty[start].append(end)
        return end

    def _rule(self, name: str, start: int, depth: int | None) -> int:
        if name not in self._recursive:
            return self.add(self._rules[name], start, depth)
        end = self.state()
        if depth is None:
            self.calls[start].append((name, end))
        elif depth > 0:
            self.empty[self.add(self._rules[name], start, depth - 1)].append(end)
        return end

    def _product(self, first: Node, second: Node, start: int, both: bool) -> int:
        if self._recursive.intersection([*_rules_in(first), *_rules_in(second)]):
            raise WgmlError("a rule that leads to itself can't be held against another one")
        tables = [_Compiler(Grammar(node, self._rules), self._recursive, 0).table() for node in (first, second)]
        (a, a_cuts, a_ends), (b, b_cuts, b_ends) = tables
        cuts = sorted({*a_cuts, *b_cuts})
        columns = [
            (low, high - 1, bisect_left(a_cuts, high) - 1, bisect_left(b_cuts, high) - 1)
            for low, high in pairwise(cuts)
        ]
        end = self.state()
        made: dict[tuple[int, int], int] = {(1, 1): start}
        waiting = [(1, 1)]
        while waiting:
            pair = waiting.pop()
            x, y = pair
            if a_ends[x] and b_ends[y] == both:
                self.empty[made[pair]].append(end)
            for low, high, i, j in columns:
                to = a[x][i], b[y][j] if y else DEAD
                if to[0] and (to[1] or not both):
                    if to not in made:
                        made[to] = self.state()
                        waiting.append(to)
                    self.edges[made[pair]].append((low, high, made[to]))
        return end


class _Compiler:
    """Makes single states of many at once. depth: see `_Parts.add`."""

    def __init__(self, grammar: Grammar, recursive: frozenset[str], depth: int | None) -> None:
        self._depth = depth if recursive else None
        self._parts = parts = _Parts(grammar.rules, recursive)
        self._starts, self._ends = dict[str | None, int](), set[int]()
        called = [name for name in grammar.rules if name in recursive] if depth is None else []
        for name in (None, *called):
            node = grammar.root if name is None else grammar.rules[name]
            self._starts[name] = parts.state()
            self._ends.add(parts.add(node, self._starts[name], depth))
        self._cuts = sorted(
            {0, 256, *(cut for edges in parts.edges for low, high, _ in edges for cut in (low, high + 1))}
        )
        self._column = {cut: column for column, cut in enumerate(self._cuts)}
        self._closures: dict[int, frozenset[int]] = {}
        self._numbers: dict[frozenset[int], int] = {}
        self._sets: list[frozenset[int]] = [frozenset()]
        self._rows: dict[int, list[int]] = {}
        self._under_way = set[int]()
        self._pushes: dict[tuple[int, ...], int] = {(): 0}
        self._callers: list[tuple[str, int | None, int]] = []  # a rule, the state that it returns to, who calls it

    def automaton(self) -> Automaton:
        start = self._fill()
        rows = np.array(
            [[DEAD] * (len(self._cuts) - 1), *(self._rows[n] for n in range(1, len(self._sets)))], np.uint32
        )
        if self._callers:
            self._require_clear(rows)
        ends = np.array([DEAD, *(RETURN if self._is_end(n) else DEAD for n in range(1, len(self._sets)))], np.uint32)
        pushes = tuple(self._pushes)
        self._trim(rows, ends, pushes)
        if not ends[start] and not rows[start].any():
            raise WgmlError("nothing can be answered: no text fits what is asked for")
        # Bytes that lead alike from everywhere are one class.
        alike: dict[bytes, int] = {}
        of = [alike.setdefault(column.tobytes(), len(alike)) for column in np.ascontiguousarray(rows.T)]
        columns = [of.index(number) for number in range(len(alike))]
        classes = np.repeat(of, np.diff(self._cuts)).astype(np.uint8)
        return Automaton(
            classes, np.hstack([rows[:, columns], ends[:, None]]).astype(np.uint32), pushes, start, self._depth
        )

    def table(self) -> tuple[list[list[int]], list[int], list[bool]]:
        """Of an expression without calls: the state of each state and range of bytes (the first is that of no text,
        number 1), where the ranges begin and the last ends, and in which states a text may end."""
        self._fill()
        rows = [
            [DEAD] * (len(self._cuts) - 1),
            *([entry if entry != RETURN else DEAD for entry in self._rows[n]] for n in range(1, len(self._sets))),
        ]
        return rows, self._cuts, [False, *(self._is_end(n) for n in range(1, len(self._sets)))]

    def _fill(self) -> int:
        start = self._number(self._closure([self._starts[None]]))
        done = 0
        while done + 1 < len(self._sets):
            done += 1
            self._row(done)
        return start

    def _is_end(self, number: int) -> bool:
        return not self._ends.isdisjoint(self._sets[number])

    def _closure(self, states: Iterable[int]) -> frozenset[int]:
        """These states, and those that nothing leads to from them."""
        return frozenset().union(*map(self._reached, states))

    def _reached(self, state: int) -> frozenset[int]:
        if state not in self._closures:
            found, waiting = {state}, [state]
            while waiting:
                at = waiting.pop()
                following = [*self._parts.empty[at]]
                following += [after for name, after in self._parts.calls[at] if self._may_be_empty(name)]
                for other in following:
                    if other not in found:
                        found.add(other)
                        waiting.append(other)
            parts = self._parts
            self._closures[state] = frozenset(s for s in found if parts.edges[s] or parts.calls[s] or s in self._ends)
        return self._closures[state]

    def _may_be_empty(self, name: str) -> bool:
        start = self._starts[name]
        if start in self._under_way:
            return False  # what it begins with is found out right now
        self._under_way.add(start)
        try:
            return not self._ends.isdisjoint(self._reached(start))
        finally:
            self._under_way.discard(start)

    def _number(self, states: frozenset[int]) -> int:
        if states not in self._numbers:
            if len(self._sets) == _MAX_STATES:
                raise _TooLargeError
            self._numbers[states] = len(self._sets)
            self._sets.append(states)
        return self._numbers[states]

    def _row(self, number: int) -> list[int]:
        """The entries of a state, one for each range of bytes."""
        if number in self._rows:
            return self._rows[number]
        if -number in self._under_way:
            raise WgmlError("the grammar has a rule that begins with itself")
        self._under_way.add(-number)
        parts, states = self._parts, self._sets[number]
        targets: dict[int, set[int]] = {}
        for state in states:
            for low, high, target in parts.edges[state]:
                for column in range(self._column[low], self._column[high + 1]):
                    targets.setdefault(column, set()).add(target)
        row = [RETURN if self._is_end(number) else DEAD] * (len(self._cuts) - 1)
        known: dict[frozenset[int], int] = {}
        for column, found in targets.items():
            if (key := frozenset(found)) not in known:
                known[key] = self._number(self._closure(key))
            row[column] = known[key]
        self._add_calls(number, row, targets)
        self._under_way.discard(-number)
        self._rows[number] = row
        return row

    def _add_calls(self, number: int, row: list[int], targets: Mapping[int, set[int]]) -> None:
        calls: dict[str, set[int]] = {}
        for state in self._sets[number]:
            for name, after in self._parts.calls[state]:
                calls.setdefault(name, set()).add(after)
        taken = set(targets)
        for name, ends in sorted(calls.items()):
            begins = self._row(self._number(self._closure([self._starts[name]])))
            following = self._closure(ends)
            # Where nothing follows, what called this one is gone on with at once.
            push = None if following <= self._ends and following else self._number(following)
            self._callers.append((name, push, number))
            for column, entry in enumerate(begins):
                if entry in (DEAD, RETURN):
                    continue
                if column in taken:
                    raise _AmbiguousError
                taken.add(column)
                row[column] = self._pushing(entry, push)

    def _pushing(self, entry: int, push: int | None) -> int:
        """`entry`, with one more state below what it pushes."""
        if push is None:
            return entry
        pushed = (push, *[*self._pushes][entry >> TARGET_BITS])
        number = self._pushes.setdefault(pushed, len(self._pushes))
        if number >= _MAX_PUSHES:
            raise _TooLargeError
        return entry & (1 << TARGET_BITS) - 1 | number << TARGET_BITS

    def _require_clear(self, rows: npt.NDArray[np.uint32]) -> None:
        """Refuse rules of which a byte does not tell whether they go on, or what comes behind them."""
        takes = (rows != DEAD) & (rows != RETURN)
        owner = self._owners()
        follow = {name: np.zeros(rows.shape[1], bool) for name in self._starts if name is not None}
        changed = True
        while changed:
            changed = False
            for name, push, caller in self._callers:
                found = follow[name].copy()
                if push is not None:
                    found |= takes[push]
                outer = owner[caller]
                if (push is None or self._is_end(push)) and outer is not None:
                    found |= follow[outer]
                if (found != follow[name]).any():
                    follow[name], changed = found, True
        for number in range(1, len(self._sets)):
            own = owner.get(number)  # what leads nowhere is of none
            if own is not None and self._is_end(number) and (takes[number] & follow[own]).any():
                raise _AmbiguousError

    def _owners(self) -> dict[int, str | None]:
        """The rule that each state belongs to."""
        bounds = sorted((start, name) for name, start in self._starts.items()) if self._starts else []
        starts = [start for start, _ in bounds]
        return {
            number: bounds[bisect_left(starts, min(states) + 1) - 1][1]
            for number, states in enumerate(self._sets)
            if states
        }

    def _trim(
        self, rows: npt.NDArray[np.uint32], ends: npt.NDArray[np.uint32], pushes: tuple[tuple[int, ...], ...]
    ) -> None:
        """Make dead what leads to no end."""
        mask = (1 << TARGET_BITS) - 1
        leads = (rows != DEAD) & (rows != RETURN)
        states, columns = leads.nonzero()
        edges = np.unique(states.astype(np.uint64) << np.uint64(32) | rows[states, columns]).tolist()
        # Backwards from the ends: an edge leads to one once all that it leads to, and all that it pushes, does.
        needed_by: dict[int, list[int]] = {}
        missing = []
        for number, edge in enumerate(edges):
            needs = {edge & mask, *pushes[(edge & RETURN) >> TARGET_BITS]}
            missing.append(len(needs))
            for state in needs:
                needed_by.setdefault(state, []).append(number)
        good = ends == RETURN
        waiting = good.nonzero()[0].tolist()
        while waiting:
            for number in needed_by.get(waiting.pop(), ()):
                missing[number] -= 1
                source = edges[number] >> 32
                if not missing[number] and not good[source]:
                    good[source] = True
                    waiting.append(source)
        pushed = np.array([all(good[state] for state in states) for states in pushes])
        alive = leads & good[np.where(leads, rows & mask, 0)] & pushed[np.where(leads, rows >> TARGET_BITS, 0)]
        rows[leads & ~alive] = DEAD
