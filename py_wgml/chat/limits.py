"""How much a template may ask for, and what values weigh: see sandbox.py."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from types import BuiltinMethodType, FunctionType, MethodType
from typing import Any, cast

from jinja2.exceptions import SecurityError
from jinja2.runtime import LoopContext, Macro
from jinja2.utils import Cycler, Joiner, Namespace

MAX_SIZE = 2_000_000
"""The weight of any one value, and of the whole output."""
MAX_FUEL = 32 * MAX_SIZE
"""Of one rendering, beside what it is given times its messages: some templates add up one text, message by message."""
ADDITIONS = 8  # of that text, for each message
MOST_FUEL = 8 * MAX_FUEL
MAX_HELD = 32 * MAX_SIZE
"""Bytes of all values that were made and are not yet known to be let go. Half of them may be in use."""
BYTES = 4  # of a unit of weight, about: of a wide character, a fourth of a place in a list with what is in it
STEP = 128
"""What a turn of a loop, a call, an operator costs: as long as they take, some hundred characters can be looked at."""
MESSAGES = 250  # so many allow for as many steps again as no message does; further fuel is for text
SHORT_BITS = 48
"""Of integers that are written with fewer characters than ELEMENT."""
UNBOUND = 512
"""Characters of the longest float that has no width."""
CONTAINER = STEP  # to look at one
ELEMENT = 16
"""The weight of an element of a container, and of anything else that is no text."""
ENTRY = 128
"""Bytes that it takes to remember a value."""
MAX_DEPTH = 40
"""Of calls in calls, and of containers in containers."""

MAX_NAME = 100
"""Characters of what is missing that a message shows."""
MAX_PARTS = 20_000
"""Of a template's syntax: names, texts, marks. Elaborate templates have 5 thousand."""
MAX_TOKENS = 1000
"""Of them between one {{ or {% and its end: "1+1+1+..." makes a tree so deep that freeing it overflows a stack."""
MAX_BRANCHES = 500
"""Of `elif`: each is a level of the program that is made of a template."""
MAX_MACROS = 100
"""Usual templates have ten at most. Each may hold the one before: freeing a thousand overflows a browser's stack, which
Python 3.14 knows nothing of."""
MAX_NESTING = 80
"""Of syntax in syntax."""
MAX_FRAMES = 300
"""Of Python, on a small stack, while a template is compiled or rendered; usual ones take 70."""
SMALL_STACK = sys.platform == "emscripten"
"""A browser's stack overflows before Python's own limit is reached, and that ends the interpreter."""

_VIEWS: tuple[type, ...] = (type({}.keys()), type({}.values()), type({}.items()))
SIZED: tuple[Any, ...] = (str, list, tuple, dict, set, frozenset, range, *_VIEWS)
CONTAINERS: tuple[Any, ...] = (*SIZED[1:], Namespace, Cycler, Joiner)
FUNCTIONS = (Macro, LoopContext, FunctionType, MethodType, BuiltinMethodType)
"""They are called, and no more. No container may hold one: each holds values itself, and endlessly many in each
other overflow a stack."""


class LimitError(SecurityError):
    """A template asks for too much."""


class TimeError(LimitError):
    """Its time is over."""


class SizeError(LimitError):
    """A value weighs more than MAX_SIZE."""


class GivenError(LimitError):
    """What a template is given does: nothing was rendered."""


def _kind_of(given: type) -> type | None:
    """str: its values have characters, list: elements, None: neither."""
    if issubclass(given, FUNCTIONS):
        raise LimitError("it takes a function for a value")
    return str if issubclass(given, str) else list if issubclass(given, CONTAINERS) else None


kind_of = cast(Callable[[type], type | None], cache(_kind_of))


def contents(container: Any) -> Any:
    """What is in one of CONTAINERS, as one of Python's own."""
    if issubclass(type(container), Namespace):  # isinstance() would ask the namespace, which takes long
        return object.__getattribute__(container, "_Namespace__attrs")
    if isinstance(container, Cycler):
        return container.items
    return [container.sep] if isinstance(container, Joiner) else container


def lines_of(text: str) -> int:
    """How many lines a text has at most, as Python counts them."""
    return 1 + sum(map(text.count, "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"))


def length_of(value: Any) -> int:
    """Characters or elements; 1 of a value that has neither."""
    return len(value) if isinstance(value, SIZED) else 1


def check(size: int) -> int:
    """Gives back the weight of a value that is to be made. Raises SizeError where it is too large."""
    if size > MAX_SIZE:
        raise SizeError(f"it makes more than {MAX_SIZE} characters at once")
    return size
