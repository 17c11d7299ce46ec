"""Unicode's normal forms, in a time that grows with the text alone.

`unicodedata.normalize` brings the marks behind a letter into order one by one, which takes the square of their number:
seconds for some ten thousands. Its result is the same if they are in order already.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Literal

_FEW = 32  # marks, which take no time
_LAST = 0x1FFFF  # no mark comes after it


def normalize(form: Literal["NFC", "NFD"], text: str) -> str:
    """`text` in a normal form, as `unicodedata.normalize` makes it."""
    return unicodedata.normalize(form, text if text.isascii() else _many_marks().sub(_in_order, text))


def _in_order(run: re.Match[str]) -> str:
    """Marks taken apart, and sorted by their class."""
    marks = "".join([unicodedata.normalize("NFD", mark) for mark in run[0]])
    return "".join(sorted(marks, key=unicodedata.combining))


@cache
def _many_marks() -> re.Pattern[str]:
    """Long runs of marks."""
    return re.compile(f"[{''.join(filter(_is_mark, map(chr, range(0x300, _LAST))))}]{{{_FEW},}}")


def _is_mark(character: str) -> bool:
    """Whether a character has a class of its own, or is taken apart into such."""
    if unicodedata.combining(character):
        return True
    first = unicodedata.decomposition(character).partition(" ")[0]
    return bool(first) and first[0] != "<" and unicodedata.combining(chr(int(first, 16))) > 0
