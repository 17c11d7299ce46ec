"""JSON strings of a pattern, a format and a length."""

from __future__ import annotations

from .formats import FORMATS
from .json_text import EVERYTHING, text_characters
from .keywords import Flat, require_few
from .nodes import Both, Choice, Node, Repeat, literal
from .regex import Encode, regex


def inside(flat: Flat, encode: Encode = text_characters) -> Node:
    """What stands between the quotes of the strings that fit. Raises WgmlError for what can't be followed."""
    if flat.enum is not None:
        return Choice(tuple(literal(value) for value in flat.enum if isinstance(value, str)))
    parts = [regex(pattern, encode, search=True) for pattern in flat.patterns]
    parts += [regex(f"(?a:{FORMATS[name]})", encode) for name in flat.formats]
    if not parts or flat.lengths != (0, None):
        require_few(*flat.lengths, "Length", flat.at)
        least, most = flat.lengths
        parts.append(Repeat(encode(EVERYTHING), least, most) if most is None or least <= most else Choice())
    found = parts[0]
    for part in parts[1:]:
        found = Both(found, part)
    return found
