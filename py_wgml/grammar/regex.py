"""Regular expressions, as expressions over bytes. Python's own parser reads them.

What no automaton can follow (backreferences, lookaround, word boundaries, atomic groups) is refused by name.
"""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from ..errors import WgmlError, quoted, said
from .nodes import EMPTY, Choice, Grammar, Node, Range, Repeat, Sequence, characters, others
from .sizes import MOST_REPEATED, require_small

Encode = Callable[[Iterable[Range]], Node]
Items = list[tuple[Any, Any]]

_REFUSED = {
    ops.GROUPREF: "a backreference",
    ops.GROUPREF_EXISTS: "a condition on a group",
    ops.ASSERT: "lookahead or lookbehind",
    ops.ASSERT_NOT: "negative lookahead or lookbehind",
    ops.ATOMIC_GROUP: "an atomic group",
    ops.POSSESSIVE_REPEAT: "a possessive quantifier",
}
_WORD: list[Range] = [(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)]
_DIGIT: list[Range] = [(0x30, 0x39)]
_SPACE: list[Range] = [(0x09, 0x0D), (0x20, 0x20)]
_NO_BREAK: Range = (0xFEFF, 0xFEFF)  # white space in ECMA-262, and not in Python
_LINES: list[Range] = [(0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029)]
_EVERYTHING: list[Range] = [(0, 0x10FFFF)]
_STARTS, _ENDS = {ops.AT_BEGINNING, ops.AT_BEGINNING_STRING}, {ops.AT_END, ops.AT_END_STRING}


