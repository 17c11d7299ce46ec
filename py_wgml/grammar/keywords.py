"""The keywords of JSON schemas (2020-12, draft 7 and what is usual beside them), and what each makes of a `Flat`, which
holds all that a value has to fulfil. What there is no row for is refused by name, never ignored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, TypeVar

from .. import values
from ..errors import WgmlError, said, shown
from .formats import FORMATS, FREE
from .numbers import Bound
from .sizes import MOST_REPEATED


@dataclass(frozen=True)
class Located:
    """A schema, and where it stands (a JSON pointer)."""

    schema: Mapping[str, Any] | bool
    at: str

    def under(self, *names: str | int) -> str:
        """The place of what is in it by these names."""
        return "/".join([self.at, *(str(name).replace("~", "~0").replace("/", "~1") for name in names)])


All = tuple[Located, ...]
"""Schemas that hold together, each of them."""


@dataclass(frozen=True)
class Shape:
    """What one schema says of the members of an object. others: of those that it doesn't name; None: nothing."""

    properties: Mapping[str, Located]
    patterns: Mapping[str, Located]
    others: Located | None
    names: Located | None


@dataclass(frozen=True)
class Items:
    """What one schema says of the items of an array: of the first ones, and of those behind."""

    first: tuple[Located, ...]
    rest: Located | None


T = TypeVar("T")

TYPES = {
    **{name: frozenset([name]) for name in ("null", "boolean", "string", "integer", "array", "object")},
    "number": frozenset(["integer", "number"]),
}
ALL_TYPES = frozenset().union(*TYPES.values())


@dataclass(frozen=True)
class Flat:
    """All that a value has to fulfil. enum: (value, where it stands) of all that it may be; None: no such list."""

    at: str
    types: frozenset[str] = ALL_TYPES
    enum: tuple[Any, ...] | None = None
    low: Bound | None = None
    high: Bound | None = None
    multiples: tuple[Decimal, ...] = ()
    lengths: tuple[int, int | None] = (0, None)
    patterns: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    shapes: tuple[Shape, ...] = ()
    required: tuple[str, ...] = ()
    members: tuple[int, int | None] = (0, None)
    arrays: tuple[Items, ...] = ()
    items: tuple[int, int | None] = (0, None)
    unique: bool = False


def refused(what: str, at: str) -> WgmlError:
    """The error that a schema can't be followed, and where."""
    return WgmlError(f"JSON schema: {what} (at {shown(at or '/')})")


def require_few(least: int, most: int | None, name: str, at: str) -> None:
    """Raises WgmlError for more than can be counted."""
    for word, count in (("min", least), ("max", most or 0)):
        if count > MOST_REPEATED:
            raise refused(f'"{word}{name}" {count} is more than the {MOST_REPEATED} that can be counted', at)


def identity(value: Any) -> str:
    """A text that is the same for values that are equal in JSON: 1 and 1.0, but not 1 and true."""
    if isinstance(value, Mapping):
        return "{" + ",".join(sorted(f"{json.dumps(key)}:{identity(item)}" for key, item in value.items())) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(identity, value)) + "]"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value)


# What says nothing of what fits, or nothing without another keyword, which has a row where it is supported.
ANNOTATIONS = {
    *("title", "description", "default", "example", "examples", "deprecated", "readOnly", "writeOnly", "discriminator"),
    *("$schema", "$id", "$comment", "$defs", "definitions", "$anchor", "$vocabulary"),
    *("contentEncoding", "contentMediaType", "contentSchema"),
}
APPLICATORS = {"$ref", "allOf", "anyOf", "oneOf"}
_EMPTY: dict[str, Any] = {
    **{name: {} for name in ("dependencies", "dependentRequired", "dependentSchemas")},
    **dict.fromkeys(("unevaluatedProperties", "unevaluatedItems"), True),
}


