"""A schema with all that it refers to as a list of `Flat`s: what fits one of them fits it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from typing import Any
from urllib.parse import unquote

from ..errors import shown
from .formats import FORMATS
from .keywords import All, Flat, Located, Shape, children, flat_of, identity, merged, refused
from .numbers import Bound

_MOST_FLATS = 256
_DEEPEST = 32
_PROVEN = 4  # levels down to which two branches of a "oneOf" are told apart


class Schemas:
    """A whole schema, whose parts can refer to one another."""

    def __init__(self, whole: Mapping[str, Any] | bool) -> None:
        self.whole = whole
        self._known: dict[tuple[str, ...], list[Flat]] = {}

    def flats(self, schemas: All) -> list[Flat]:
        """All ways to fulfil every one of `schemas`; none, if nothing does. Raises WgmlError for what can't be had."""
        key = tuple(located.at for located in schemas)
        if key not in self._known:
            self._known[key] = [Flat(schemas[0].at)]  # anything, where branches of its own are told apart by it
            found = [Flat(schemas[0].at)]
            for located in schemas:
                found = self._joined(found, self._expanded(located, ()), located.at)
            self._known[key] = found
        return self._known[key]

    def _expanded(self, located: Located, under_way: tuple[str, ...]) -> list[Flat]:
        schema, at = located.schema, located.at
        if isinstance(schema, bool):
            return [Flat(at)] if schema else []
        if at in under_way:
            raise refused("it refers to itself and to nothing else", at)
        if len(under_way) == _DEEPEST:
            raise refused(f"references within one another go deeper than {_DEEPEST}", at)
        under_way = (*under_way, at)
        found = [flat_of(located)]
        if "$ref" in schema:
            found = self._joined(found, self._expanded(self._target(located), under_way), at)
        for part in children(located, "allOf"):
            found = self._joined(found, self._expanded(part, under_way), at)
        if "anyOf" in schema:
            options = [flat for part in children(located, "anyOf") for flat in self._expanded(part, under_way)]
            found = self._joined(found, options, at)
        if "oneOf" in schema:
            branches = [self._joined(found, self._expanded(part, under_way), at) for part in children(located, "oneOf")]
            for i, j in combinations(range(len(branches)), 2):
                if not all(self._exclusive(a, b, _PROVEN) for a in branches[i] for b in branches[j]):
                    what = f'branches {i} and {j} of "oneOf" may fit at once; "anyOf" takes such'
                    raise refused(what, located.under("oneOf"))
            found = [flat for branch in branches for flat in branch]
        return found

    def _joined(self, first: list[Flat], second: list[Flat], at: str) -> list[Flat]:
        """What fits one of `first` and one of `second`."""
        if len(first) * len(second) > _MOST_FLATS:
            raise refused(f"its combinations are more than {_MOST_FLATS}", at)
        joined = [merged(a, b) for a in first for b in second]
        return [flat for flat in joined if flat.types and flat.enum != ()]

    def _target(self, located: Located) -> Located:
        """What a "$ref" names."""
        assert not isinstance(located.schema, bool)
        name = located.schema["$ref"]
        own = self.whole.get("$id") if isinstance(self.whole, Mapping) else None
        if isinstance(name, str) and isinstance(own, str) and own and name.split("#")[0] == own.split("#")[0]:
            name = name[len(own.split("#")[0]) :] or "#"
        if not isinstance(name, str) or not re.fullmatch("#(/.*)?", name, re.DOTALL):
            raise refused(f'"$ref" {shown(json.dumps(name))} leads elsewhere, which is not supported', located.at)
        value: Any = self.whole
        for step in unquote(name[1:]).split("/")[1:]:
            if isinstance(value, Mapping) and value is not self.whole and isinstance(value.get("$id"), str):
                raise refused(f'"$ref" {shown(json.dumps(name))} goes through a schema with an "$id"', located.at)
            step = step.replace("~1", "/").replace("~0", "~")
            if isinstance(value, Mapping) and step in value:
                value = value[step]
            elif isinstance(value, list) and re.fullmatch("0|[1-9][0-9]{0,5}", step) and int(step) < len(value):
                value = value[int(step)]
            else:
                value = None
        if not isinstance(value, Mapping | bool):
            raise refused(f'"$ref" {shown(json.dumps(name))} leads to no schema', located.at)
        return Located(value, unquote(name[1:]))

    # What fits

    def fits(self, value: Any, flat: Flat) -> bool:
        """Whether a value fits, where what a schema doesn't mention is allowed."""
        if flat.enum is not None and identity(value) not in map(identity, flat.enum):
            return False
        kind = type_of(value)
        if kind not in flat.types:
            return False
        if kind in ("integer", "number"):
            number = Fraction(Decimal(repr(value)))
            return (
                _beyond(number, flat.low, 1)
                and _beyond(number, flat.high, -1)
                and all((number / Fraction(multiple)).denominator == 1 for multiple in flat.multiples)
            )
        if kind == "string":
            return (
                _counted(value, flat.lengths)
                and all(re.search(pattern, value, re.ASCII) for pattern in flat.patterns)
                and all(re.fullmatch(FORMATS[name], value, re.ASCII) for name in flat.formats)
            )
        if kind == "array":
            repeats = flat.unique and len({*map(identity, value)}) < len(value)
            return (
                _counted(value, flat.items)
                and not repeats
                and all(self.fits_any(item, self.item(flat, index)) for index, item in enumerate(value))
            )
        if kind == "object":
            names = [shape.names for shape in flat.shapes if shape.names]
            return (
                _counted(value, flat.members)
                and {*flat.required} <= {*value}
                and all(self.fits_any(item, self.member(flat, name)) for name, item in value.items())
                and all(self.fits_any(name, tuple(names)) for name in value)
            )
        return True

    def fits_any(self, value: Any, schemas: All) -> bool:
        """Whether a value fits all of these schemas."""
        return not schemas or any(self.fits(value, flat) for flat in self.flats(schemas))

    def member(self, flat: Flat, name: str) -> All:
        """What the member of this name has to fulfil."""
        return tuple(located for shape in flat.shapes for located in _of_member(shape, name))

    def item(self, flat: Flat, index: int) -> All:
        """What the item of this index has to fulfil."""
        found = [
            array.first[index] if index < len(array.first) else array.rest
            for array in flat.arrays
            if index < len(array.first) or array.rest is not None
        ]
        return tuple(located for located in found if located is not None)

    # What can't fit at once

    def _exclusive(self, a: Flat, b: Flat, depth: int) -> bool:
        """Whether no text that is made for one of these fits the other."""
        return self._apart(a, b, depth) and self._apart(b, a, depth)

    def _apart(self, made: Flat, other: Flat, depth: int) -> bool:
        """Whether no text that is made for `made` fits `other`. Objects are made without what is not declared."""
        types = made.types & other.types
        if made.enum is not None:
            return not any(self.fits(value, made) and self.fits(value, other) for value in made.enum)
        if other.enum is not None:
            return not any(self.fits(value, made) for value in other.enum)
        if "null" in types or "boolean" in types or depth == 0:
            return not types
        if "string" in types and not _disjoint(made.lengths, other.lengths):
            return False
        if "integer" in types and not _no_number(made, other):
            return False
        if "array" in types and not _disjoint(made.items, other.items):
            places = range(min(made.items[0], 16))
            if not any(self._all_apart(self.item(made, i), self.item(other, i), depth) for i in places):
                return False
        return "object" not in types or self._objects_apart(made, other, depth)

    def _objects_apart(self, made: Flat, other: Flat, depth: int) -> bool:
        if _disjoint(made.members, other.members):
            return True
        declared = {name for shape in made.shapes for name in shape.properties} | {*made.required}
        if not is_open(made) and any(name not in declared for name in other.required):
            return True
        return any(self._all_apart(self.member(made, name), self.member(other, name), depth) for name in made.required)

    def _all_apart(self, made: All, other: All, depth: int) -> bool:
        if not other:
            return False
        others = self.flats(other)
        mine = self.flats(made) if made else [Flat("")]
        return all(self._apart(a, b, depth - 1) for a in mine for b in others)