def regex(pattern: str, encode: Encode = characters, search: bool = False) -> Node:
    r"""What a regular expression matches as a whole. Raises WgmlError for one that can't be an automaton, by name.

    encode: one character of ranges of code points, as it is to be written. search: the pattern may match anywhere in
    the text, and is one of ECMA-262, as JSON schemas have them. So that whoever reads the text agrees, `\d`, `\w` and
    `\s` stand for ASCII alone, and their opposites for what is not in Unicode's either.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parsed = parser.parse(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise WgmlError(f"the regular expression {quoted(pattern)} can't be read: {said(error)}") from None
    try:
        found = _Reader(pattern, encode, search).whole([*parsed], parsed.state.flags)
    except RecursionError:
        raise WgmlError(f"the regular expression {quoted(pattern)} is nested too deeply") from None
    require_small(Grammar(found), f"the regular expression {quoted(pattern)}")
    return found


class _Reader:
    """One pattern on its way into an expression."""

    def __init__(self, pattern: str, encode: Encode, search: bool) -> None:
        self._pattern, self._encode, self._search = pattern, encode, search
        self._any = Repeat(encode(_EVERYTHING)) if search else EMPTY

    def whole(self, items: Items, flags: int) -> Node:
        """The language of a pattern with its anchors."""
        options = []
        for alternative in self._apart(items, 0):
            for option in self._apart(alternative, -1):
                starts = bool(option) and option[0][0] is ops.AT and option[0][1] in _STARTS
                ends = len(option) > starts and option[-1][0] is ops.AT and option[-1][1] in _ENDS
                middle = option[starts : len(option) - ends]
                parts = [EMPTY if starts else self._any, self._sequence(middle, flags), EMPTY if ends else self._any]
                options.append(Sequence(tuple(part for part in parts if part != EMPTY)))
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _apart(self, items: Items, at: int) -> Iterator[Items]:
        """`items` in as many alternatives as it takes for no anchor at this end (0 or -1) to lie in a group."""
        if items and _anchored(items[at : at + 1 or None]) and items[at][0] in (ops.BRANCH, ops.SUBPATTERN):
            code, value = items[at]
            if code is ops.SUBPATTERN and (value[1] or value[2]):
                raise self._refused("an anchor in a group with flags")
            inside = [[*branch] for branch in value[1]] if code is ops.BRANCH else [[*value[3]]]
            for option in inside:
                yield from self._apart([*option, *items[1:]] if at == 0 else [*items[:-1], *option], at)
        else:
            yield items

    def _sequence(self, items: Items, flags: int) -> Node:
        parts = tuple(self._item(code, value, flags) for code, value in items)
        return parts[0] if len(parts) == 1 else Sequence(parts)

    def _item(self, code: Any, value: Any, flags: int) -> Node:
        if code is ops.SUBPATTERN:
            _, added, dropped, inside = value
            return self._sequence([*inside], (flags | added) & ~dropped)
        if code is ops.BRANCH:
            return Choice(tuple(self._sequence([*branch], flags) for branch in value[1]))
        if code in (ops.MAX_REPEAT, ops.MIN_REPEAT):
            least, most, inside = value
            endless = most is ops.MAXREPEAT or most == ops.MAXREPEAT
            for count in (least, 0 if endless else most):
                if count > MOST_REPEATED:
                    raise self._refused(f"{count} repetitions (more than {MOST_REPEATED})")
            return Repeat(self._sequence([*inside], flags), int(least), None if endless else int(most))
        if code is ops.AT:
            raise self._refused("a word boundary" if "BOUNDARY" in str(value) else "^ or $ amid a pattern")
        if code in _REFUSED:
            raise self._refused(_REFUSED[code])
        if code is ops.FAILURE:
            return Choice()
        return self._encode(self._ranges(code, value, flags))

    def _ranges(self, code: Any, value: Any, flags: int) -> list[Range]:
        """The code points of what matches one character."""
        if code is ops.ANY:
            lines = _LINES if self._search else _LINES[:1]
            return _EVERYTHING if flags & re.DOTALL else others(lines)
        if code is ops.LITERAL:
            return self._cases([(value, value)], flags)
        if code is ops.NOT_LITERAL:
            return others(self._cases([(value, value)], flags, negated=True))
        if code is ops.IN:
            negated = value[0][0] is ops.NEGATE
            ranges = [pair for member in value[negated:] for pair in self._member(member[0], member[1], flags, negated)]
            ranges = self._cases(ranges, flags, negated)
            return others(ranges) if negated else others(others(ranges))
        raise self._refused(str(code).lower())

    def _member(self, code: Any, value: Any, flags: int, wide: bool) -> list[Range]:
        if code is ops.LITERAL:
            return [(value, value)]
        if code is ops.RANGE:
            return [value]
        name = str(value).removeprefix("CATEGORY_").lower()
        opposite = name.startswith("not_")
        ranges = self._category(name.removeprefix("not_"), flags, wide != opposite)
        return others(ranges) if opposite else ranges

    def _category(self, name: str, flags: int, wide: bool) -> list[Range]:
        r"""The code points of \d, \w or \s; `wide`: all that may be counted among them."""
        if wide and not flags & re.ASCII:
            return [*_of_unicode(rf"\{name[0]}"), _NO_BREAK]
        return {"digit": _DIGIT, "word": _WORD, "space": _SPACE}[name]

    def _cases(self, ranges: list[Range], flags: int, negated: bool = False) -> list[Range]:
        """With what differs from these in its case alone, if the pattern asks for that."""
        if not flags & re.IGNORECASE:
            return ranges
        if negated:
            raise self._refused("a negated class that ignores case")
        if sum(high - low + 1 for low, high in ranges) > MOST_REPEATED:
            raise self._refused("a large class that ignores case")
        found = {*ranges}
        for low, high in ranges:
            for code in range(low, high + 1):
                found |= {(ord(c), ord(c)) for c in (chr(code).lower(), chr(code).upper()) if len(c) == 1}
        return sorted(found)

    def _refused(self, what: str) -> WgmlError:
        return WgmlError(f"the regular expression {quoted(self._pattern)} has {what}, which is not supported")


def _anchored(items: Items) -> bool:
    """Whether there is an anchor at the top of these, or in groups and branches of theirs."""
    for code, value in items:
        if code is ops.AT and value in _STARTS | _ENDS:
            return True
        inside = value[1] if code is ops.BRANCH else [value[3]] if code is ops.SUBPATTERN else []
        if any(_anchored([*branch]) for branch in inside):
            return True
    return False


@functools.cache
def _of_unicode(category: str) -> list[Range]:
    """The code points that Python counts among a category."""
    everything = "".join(map(chr, range(0x110000)))
    return [(found.start(), found.end() - 1) for found in re.finditer(f"{category}+", everything)]
