"""What a GGUF file says under its keys, read by type and within bounds: the file is a stranger's.

Strings are kept with whatever bytes they have: one that is no UTF-8 stands as a lone surrogate (PEP 383), so that
`encoded` gives back what is in the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from .errors import WgmlError

MAX_SIZE = (1 << 31) - 1
MAX_SCALE = 1e6
"""Scales beyond it, or below its inverse, leave nothing of what float32 has to say."""
MAX_NAME = 200
"""Characters of a name for people that are looked at."""


def decoded(data: bytes | bytearray) -> str:
    """The text of a string in the file."""
    return data.decode("utf-8", "surrogateescape")


def encoded(text: str) -> bytes:
    """The bytes of a string in the file."""
    return text.encode("utf-8", "surrogateescape")


def readable(text: str) -> str:
    """`text`, U+FFFD in place of what is no UTF-8."""
    return encoded(text).decode(errors="replace")


class Metadata:
    """The metadata of a file. Every method raises WgmlError, which names the key, for a value of another kind.

    prefix: of the keys, which callers then leave out.
    """

    def __init__(self, values: Mapping[str, Any], prefix: str = "") -> None:
        self._values, self._prefix = values, prefix

    def __contains__(self, key: str) -> bool:
        return self._prefix + key in self._values

    def text(self, key: str, default: str = "", most: int | None = None) -> str:
        """A string, without bytes that are no UTF-8; most: of its characters, the first."""
        value = self._values.get(self._prefix + key)
        if value is None:
            return default
        if not isinstance(value, str):
            raise self._wrong(key, "is not text")
        return readable(value[:most])

    def texts_below(self, key: str) -> dict[str, str]:
        """What is text of the keys that begin with `key` and a dot, by the rest of the key; empty texts left out."""
        start = f"{self._prefix}{key}."
        found = {name.removeprefix(start): value for name, value in self._values.items() if name.startswith(start)}
        return {
            readable(name): readable(value)
            for name, value in found.items()
            if name and isinstance(value, str) and value.strip()
        }

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self._values.get(self._prefix + key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self._wrong(key, "is neither true nor false")
        return value

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float:
        """A number from `low` to `high`. Without a default the file must have it."""
        value = self._number(key, default)
        if not low <= value <= high:
            raise self._wrong(key, f"is {value:g}, which makes no sense")
        return float(value)

    def scale(self, key: str) -> float | None:
        """A positive number; None where the file has none, or 0."""
        value = self.number(key, 0, MAX_SCALE, 0)
        return self.number(key, 1 / MAX_SCALE, MAX_SCALE) if value else None

    @overload
    def integer(self, key: str, default: int) -> int: ...
    @overload
    def integer(self, key: str, default: int | None) -> int | None: ...
    def integer(self, key: str, default: int | None) -> int | None:
        """A whole number, whatever its size."""
        value = self._values.get(self._prefix + key, default)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise self._wrong(key, "is not a whole number")
        return value

    def size(self, key: str, default: int | None = None, low: int = 1) -> int:
        """A whole number from `low` to MAX_SIZE. Without a default the file must have it."""
        value = self._number(key, default)
        if not low <= value <= MAX_SIZE or value != int(value):
            raise self._wrong(key, f"is {value:g}, not a size")
        return int(value)

    def sizes(self, key: str, count: int, default: list[int] | None = None, low: int = 1) -> list[int]:
        """`count` sizes, of which some may be 0; or one from `low` on, which then stands for all of them. Without a
        default the file must have them."""
        if default is not None and self._values.get(self._prefix + key) is None:
            return default
        values = self.numbers(key, count) if self._is_array(key) else None
        if values is None:
            return [self.size(key, low=low)] * count
        if values.dtype.kind not in "iu" or values.min() < 0 or values.max() > MAX_SIZE:
            raise self._wrong(key, "is not a list of sizes")
        found: list[int] = values.tolist()
        return found

    def flags(self, key: str, count: int) -> tuple[bool, ...] | None:
        """`count` times true or false, which may be written as numbers; None where the file has no array."""
        values = self.numbers(key, count) if self._is_array(key) else None
        return None if values is None else tuple(map(bool, values.tolist()))

    def numbers(self, key: str, count: int | None = None, finite: bool = True) -> npt.NDArray[Any] | None:
        """An array of `count` numbers, all of them finite where they must be; None where the file has none."""
        value = self._values.get(self._prefix + key)
        if value is None:
            return None
        if not isinstance(value, np.ndarray):
            raise self._wrong(key, "is not an array of numbers")
        if count is not None and len(value) != count:
            raise self._wrong(key, f"has {len(value)} entries instead of {count}")
        if finite and value.dtype.kind == "f" and not np.isfinite(value).all():
            raise self._wrong(key, "holds a number that is not finite")
        return value

    def strings(self, key: str) -> list[str] | None:
        """An array of strings, each with the bytes that it has in the file; None where the file has none."""
        value = self._values.get(self._prefix + key)
        if value is None:
            return None
        if not isinstance(value, list) or (value and not isinstance(value[0], str)):  # GGUF's arrays are of one type
            raise self._wrong(key, "is not an array of strings")
        return value

    def _is_array(self, key: str) -> bool:
        return isinstance(self._values.get(self._prefix + key), list | np.ndarray)

    def _number(self, key: str, default: float | None) -> int | float:
        value = self._values.get(self._prefix + key, default)
        if value is None:
            raise WgmlError(f"the file lacks {self._prefix}{key}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(key, "is not a number")
        return value

    def _wrong(self, key: str, what: str) -> WgmlError:
        return WgmlError(f"{self._prefix}{key} {what}")