def is_open(flat: Flat) -> bool:
    """Whether objects may have members that no "properties" names: where a schema says so, or says nothing of any."""
    if any(shape.others is not None and shape.others.schema is False for shape in flat.shapes):
        return any(shape.patterns for shape in flat.shapes)
    said = any(shape.others is not None or shape.patterns for shape in flat.shapes)
    return said or not any(shape.properties for shape in flat.shapes)


def type_of(value: Any) -> str:
    """The type of a JSON value; 1.0 is an integer."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    if isinstance(value, int | float):
        return "integer" if isinstance(value, int) or value.is_integer() else "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def _of_member(shape: Shape, name: str) -> Iterator[Located]:
    found = [shape.properties[name]] if name in shape.properties else []
    found += [located for pattern, located in shape.patterns.items() if re.search(pattern, name, re.ASCII)]
    yield from found or ([shape.others] if shape.others else [])


def _beyond(number: Fraction, bound: Bound | None, side: int) -> bool:
    """Whether it lies above a lower bound (side: 1), or below an upper one (-1)."""
    if bound is None:
        return True
    distance = (number - Fraction(bound.value)) * side
    return distance > 0 or (distance == 0 and not bound.open)


def _counted(value: Any, between: tuple[int, int | None]) -> bool:
    return len(value) >= between[0] and (between[1] is None or len(value) <= between[1])


def _disjoint(a: tuple[int, int | None], b: tuple[int, int | None]) -> bool:
    return (a[1] is not None and a[1] < b[0]) or (b[1] is not None and b[1] < a[0])


def _no_number(a: Flat, b: Flat) -> bool:
    """Whether no number lies within the bounds of both."""
    both = merged(a, b)
    if both.low is None or both.high is None:
        return False
    low, high = both.low, both.high
    return low.value > high.value or (low.value == high.value and (low.open or high.open))