def flat_of(located: Located) -> Flat:
    """What the keywords of one schema ask for, but for those that join schemas. Raises WgmlError for others."""
    schema, at = located.schema, located.at
    assert not isinstance(schema, bool)
    found = Flat(at)
    for name, value in schema.items():
        if name in _ROWS:
            found = merged(found, replace(_ROWS[name](value, located, name), at=at))
        elif not (name in ANNOTATIONS | APPLICATORS or name.startswith("x-") or _has_no_effect(schema, name)):
            raise refused(f"{shown(json.dumps(name))} is not supported", at)
    if schema.get("nullable") is True and "type" in schema:
        found = replace(found, types=found.types | {"null"})
    if any(name in schema for name in ("properties", "patternProperties", "additionalProperties", "propertyNames")):
        found = replace(found, shapes=(_shape(located),))
    if any(name in schema for name in ("items", "prefixItems")):
        found = replace(found, arrays=(_items(located),))
    return found


def _has_no_effect(schema: Mapping[str, Any], name: str) -> bool:
    """Whether a keyword that is not supported says nothing here."""
    if name in ("minContains", "maxContains"):
        return "contains" not in schema
    if name == "if":
        return "then" not in schema and "else" not in schema
    if name in ("then", "else"):
        return "if" not in schema
    return name in _EMPTY and schema[name] == _EMPTY[name]


def merged(a: Flat, b: Flat) -> Flat:
    """What both ask for."""
    enum = a.enum if b.enum is None else b.enum
    if a.enum is not None and b.enum is not None:
        known = {identity(value) for value in b.enum}
        enum = tuple(value for value in a.enum if identity(value) in known)
    return Flat(
        a.at,
        types=a.types & b.types,
        enum=enum,
        low=_tighter(a.low, b.low, 1),
        high=_tighter(a.high, b.high, -1),
        multiples=_united(a.multiples, b.multiples),
        lengths=_between(a.lengths, b.lengths),
        patterns=_united(a.patterns, b.patterns),
        formats=_united(a.formats, b.formats),
        shapes=a.shapes + b.shapes,
        required=_united(a.required, b.required),
        members=_between(a.members, b.members),
        arrays=a.arrays + b.arrays,
        items=_between(a.items, b.items),
        unique=a.unique or b.unique,
    )


def _united(a: tuple[T, ...], b: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(a + b))


def _tighter(a: Bound | None, b: Bound | None, side: int) -> Bound | None:
    if a is None or b is None:
        return a or b
    return max(a, b, key=lambda bound: (side * bound.value, bound.open))


def _between(a: tuple[int, int | None], b: tuple[int, int | None]) -> tuple[int, int | None]:
    ends = [end for end in (a[1], b[1]) if end is not None]
    return max(a[0], b[0]), min(ends) if ends else None


Row = Callable[[Any, Located, str], Flat]


def _type(value: Any, located: Located, name: str) -> Flat:
    names = value if isinstance(value, list) else [value]
    if not names or not all(isinstance(word, str) and word in TYPES for word in names):
        raise refused(f'"type" is {shown(json.dumps(value))}, not one of {", ".join(TYPES)}', located.at)
    return Flat("", frozenset().union(*(TYPES[word] for word in names)))


def _count(field_name: str, at_least: bool) -> Row:
    def row(value: Any, located: Located, name: str) -> Flat:
        number = values.integer(f'JSON schema: "{name}" (at {located.at or "/"})', value, 0)
        return Flat("", **{field_name: (number, None) if at_least else (0, number)})  # type: ignore[arg-type]

    return row


def _number(value: Any, located: Located, name: str) -> Decimal:
    values.number(f'JSON schema: "{name}" (at {located.at or "/"})', value)
    return Decimal(repr(value) if isinstance(value, float) else value)


def _bound(field_name: str, is_open: bool) -> Row:
    def row(value: Any, located: Located, name: str) -> Flat:
        return Flat("", **{field_name: Bound(_number(value, located, name), is_open)})  # type: ignore[arg-type]

    return row


def _multiple(value: Any, located: Located, name: str) -> Flat:
    number = _number(value, located, name)
    if number <= 0:
        raise refused('"multipleOf" is not above 0', located.at)
    return Flat("", multiples=(number,))


