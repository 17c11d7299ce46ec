"""Where values come in from outside: JavaScript's become plain Python, and options are checked by type and range.

Every check raises WgmlError, one line that names the option. What means the same is taken as that (40.0 for 40, a NumPy
number for Python's), what might be a mistake is not ("0.7" for 0.7, True for 1).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from difflib import get_close_matches
from math import inf
from typing import Any

import numpy as np

from .errors import WgmlError, shown

MAX_DEPTH = 100
"""Levels of objects and lists within one another that a message may have; it also ends what contains itself."""


def plain(value: Any, name: str = "the message", depth: int = MAX_DEPTH) -> Any:
    """A value of JavaScript's, or of Python's, as None, bool, int, float, str, list and dict with keys of text.

    null and undefined are None, a BigInt is an int, a Map is a dict. Whatever is no plain data (dates, typed arrays,
    sets, functions, files, instances of classes) is refused, as is what is nested too deeply.
    """
    if value is None or type(value).__name__ == "JsNull":  # which Pyodide has for null: it is not None there
        return None
    if isinstance(value, bool | int | float | str):
        return value
    if depth == 0:
        raise WgmlError(f"{shown(name)} is nested more than {MAX_DEPTH} levels deep")
    # One level at a time: what is endless ends here, and not in Pyodide's own recursion.
    inside = value.to_py(depth=1) if hasattr(value, "to_py") else value
    if isinstance(inside, Mapping):
        if wrong := next((key for key in inside if not isinstance(key, str)), None):
            raise WgmlError(f"{shown(name)} has the key {shown(repr(wrong))}, which is not text")
        return {key: plain(item, f"{name}.{key}", depth - 1) for key, item in inside.items()}
    if isinstance(inside, list | tuple):
        return [plain(item, f"{name}[{i}]", depth - 1) for i, item in enumerate(inside)]
    kind = getattr(getattr(value, "constructor", None), "name", None) or type(value).__name__
    raise WgmlError(f"{shown(name)} is a {shown(str(kind))}, not plain data")


def number(name: str, value: Any, low: float = -inf, high: float = inf) -> float:
    """A number of `low` to `high`; NaN is none."""
    found = _number(name, value, "a number")
    if not low <= found <= high:
        raise WgmlError(f"{name} is {shown(_written(found))}; it must lie between {low:g} and {high:g}")
    return float(found)


def integer(name: str, value: Any, low: int, high: int | None = None) -> int:
    """A whole number of `low` to `high` (None: without an end), however it is written."""
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


def texts(name: str, value: Any) -> list[str]:
    """A text, or several of them; None is none. None of them is empty."""
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


def mappings(name: str, value: Any) -> list[Mapping[str, Any]]:
    """A list of mappings."""
    found = listed(name, value)
    for i, item in enumerate(found):
        if not isinstance(item, Mapping):
            raise wrong(f"{name}[{i}]", item, "an object")
    return found


def integers(name: str, value: Any, low: int, high: int) -> list[int]:
    """A list of whole numbers of `low` to `high`."""
    return [integer(f"{name}[{i}]", item, low, high) for i, item in enumerate(listed(name, value))]


def function(name: str, value: Any) -> Callable[..., Any]:
    """What can be called."""
    if not callable(value):
        raise wrong(name, value, "a function")
    return value  # type: ignore[no-any-return]


def known(given: Iterable[str], names: Collection[str]) -> None:
    """Refuse the names of options that there are not, with the one that may have been meant."""
    for name in given:
        if name not in names:
            near = get_close_matches(name, names, n=1)
            which = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
            raise WgmlError(f"there is no option {shown(name)}; {which}")


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
    """A number in few characters: Python writes none of more than some thousand digits."""
    return str(value) if abs(value) < 1e100 else "a number of hundreds of digits"


def wrong(name: str, value: Any, wanted: str) -> WgmlError:
    """The error that `value` is not what is wanted."""
    try:
        kind = "None" if value is None else f"the {type(value).__name__} {repr(value)[:60]}"
    except Exception:  # of an object of any kind, and of numbers that are too long
        kind = f"of the type {type(value).__name__}"
    return WgmlError(f"{name} is {shown(kind)}, not {wanted}")
