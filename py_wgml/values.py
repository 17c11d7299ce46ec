"""Where values come in from outside: JavaScript's become plain Python, and options are checked by type and range.

Every check raises WgmlError, one line that names the option. What means the same is taken as that (40.0 for 40, a NumPy
number for Python's), what might be a mistake is not ("0.7" for 0.7, True for 1).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from difflib import get_close_matches
from reprlib import Repr
from sys import float_info
from typing import Any

import numpy as np

from .errors import MAX_QUOTED, WgmlError, shown

MAX_DEPTH = 100
"""Levels of objects and lists within one another that a message may have; it also ends what contains itself."""
MAX_VALUES = 1 << 17
"""Values that a message may hold: what is in several places counts in each, as it is written out there."""
MAX_CHARACTERS = 1 << 26
"""Characters of all these values together."""
MAX_BITS = 4096
"""Of a whole number; Python does not write one of some ten thousand."""

_LEVELS = re.compile(r'"(?:[^"\\]|\\.)*"?|[][{}]', re.DOTALL)
"""Texts, which may hold anything, and what begins and ends a level of JSON."""

_REPR = Repr()  # which is cut at each level, where a value's own is as long as all that is in it
_REPR.maxlevel, _REPR.maxstring, _REPR.maxother = 3, 60, 60


def read_json(text: str, **options: Any) -> Any:
    """What json.loads makes of a text. Raises ValueError where that is no JSON, or has more than MAX_DEPTH levels.

    Python has a bound of its own, which it asks its stack for: in a browser another one overflows before, and that ends
    the interpreter.
    """
    depth = 0
    if text.count("[") + text.count("{") > MAX_DEPTH:
        for found in _LEVELS.finditer(text):
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found[0], 0)
            if depth > MAX_DEPTH:
                raise ValueError("it is nested too deeply")
    return json.loads(text, **options)


def plain(value: Any, name: str = "the message", opened: Callable[[Any], Any] = lambda value: value) -> Any:
    """A value of JavaScript's, or of Python's, as None, bool, int, float, str, list and dict with keys of text.

    null and undefined are None, a BigInt is an int, a Map is a dict. Halves of surrogate pairs become whole, or U+FFFD.
    Whatever is no plain data (dates, typed arrays, sets, functions, files, instances of classes) is refused, as is what
    is nested too deeply, too much, or a number too large. opened: is given each value first, and may make another of
    it.
    """
    return _Copy(opened).of(value, name, MAX_DEPTH)


class _Copy:
    """One copy of plain data, and what is left of its budget."""

    def __init__(self, opened: Callable[[Any], Any]) -> None:
        self._opened = opened
        self._values, self._characters = MAX_VALUES, MAX_CHARACTERS

    def of(self, value: Any, name: str, depth: int) -> Any:
        self._values -= 1
        if self._values < 0:
            raise WgmlError(f"{shown(name)} goes beyond the {MAX_VALUES} values that can be taken")
        value = self._opened(value)
        if value is None or type(value).__name__ == "JsNull":  # which Pyodide has for null: it is not None there
            return None
        if isinstance(value, bool):
            return value
        # Of the types themselves: a member of an enum, for one, is written by its name.
        if isinstance(value, str):
            return self._text(value, name)
        if isinstance(value, float):
            return float.__float__(value)
        if isinstance(value, int):
            return self._whole(int.__int__(value), name)
        if depth == 0:
            raise WgmlError(f"{shown(name)} is nested more than {MAX_DEPTH} levels deep")
        # One level at a time: what is endless ends here, and not in Pyodide's own recursion.
        inside = value.to_py(depth=1) if hasattr(value, "to_py") else value
        if isinstance(inside, Mapping):
            return {
                self._key(key, name): self.of(item, f"{name}.{key[:MAX_QUOTED]}", depth - 1)
                for key, item in inside.items()
            }
        if isinstance(inside, list | tuple):
            return [self.of(item, f"{name}[{i}]", depth - 1) for i, item in enumerate(inside)]
        kind = getattr(getattr(value, "constructor", None), "name", None) or type(value).__name__
        raise WgmlError(f"{shown(name)} is a {shown(str(kind))}, not plain data")

    def _key(self, key: Any, name: str) -> str:
        if not isinstance(key, str):
            raise wrong(f"a key of {shown(name)}", key, "text")
        return self._text(key, name)

    def _text(self, text: str, name: str) -> str:
        text = whole(str.__str__(text))
        self._characters -= len(text)
        if self._characters < 0:
            raise WgmlError(f"{shown(name)} goes beyond the {MAX_CHARACTERS} characters that can be taken")
        return text

    def _whole(self, value: int, name: str) -> int:
        if value.bit_length() > MAX_BITS:
            raise WgmlError(f"{shown(name)} is a number of {value.bit_length()} bits; at most {MAX_BITS} can be taken")
        return value


def whole(text: str) -> str:
    """`text` with halves of surrogate pairs, which JavaScript's strings can hold, made whole, or U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def number(name: str, value: Any, low: float = -float_info.max, high: float = float_info.max) -> float:
    """A number of `low` to `high`, which is finite; NaN is none. Raises WgmlError for anything else."""
    found = _number(name, value, "a number")
    if not low <= found <= high:
        raise WgmlError(f"{name} is {shown(_written(found))}; it must lie between {low:g} and {high:g}")
    return float(found)