def _format(value: Any, located: Located, name: str) -> Flat:
    if value == "int32":
        return Flat("", low=Bound(Decimal(-(2**31))), high=Bound(Decimal(2**31 - 1)))
    if not isinstance(value, str) or value not in FORMATS | dict.fromkeys(FREE, ""):
        raise refused(f'"format" {shown(json.dumps(value))} is not supported', located.at)
    return Flat("", formats=(value,) if value in FORMATS else ())


def _enum(value: Any, located: Located, name: str) -> Flat:
    if not isinstance(value, list):
        raise refused('"enum" is not a list', located.at)
    return Flat("", enum=tuple({identity(item): item for item in value}.values()))


def _pattern(value: Any, located: Located, name: str) -> Flat:
    _require_regex(value, located)
    return Flat("", patterns=(value,))


def _require_regex(value: Any, located: Located) -> None:
    try:
        re.compile(value)
    except (re.error, TypeError, OverflowError, RecursionError) as error:
        raise refused(f"{shown(json.dumps(value))} is no regular expression: {said(error)}", located.at) from None


def _required(value: Any, located: Located, name: str) -> Flat:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise refused('"required" is not a list of names', located.at)
    return Flat("", required=tuple(dict.fromkeys(value)))


def _flag(value: Any, located: Located, name: str) -> Flat:
    if not isinstance(value, bool):
        raise refused(f'"{name}" is not true or false', located.at)
    return Flat("", unique=name == "uniqueItems" and value)


def _nothing(value: Any, located: Located, name: str) -> Flat:
    return Flat("")  # read together with its neighbours


_ROWS: dict[str, Row] = {
    "type": _type,
    "nullable": _flag,
    "enum": _enum,
    "const": lambda value, located, name: Flat("", enum=(value,)),
    "minimum": _bound("low", False),
    "exclusiveMinimum": _bound("low", True),
    "maximum": _bound("high", False),
    "exclusiveMaximum": _bound("high", True),
    "multipleOf": _multiple,
    "minLength": _count("lengths", True),
    "maxLength": _count("lengths", False),
    "pattern": _pattern,
    "format": _format,
    "required": _required,
    "minProperties": _count("members", True),
    "maxProperties": _count("members", False),
    "minItems": _count("items", True),
    "maxItems": _count("items", False),
    "uniqueItems": _flag,
    **dict.fromkeys(("properties", "patternProperties", "additionalProperties", "propertyNames"), _nothing),
    **dict.fromkeys(("items", "prefixItems", "additionalItems"), _nothing),
}


def child(located: Located, *names: str | int) -> Located:
    """The schema in a schema by these names. Raises WgmlError if it is none."""
    value: Any = located.schema
    for name in names:
        value = value[name]
    if not isinstance(value, Mapping | bool):
        raise refused(f"what stands there is {shown(json.dumps(value))}, not a schema", located.under(*names))
    return Located(value, located.under(*names))


def children(located: Located, name: str) -> list[Located]:
    """The schemas of a list of them. Raises WgmlError if it is none."""
    assert not isinstance(located.schema, bool)
    value = located.schema.get(name, [])
    if not isinstance(value, list) or (not value and name in located.schema and name != "prefixItems"):
        raise refused(f'"{name}" is not a list of schemas', located.at)
    return [child(located, name, index) for index in range(len(value))]


def _shape(located: Located) -> Shape:
    schema = located.schema
    assert not isinstance(schema, bool)
    for pattern in schema.get("patternProperties", {}):
        _require_regex(pattern, located)

    def table(name: str) -> dict[str, Located]:
        if not isinstance(schema.get(name, {}), Mapping):
            raise refused(f'"{name}" is not an object', located.at)
        return {key: child(located, name, key) for key in schema.get(name, {})}

    def one(name: str) -> Located | None:
        return child(located, name) if name in schema else None

    return Shape(table("properties"), table("patternProperties"), one("additionalProperties"), one("propertyNames"))


def _items(located: Located) -> Items:
    schema = located.schema
    assert not isinstance(schema, bool)
    if isinstance(schema.get("items"), list):  # as it was up to draft 7
        first = [child(located, "items", index) for index in range(len(schema["items"]))]
        return Items((*first,), child(located, "additionalItems") if "additionalItems" in schema else None)
    return Items((*children(located, "prefixItems"),), child(located, "items") if "items" in schema else None)
