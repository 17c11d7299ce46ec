"""JSON strings of a pattern, a format and a length."""

from __future__ import annotations

from ..errors import WgmlError
from .formats import FORMATS
from .json_text import EVERYTHING, text_characters
from .keywords import Flat, refused, require_few
from .nodes import Both, Choice, Node, Repeat, literal
from .regex import Encode, regex


def searched(pattern: str, encode: Encode, at: str) -> Node:
    """What a pattern of a schema matches somewhere. Raises WgmlError, with its place, for one that is not supported."""
    try:
        return regex(pattern, encode, search=True)
    except WgmlError as error:
        raise refused(str(error), at) from None


def inside(flat: Flat, encode: Encode = text_characters) -> Node:
    """What stands between the quotes of the strings that fit. Raises WgmlError for what can't be followed."""
    if flat.enum is not None:
        return Choice(tuple(literal(value) for value in flat.enum if isinstance(value, str)))
    parts = [searched(pattern, encode, flat.at) for pattern in flat.patterns]
    parts += [regex(f"(?a:{FORMATS[name]})", encode) for name in flat.formats]
    if not parts or flat.lengths != (0, None):
        require_few(*flat.lengths, "Length", flat.at)
        least, most = flat.lengths
        parts.append(Repeat(encode(EVERYTHING), least, most) if most is None or least <= most else Choice())
    found = parts[0]
    for part in parts[1:]:
        found = Both(found, part)
    return found
