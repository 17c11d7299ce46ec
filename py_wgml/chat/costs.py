"""What templates may use, and what it costs them: see sandbox.py."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from string import Formatter
from typing import TYPE_CHECKING, Any

from jinja2.runtime import LoopContext
from jinja2.utils import Cycler

from ..values import MAX_BITS
from .limits import ELEMENT, MAX_SIZE, UNBOUND, LimitError, check, length_of, lines_of

if TYPE_CHECKING:
    from .sandbox import BoundedEnvironment

# What things cost, and what of them is refused: each is called with the environment, the value and all other arguments
# before anything is made.

Cost = Callable[["BoundedEnvironment", Any, Sequence[Any]], object]


def nothing(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    """Its result is something that was there before."""


def given_alone(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    """So is its result, but it looks at all its other arguments."""
    env.spend(env.weights(given))


def whole(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    """A filter that looks at all that it is given."""
    env.spend(env.weight(value) + env.weights(given))


def _each(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    """A filter that looks at its arguments for each element or character of the value."""
    whole(env, value, given)
    env.spend(length_of(value) * env.weights(text for text in given if isinstance(text, str)) // ELEMENT)


def _slow(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    """Each character is looked at in Python, not in C."""
    env.spend(ELEMENT * length_of(value))
    _each(env, value, given)


def _listed(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    """Characters of a text become elements too."""
    check(ELEMENT * length_of(value))
    whole(env, value, given)


def _split(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    """The method: what stands between separators, or between white space."""
    whole(env, value, given)
    separator, *most = given or (None,)
    parts = value.count(separator) if isinstance(separator, str) else 0
    if separator is None:
        parts = len(value.split(None, MAX_SIZE // ELEMENT))  # no more than it takes to know that they are too many
    if most and isinstance(most[0], int) and most[0] >= 0:
        parts = min(parts, most[0])
    check(ELEMENT * parts)


def _rsplit(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    _split(env, value, given)
    _each(env, value, given)


def _split_lines(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    check(ELEMENT * lines_of(value))
    whole(env, value, given)


def _sorted(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    check(ELEMENT * length_of(value))
    env.spend(env.weight(value) * 20)  # there are no more than 2 ** 20 elements
    _each(env, value, given)


def _unique(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    env.spend(length_of(value) ** 2)  # as for dict()
    _each(env, value, given)


def _summed(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    if not all(isinstance(item, int | float | str) for item in given):
        raise LimitError("it sums what are no numbers")
    _each(env, value, given)


def _widths(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    """Integers are lengths of what is made."""
    whole(env, value, given)
    env.spend(sum(check(ELEMENT * abs(number)) for number in given if isinstance(number, int)))


def _rounded(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    if not isinstance(value, int | float):  # a text would be multiplied
        raise LimitError("it rounds what is no number")
    if any(isinstance(number, int) and abs(number) > MAX_BITS for number in given):
        raise LimitError("it makes a number too large")


def _divided(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    if not all(isinstance(number, int | float) for number in (value, *given)):  # % would be a format
        raise LimitError("it divides what is no number")
    whole(env, value, given)


def _replaced(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    whole(env, value, given)
    if not 2 <= len(given) <= 3:
        return  # Python refuses it
    text, old, new = str(value), str(given[0]), str(given[1])
    times = text.count(old)
    if len(given) == 3 and isinstance(given[2], int) and given[2] >= 0:
        times = min(times, given[2])
    env.spend(check(len(text) + times * len(new)))


def _joined(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    """The filter: elements, then the separator."""
    check(ELEMENT * length_of(value))
    separator = max(map(env.weight, given), default=0)
    env.spend(check(env.weight(value) + length_of(value) * separator))


def _str_joined(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    """The method: the separator, then elements."""
    for items in given:
        _joined(env, items, (value,))


def _indented(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    width = max((len(item) if isinstance(item, str) else int(item) for item in given), default=4)
    size = env.weight(value)
    env.spend(size)
    env.spend(check(size + lines_of(str(value)) * (ELEMENT + max(4, width))))


def _formatted(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    env.spend(env.weight(value))
    fields(env, str(value), "%", given)


def serialised(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    """The cost of JSON: an indentation and separators for each element."""
    env.spend(env.weights(given))
    parts = chain.from_iterable(item if isinstance(item, list | tuple) else (item,) for item in given)
    around = sum(item if isinstance(item, int) else len(str(item)) for item in parts if item is not None)
    env.spend(check(env.weight(value) * max(1, around)))


def fields(env: BoundedEnvironment, template: str, mark: str, values: Iterable[Any]) -> None:
    """A format string: no widths that are computed, and all fields at their widest not too large."""
    # In names of fields there may be braces too: what is a width only the parser knows.
    if "*" in template if mark == "%" else any("{" in (spec or "") for _, _, spec, _ in Formatter().parse(template)):
        raise LimitError("it computes the width of a field")
    widths = [int(width) if len(width) < 9 else MAX_SIZE + 1 for width in re.findall(r"\d+", template)]
    longest = max(map(env.weight, values), default=0)
    env.spend(check(len(template) + template.count(mark) * max(UNBOUND, longest, *widths)))


def operands(env: BoundedEnvironment, operator: str, left: Any, right: Any) -> None:
    """What an operator costs. Raises LimitError where its result would be too large."""
    if operator == "+" and isinstance(left, str | list | tuple):
        check(env.weight(left) + env.weight(right))
        if isinstance(left, str):
            return  # all that is done is to copy it, for which the text that is made pays
    env.spend(env.weight(left) + env.weight(right))
    if operator == "%":
        if isinstance(left, str):
            fields(env, left, "%", right if isinstance(right, tuple) else (right,))
    elif operator in ("*", "**"):
        if isinstance(left, int) and isinstance(right, int):
            bits = left.bit_length(), right.bit_length()
            if (sum(bits) if operator == "*" else bits[0] * abs(right)) > MAX_BITS:
                raise LimitError("it makes a number too large")
        elif operator == "*":
            for value, times in ((left, right), (right, left)):
                if isinstance(times, int):
                    check(env.weight(value) * times)


def methods_of(value: Any) -> dict[str, Cost]:
    """What templates may use of a value, and what that costs."""
    return next((names for types, names in METHODS if isinstance(value, types)), {})


# What templates may use. The templates of the most used models, Hugging Face's documentation of chat templates and
# llama.cpp's collection of them need less.


def _table(*rows: tuple[Cost, str]) -> dict[str, Cost]:
    return {name: cost for cost, names in rows for name in names.split()}


FILTERS = _table(
    (nothing, "abs count d default first last length"),
    (whole, "capitalize e escape float forceescape int items lower reverse safe string truncate upper"),
    (_listed, "list"),
    (_slow, "max min title"),
    (_each, "map reject rejectattr select selectattr trim"),
    (_sorted, "dictsort groupby sort"),
    (_unique, "unique"),
    (_summed, "sum"),
    (_widths, "batch slice"),
    (_rounded, "round"),
    (_replaced, "replace"),
    (_joined, "join"),
    (_indented, "indent"),
    (_formatted, "format"),
)
TESTS = _table(
    (nothing, "boolean defined false float integer iterable mapping none number sameas sequence string true"),
    (nothing, "callable undefined"),
    (whole, "eq equalto == ne != lt lessthan < le <= gt greaterthan > ge >= in lower upper"),
    (_divided, "divisibleby even odd"),
)
METHODS: tuple[tuple[type | tuple[type, ...], dict[str, Cost]], ...] = (
    (
        str,
        _table(
            (whole, "capitalize count endswith find format index isalnum isalpha isascii isdecimal isdigit islower"),
            (whole, "isnumeric isspace istitle isupper lower partition removeprefix removesuffix"),
            (whole, "startswith swapcase title upper"),
            (_split, "split"),
            (_rsplit, "rsplit"),
            (_split_lines, "splitlines"),
            (_each, "lstrip rfind rindex rpartition rstrip strip"),  # each character is compared with each
            (_widths, "center ljust rjust zfill"),
            (_replaced, "replace"),
            (_str_joined, "join"),
        ),
    ),
    (dict, _table((nothing, "items keys values"), (given_alone, "get"), (whole, "copy"))),
    ((list, tuple), _table((whole, "copy count index"))),
    (Cycler, _table((nothing, "current next reset"))),
    (
        LoopContext,
        _table((nothing, "cycle depth depth0 first index index0 last length nextitem previtem revindex revindex0")),
    ),
)
"""And other attributes: all other values have none."""
