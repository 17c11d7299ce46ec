"""JSON objects whose members a schema names, or whose names it describes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

from .flatten import Schemas
from .json_text import COLON, COMMA, KEY_CHARACTER, key_characters, listed, string, written
from .keywords import All, Flat, Located, refused
from .nodes import EMPTY, Both, Choice, Node, Repeat, Sequence, Without, literal, optional
from .strings import inside, searched

_MOST_PATTERNS = 3
_MOST_COUNTED = 8  # members of which any may be left out, where their number is bounded
_KEYS = Repeat(KEY_CHARACTER, 1)


@dataclass(frozen=True)
class _Member:
    """first: it, where none stands before it. later: it, where one does; with the comma."""

    first: Node
    later: Node
    required: bool


def members(flat: Flat, schemas: Schemas, node: Callable[[All], Node]) -> Node:
    """The objects that fit. node: what fits all of some schemas. Raises WgmlError for what can't be followed."""
    names = dict.fromkeys(name for shape in flat.shapes for name in shape.properties)
    describing = tuple(shape.names for shape in flat.shapes if shape.names)
    listed_names = _listed_names(describing, schemas)
    names |= dict.fromkeys([*flat.required, *(listed_names or ())])
    declared = []
    for name in names:
        required = name in flat.required
        if schemas.fits_any(name, describing) or required:
            value = node(schemas.member(flat, name)) if schemas.fits_any(name, describing) else Choice()
            pair = Sequence((written(name), COLON, value))
            declared.append(_Member(pair, Sequence((COMMA, pair)), required))
    free = [*_free(flat, schemas, node, [*names], describing)] if listed_names is None else []
    return Sequence((literal("{"), _counted(flat, declared, free), literal("}")))


def _listed_names(describing: All, schemas: Schemas) -> list[str] | None:
    """The names that members may have, if they are listed."""
    if not describing:
        return None
    flats = schemas.flats(describing)
    if any(flat.enum is None for flat in flats):
        return None
    return [name for flat in flats for name in flat.enum or () if isinstance(name, str)]


def _free(
    flat: Flat, schemas: Schemas, node: Callable[[All], Node], declared: list[str], describing: All
) -> Iterator[Node]:
    """Members of other names than the declared ones: by which of the patterns they match, and which not."""
    patterns = [(shape, pattern) for shape in flat.shapes for pattern in shape.patterns]
    if len(patterns) > _MOST_PATTERNS:
        raise refused(f'"patternProperties" are supported up to {_MOST_PATTERNS}', flat.at)
    languages = [searched(pattern, key_characters, flat.at) for _, pattern in patterns]
    taken = Choice(tuple(map(literal, declared)))
    keys: Node = Without(_KEYS, taken) if declared else _KEYS
    if describing:
        described = (inside(names, key_characters) for names in schemas.flats(describing) if "string" in names.types)
        keys = Both(keys, Choice(tuple(described)))
    for bits in range(1 << len(patterns)):
        matched = [place for place in range(len(patterns)) if bits >> place & 1]
        if not matched and not _takes_others(flat):
            continue
        key = keys
        for place, language in enumerate(languages):
            key = Both(key, language) if place in matched else Without(key, language)
        values: list[Located] = []
        for shape in flat.shapes:
            found = [shape.patterns[patterns[place][1]] for place in matched if patterns[place][0] is shape]
            values += found or ([shape.others] if shape.others else [])
        yield Sequence((string(key), COLON, node(tuple(values))))


def _takes_others(flat: Flat) -> bool:
    """Whether there may be members that match no pattern: if a schema says so, or no schema says anything of any."""
    said = any(shape.others for shape in flat.shapes)
    return said or not any(shape.properties or shape.patterns for shape in flat.shapes)


def _counted(flat: Flat, declared: list[_Member], free: list[Node]) -> Node:
    """The members with commas between them, as many as there may be."""
    least, most = flat.members
    needed = sum(member.required for member in declared)
    if most is not None and most < needed:
        return Choice()
    if free and (most is None or most > len(declared)):
        # Free names may come twice, which counts once.
        if least > max(1, needed):
            raise refused(f'"minProperties" {least} is supported of members that "properties" names', flat.at)
        pair = free[0] if len(free) == 1 else Choice(tuple(free))
        bound = None if most is None else most - len(declared)
        more = Repeat(Sequence((COMMA, pair)), 0, bound)
        first = Sequence((pair, Repeat(Sequence((COMMA, pair)), 0, None if bound is None else bound - 1)))
        everything = [*declared, _Member(first, more, False)]
    else:
        everything = declared
        if least > max(1, needed) or (most is not None and most < len(declared)):
            return _of_number(flat, declared, least, len(declared) if most is None else most)
    if not everything:
        return EMPTY if not least else Choice()
    some = _some(everything)
    return some if needed or least else optional(some)


def _some(parts: list[_Member]) -> Node:
    """At least one of these, in this order, and all that are required."""
    place = next((place for place, member in enumerate(parts) if member.required), None)
    if place is not None:
        before = (optional(Sequence((member.first, COMMA))) for member in parts[:place])
        return Sequence((*before, parts[place].first, *_later(parts[place + 1 :])))
    if len(parts) == 1:
        return parts[0].first
    half = len(parts) // 2
    return Choice((Sequence((_some(parts[:half]), *_later(parts[half:]))), _some(parts[half:])))


def _later(parts: list[_Member]) -> Iterator[Node]:
    for member in parts:
        yield member.later if member.required else optional(member.later)


def _of_number(flat: Flat, declared: list[_Member], least: int, most: int) -> Node:
    """From `least` to `most` of these, in this order."""
    free = [place for place, member in enumerate(declared) if not member.required]
    needed = len(declared) - len(free)
    if len(free) > _MOST_COUNTED:
        what = (
            f'"minProperties" and "maxProperties" are supported of up to {_MOST_COUNTED} members that may be left out'
        )
        raise refused(what, flat.at)
    options = []
    for count in range(max(0, least - needed), min(most - needed, len(free)) + 1):
        for left in combinations(free, len(free) - count):
            chosen = [member.first for place, member in enumerate(declared) if place not in left]
            options.append(Sequence(tuple(listed(chosen))))
    return Choice(tuple(options))
