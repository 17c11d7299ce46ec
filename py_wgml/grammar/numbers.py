"""Numbers of JSON within bounds, as expressions over their digits.

Without bounds a number has up to 15 digits before its point (as many as a float surely holds), up to 15 behind it, and
an exponent of two; with bounds few decimals and no exponent.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, lcm

from ..errors import WgmlError
from .nodes import EMPTY, Both, Bytes, Choice, Node, Repeat, Sequence, literal, optional
from .sizes import NOTHING

DIGITS = 15
_DECIMALS = 6
_MOST_LISTED = 1000  # numbers that are written out one by one
_MOST_DIGITS = 25  # of a bound; decimal has 28
_DIGIT = Bytes(((0x30, 0x39),))
_POINT = literal(".")
_MINUS = literal("-")


def _number_of(digits: int) -> Node:
    """Digits, as many as so many, of which the first is none without need."""
    return Choice((literal("0"), Sequence((Bytes(((0x31, 0x39),)), Repeat(_DIGIT, 0, digits - 1)))))


_NATURAL = _number_of(DIGITS)


@dataclass(frozen=True)
class Bound:
    """An end of a range; `open`: it is not part of it itself."""

    value: Decimal
    open: bool = False


def number(low: Bound | None, high: Bound | None, multiples: tuple[Decimal, ...], whole: bool) -> Node:
    """The numbers between two bounds (None: there is none) that are multiples of all of `multiples`.

    whole: whole numbers alone, without a point. Raises WgmlError where that takes an automaton beyond all measure.
    """
    low, high = (_within(bound) for bound in (low, high))
    for value in [*(bound.value for bound in (low, high) if bound), *multiples]:
        if len(value.as_tuple().digits) > _MOST_DIGITS or _decimals(value) > _MOST_DIGITS:
            raise WgmlError(f"bounds of more than {_MOST_DIGITS} digits are not supported")
    if multiples:
        return _multiples(low, high, multiples, whole)
    if whole:
        return _integers(low, high)
    bounds = [bound.value for bound in (low, high) if bound]
    if bounds:
        before = max(len(str(abs(int(value)))) for value in bounds)
        # Never as many decimals that a float, which rounds, could cross a bound.
        return _decimal(low, high, max(0, min(_DECIMALS, DIGITS - before), *map(_decimals, bounds)))
    fraction = optional(Sequence((_POINT, Repeat(_DIGIT, 1, DIGITS))))
    exponent = Sequence((_any_of("Ee"), optional(_any_of("+-")), Repeat(_DIGIT, 1, 2)))
    return Sequence((optional(_MINUS), _NATURAL, fraction, optional(exponent)))


def _any_of(letters: str) -> Node:
    return Bytes(tuple((ord(letter), ord(letter)) for letter in letters))


def _within(bound: Bound | None) -> Bound | None:
    """A bound, or where it is far off one that is not."""
    far = Decimal(10) ** (_MOST_DIGITS - 1)
    if bound and abs(bound.value) > far:
        return Bound(far.copy_sign(bound.value))
    return bound


def _decimals(value: Decimal) -> int:
    return max(0, -int(value.normalize().as_tuple().exponent))


def _integers(low: Bound | None, high: Bound | None) -> Node:
    """Whole numbers between two bounds."""
    if low is None and high is None:
        return Choice((_NATURAL, Sequence((_MINUS, Bytes(((0x31, 0x39),)), Repeat(_DIGIT, 0, DIGITS - 1)))))
    first = None if low is None else _first(low, 1)
    last = None if high is None else -_first(_negated(high), 1)
    options: list[Node] = []
    if last is None or last >= 0:
        options.append(_naturals(max(first or 0, 0), last))
    if first is None or first < 0:
        options.append(
            Sequence((_MINUS, _naturals(1 if last is None or last >= 0 else -last, None if first is None else -first)))
        )
    return Choice(tuple(options))


def _first(bound: Bound, unit: Fraction | int) -> int:
    """How often `unit` goes at least into what lies above a bound."""
    value = Fraction(bound.value) / unit
    return ceil(value) + (bound.open and value.denominator == 1)


def _negated(bound: Bound) -> Bound:
    return Bound(bound.value.copy_negate(), bound.open)


def _naturals(low: int, high: int | None) -> Node:
    """Whole numbers from `low` (at least 0) to `high`, or up to 15 digits, or one more than `low` has."""
    if high is None:
        high = 10 ** max(DIGITS, len(str(low)) + 1) - 1
    options = []
    for length in range(len(str(low)), len(str(high)) + 1):
        first, last = max(low, 10 ** (length - 1) if length > 1 else 0), min(high, 10**length - 1)
        if first <= last:
            options.append(_digits(str(first), str(last)))
    return Choice(tuple(options))


def _digits(low: str, high: str) -> Node:
    """The numbers of as many digits as both bounds, between them."""
    if not low:
        return EMPTY
    rest = len(low) - 1
    if low == "0" * len(low) and high == "9" * len(low):
        return Repeat(_DIGIT, len(low), len(low))
    if low[0] == high[0]:
        return Sequence((literal(low[0]), _digits(low[1:], high[1:])))
    first, last = int(low[0]), int(high[0])
    options: list[Node] = []
    if low[1:] != "0" * rest:
        options.append(Sequence((literal(low[0]), _digits(low[1:], "9" * rest))))
        first += 1
    if high[1:] != "9" * rest:
        options.append(Sequence((literal(high[0]), _digits("0" * rest, high[1:]))))
        last -= 1
    if first <= last:
        options.append(Sequence((Bytes(((0x30 + first, 0x30 + last),)), Repeat(_DIGIT, rest, rest))))
    return Choice(tuple(options))


def _decimal(low: Bound | None, high: Bound | None, decimals: int) -> Node:
    """Numbers between two bounds with up to so many decimals."""
    options: list[Node] = []
    zero = Bound(Decimal(0))
    if high is None or high.value > 0 or (high.value == 0 and not high.open):
        options.append(_magnitudes(low if low and low.value >= 0 else zero, high, decimals))
    if low is None or low.value < 0:
        least = _negated(high) if high and high.value < 0 else Bound(Decimal(0), True)
        most = None if low is None else _negated(low)
        options.append(Sequence((_MINUS, _magnitudes(least, most, decimals))))
    return Choice(tuple(options))


def _magnitudes(low: Bound, high: Bound | None, decimals: int) -> Node:
    """Numbers without a sign between two bounds of at least 0."""
    if high and (low.value > high.value or (low.value == high.value and (low.open or high.open))):
        return NOTHING
    first, lower = _parts(low)
    last, upper = _parts(high) if high else (None, "")
    everything = _fraction(None, None, decimals)
    if high and first == last:
        return Sequence((literal(str(first)), _fraction((lower, low.open), (upper, high.open), decimals)))
    options: list[Node] = [Sequence((literal(str(first)), _fraction((lower, low.open), None, decimals)))]
    if last is None or first + 1 <= last - 1:
        options.append(Sequence((_naturals(first + 1, None if last is None else last - 1), everything)))
    if high:
        options.append(Sequence((literal(str(last)), _fraction(None, (upper, high.open), decimals))))
    return Choice(tuple(options))


def _parts(bound: Bound) -> tuple[int, str]:
    """What stands before the point, and what behind it."""
    whole, _, behind = f"{bound.value:f}".partition(".")
    return int(whole), behind.rstrip("0")


Edge = tuple[str, bool] | None
"""The digits of a bound that are still to come, and whether it is open itself; None: it holds already."""


def _fraction(low: Edge, high: Edge, decimals: int) -> Node:
    """A point and decimals, or nothing, between two bounds that begin with the same digits so far."""
    ends = _may_end(low, high)
    digits = Sequence((_POINT, _tail(low, high, decimals, False))) if decimals else NOTHING
    return Choice((EMPTY, digits)) if ends else digits


def _may_end(low: Edge, high: Edge) -> bool:
    return (low is None or low == ("", False)) and (high is None or high != ("", True))


def _tail(low: Edge, high: Edge, left: int, may_end: bool) -> Node:
    """Up to `left` more decimals. may_end: also none, if what has been written lies between the bounds."""
    low = None if low == ("", False) else low
    if low is None and high is None:
        return Repeat(_DIGIT, 0 if may_end else 1, left)
    options: list[Node] = [EMPTY] if may_end and _may_end(low, high) else []
    groups: dict[tuple[Edge, Edge], list[int]] = {}
    for digit in range(10) if left else ():
        lower, upper = _behind(low, digit, 1), _behind(high, digit, -1)
        if lower != _OUTSIDE and upper != _OUTSIDE:
            groups.setdefault((lower, upper), []).append(digit)
    for (lower, upper), found in groups.items():
        digits = Bytes(((0x30 + found[0], 0x30 + found[-1]),))
        options.append(Sequence((digits, _tail(lower, upper, left - 1, True))))
    return Choice(tuple(options))


_OUTSIDE: Edge = ("outside", True)


def _behind(edge: Edge, digit: int, side: int) -> Edge:
    """A bound once a digit more is written; side: 1 for a lower one, -1 for an upper one."""
    if edge is None:
        return None
    digits, is_open = edge
    own = int(digits[0]) if digits else 0
    if digit == own:
        return digits[1:], is_open
    return None if (digit - own) * side > 0 else _OUTSIDE


def _multiples(low: Bound | None, high: Bound | None, multiples: tuple[Decimal, ...], whole: bool) -> Node:
    """Multiples, told by their last digits, or written out if there are few."""
    decimals = max(map(_decimals, multiples))
    unit = lcm(*(int(multiple.scaleb(decimals)) for multiple in multiples))
    if whole:
        unit, decimals = lcm(unit, 10**decimals) // 10**decimals, 0
    if low and high:
        step = Fraction(unit, 10**decimals)
        first, last = _first(low, step), -_first(_negated(high), step)
        if last - first < _MOST_LISTED:
            values = (Decimal(count * unit).scaleb(-decimals) for count in range(first, last + 1))
            return Choice(tuple(literal(f"{value:f}") for value in values))
    found = _by_last_digits(unit, decimals)
    if low is None and high is None:
        return found
    return Both(found, _integers(low, high) if whole else _decimal(low, high, decimals))


def _by_last_digits(unit: int, decimals: int) -> Node:
    """Multiples of `unit` in the last of `decimals` decimals, by their last digits, which tell where `unit` divides a
    power of ten."""
    width = next((count for count in range(decimals, decimals + 4) if 10**count % unit == 0), None)
    if width is None or decimals > 9 or (unit > 1 and 10**width // unit > _MOST_LISTED):
        what = f"{Decimal(unit).scaleb(-decimals):f}"
        raise WgmlError(f'"multipleOf" {what} is supported between a minimum and a maximum that are close')
    # All digits together are those that a float surely holds: one that is rounded is no multiple.
    most = max(1, DIGITS - decimals)
    options: list[Node] = []
    if unit == 1:
        fraction = optional(Sequence((_POINT, Repeat(_DIGIT, 1, decimals)))) if decimals else EMPTY
        options.append(Sequence((_number_of(most), fraction)))
    for ending in range(0, 10**width, unit) if unit > 1 else ():
        digits = f"{ending:0{width}d}"
        head, behind = digits[: width - decimals], digits[width - decimals :]
        tail: Node = literal(f".{behind}") if decimals else EMPTY
        if decimals and not int(behind):
            tail = optional(tail)
        if head:
            options.append(Sequence((literal(head.lstrip("0") or "0"), tail)))
            options.append(Sequence((Bytes(((0x31, 0x39),)), Repeat(_DIGIT, 0, most - 4), literal(head), tail)))
        else:
            options.append(Sequence((_number_of(most), tail)))
    return Sequence((optional(_MINUS), Choice(tuple(options))))