def integer(name: str, value: Any, low: int, high: int | None = None) -> int:
    """A whole number of `low` to `high` (None: without an end), however it is written. Raises WgmlError for another."""
    found = _number(name, value, "a whole number")
    if isinstance(found, float) and not found.is_integer():
        raise wrong(name, value, "a whole number")
    if found < low or (high is not None and found > high):
        bounds = f"be at least {low}" if high is None else f"lie between {low} and {high}"
        raise WgmlError(f"{name} is {shown(_written(found))}; it must {bounds}")
    return int(found)


def one_of(name: str, value: Any, choices: Collection[int]) -> int:
    """One of a few whole numbers."""
    wanted = f"one of {', '.join(map(str, choices))}"
    found = _number(name, value, wanted)
    if found not in choices:
        raise wrong(name, value, wanted)
    return int(found)


def word(name: str, value: Any, choices: Collection[str]) -> str:
    """One of a few words. Raises WgmlError for anything else."""
    if not isinstance(value, str) or value not in choices:
        raise wrong(name, value, f"one of {', '.join(choices)}")
    return value


def flag(name: str, value: Any) -> bool:
    """True or false; None is false."""
    if value is not None and not isinstance(value, bool):
        raise wrong(name, value, "true or false")
    return bool(value)


def text(name: str, value: Any) -> str:
    """A text."""
    if not isinstance(value, str):
        raise wrong(name, value, "text")
    return value


def file_path(name: str, value: Any) -> str:
    """A path, as text."""
    return text(name, os.fspath(value) if isinstance(value, os.PathLike) else value)


def texts(name: str, value: Any) -> list[str]:
    """A text, or several of them; None is none. Raises WgmlError where one is empty or no text."""
    if value is None:
        return []
    found = [value] if isinstance(value, str) else listed(name, value)
    for item in found:
        if not isinstance(item, str):
            raise wrong(name, value, "text or a list of texts")
        if not item:
            raise WgmlError(f"{name} holds an empty text")
    return found


def mapping(name: str, value: Any) -> dict[str, Any]:
    """A mapping of names; None is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise wrong(name, value, "an object with names for its keys")
    return dict(value)


def integers(name: str, value: Any, low: int, high: int) -> list[int]:
    """A list of whole numbers of `low` to `high`."""
    return [integer(f"{name}[{i}]", item, low, high) for i, item in enumerate(listed(name, value))]


def function(name: str, value: Any) -> Callable[..., Any]:
    """What can be called."""
    if not callable(value):
        raise wrong(name, value, "a function")
    return value  # type: ignore[no-any-return]


def known(given: Iterable[str], names: Collection[str]) -> None:
    """Compare names. Raises WgmlError for an option that there is not, with the one that may have been meant."""
    for name in given:
        if name not in names:
            near = get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
            raise WgmlError(f"there is no option {shown(name)}; {hint}")


def listed(name: str, value: Any) -> list[Any]:
    """What can be gone through, but no text and no mapping."""
    if isinstance(value, str | bytes | bytearray | Mapping) or not isinstance(value, Iterable):
        raise wrong(name, value, "a list")
    return list(value)


def _number(name: str, value: Any, wanted: str) -> int | float:
    if isinstance(value, np.integer | np.floating):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(name, value, wanted)
    return value


def _written(value: int | float) -> str:
    """A number in few characters: Python writes no whole one of more than some thousand digits."""
    is_short = isinstance(value, float) or abs(value) < 10**100
    return str(value) if is_short else "a number of hundreds of digits"


def wrong(name: str, value: Any, wanted: str) -> WgmlError:
    """The error that `value` is not what is wanted."""
    return WgmlError(f"{name} is {shown(_described(value))}, not {wanted}")


def _described(value: Any) -> str:
    """What a value is, in few characters."""
    try:
        return "None" if value is None else f"the {type(value).__name__} {_REPR.repr(value)[:60]}"
    except Exception:  # of an object of any kind, and of numbers that are too long
        return f"of the type {type(value).__name__}"
