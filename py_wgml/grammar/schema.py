"""JSON schemas, as grammars of the texts that fit them.

What is written fits the schema; it need not be all that does. Members come in the schema's order, those that aren't
required may be left out. Where a schema names members and says nothing of others, there are none; where it names none,
they are free. What has no automaton (uniqueness of any values, `not`, conditions, ...) is refused by name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import combinations, permutations
from typing import Any

from ..errors import WgmlError, said
from ..values import plain, read_json
from .flatten import Schemas, type_of
from .json_text import COMMA, listed, repeated, string, written
from .keywords import All, Flat, Located, identity, refused, require_few
from .nodes import EMPTY, Choice, Grammar, Node, Repeat, Rule, Sequence, literal, optional
from .numbers import number
from .objects import members
from .sizes import NOTHING, trimmed
from .strings import inside

_MOST_PERMUTED, _MOST_ORDERED = 4, 8  # values of which each may come once


def schema(value: Mapping[str, Any] | bool | str) -> Grammar:
    """The JSON texts that fit a JSON schema of draft 2020-12 or 7, which may itself be given as JSON's text.

    Raises WgmlError, with the place in the schema, for what is not supported, and where nothing fits.
    """
    if isinstance(value, str):
        try:
            value = read_json(value)
        except ValueError as error:
            raise WgmlError(f"JSON schema: it is no JSON: {said(error)}") from None
    value = plain(value, "the JSON schema")
    if not isinstance(value, Mapping | bool):
        raise refused("it is neither an object nor true or false", "")
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        raise refused("it has a number that JSON can't write", "") from None
    try:
        return _Reader(value).grammar()
    except RecursionError:
        raise refused("it is nested too deeply", "") from None


def json_object() -> Grammar:
    """Any JSON object."""
    return schema({"type": "object"})


def choices(texts: Iterable[str]) -> Node:
    """Any one of some texts. Raises WgmlError if there is none, or one that is empty."""
    found = [*dict.fromkeys(texts)]
    if not found or not all(isinstance(text, str) and text for text in found):
        raise WgmlError("choices are at least one text, and none is empty")
    return Choice(tuple(map(literal, found)))


class _Reader:
    """A schema on its way into a grammar. Schemas that are met again within themselves become rules."""

    def __init__(self, whole: Mapping[str, Any] | bool) -> None:
        self._schemas = Schemas(whole)
        self._whole = Located(whole, "")
        self._nodes: dict[tuple[str, ...], Node] = {}
        self._under_way: dict[tuple[str, ...], bool] = {}  # whether it has been met again
        self._rules: dict[str, Node] = {}
        self._names: dict[tuple[str, ...], str] = {}

    def grammar(self) -> Grammar:
        root = self.node((self._whole,))
        return trimmed(Grammar(root, self._rules), "JSON schema")

    def node(self, schemas: All) -> Node:
        """What fits all of these schemas."""
        flats = self._schemas.flats(schemas) if schemas else [Flat("anything")]
        # By what they come to: a reference, and what it leads to, are the same.
        key = tuple(dict.fromkeys(repr(replace(flat, at="")) for flat in flats))
        if key in self._under_way:
            self._under_way[key] = True
            return Rule(self._name(key))
        if key not in self._nodes:
            self._under_way[key] = False
            node: Node = Choice(tuple(self._flat(flat) for flat in _without_covered(flats)))
            if self._under_way.pop(key):
                self._rules[self._name(key)] = node
                node = Rule(self._name(key))
            self._nodes[key] = node
        return self._nodes[key]

    def _name(self, key: tuple[str, ...]) -> str:
        return self._names.setdefault(key, f"schema {len(self._names)}")

    def _flat(self, flat: Flat) -> Node:
        if flat.enum is not None:
            rest = replace(flat, enum=None)
            return Choice(tuple(written(value) for value in flat.enum if self._schemas.fits(value, rest)))
        made: dict[str, Callable[[], Node]] = {
            "null": lambda: literal("null"),
            "boolean": lambda: Choice((literal("true"), literal("false"))),
            "string": lambda: string(inside(flat)),
            "array": lambda: self._array(flat),
            "object": lambda: members(flat, self._schemas, self.node),
        }
        options = [make() for name, make in made.items() if name in flat.types]
        if "integer" in flat.types:
            options.append(self._number(flat))
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _number(self, flat: Flat) -> Node:
        try:
            return number(flat.low, flat.high, flat.multiples, "number" not in flat.types)
        except WgmlError as error:
            raise refused(str(error), flat.at) from None

    def _array(self, flat: Flat) -> Node:
        least, most = flat.items
        if flat.unique and (most is None or most > 1):
            return self._unique(flat)
        known = max((len(items.first) for items in flat.arrays), default=0)
        if any(items.first and items.rest is None for items in flat.arrays):  # nothing is said of more
            most = max(known, least) if most is None else min(most, max(known, least))
        require_few(least, most, "Items", flat.at)
        if most is not None and least > most:
            return NOTHING
        length = known if most is None else min(known, most)
        places = [self.node(self._schemas.item(flat, place)) for place in range(length)]
        content: Node = EMPTY
        if most is None or most > known:
            rest = self.node(self._schemas.item(flat, known))
            if not places:
                return Sequence((literal("["), repeated(rest, least, most), literal("]")))
            bounds = max(0, least - known), None if most is None else most - known
            content = Repeat(Sequence((COMMA, rest)), *bounds)
        for place in range(length - 1, -1, -1):
            content = Sequence((*([COMMA] if place else []), places[place], content))
            content = content if place < least else optional(content)
        return Sequence((literal("["), content, literal("]")))

    def _unique(self, flat: Flat) -> Node:
        """Arrays of known values, each at most once."""
        least, most = flat.items
        of_items = self._schemas.flats(schemas) if (schemas := self._schemas.item(flat, 0)) else [Flat("")]
        if any(items.first for items in flat.arrays) or any(item.enum is None for item in of_items):
            what = '"uniqueItems" is supported of the values of an "enum"'
            raise refused(what, flat.at)
        fitting = [value for item in of_items for value in item.enum or () if self._schemas.fits(value, item)]
        values = [*{identity(value): value for value in fitting}.values()]
        most = len(values) if most is None else min(most, len(values))
        if len(values) > _MOST_ORDERED:
            raise refused(f'"uniqueItems" is supported of up to {_MOST_ORDERED} values', flat.at)
        ways = permutations if len(values) <= _MOST_PERMUTED else combinations  # more of them in the schema's order
        options = [
            Sequence((literal("["), *listed(map(written, chosen)), literal("]")))
            for count in range(least, most + 1)
            for chosen in ways(values, count)
        ]
        return Choice(tuple(options))


def _without_covered(flats: list[Flat]) -> list[Flat]:
    """The same language, where one of `flats` takes all arrays, or all objects: nothing else is said of these. (Each
    byte would lead two ways at once, as deep as they nest.)"""
    found = flats
    for kind in ("array", "object"):
        covering = next((flat for flat in found if kind in flat.types and _takes_all(flat, kind)), None)
        if covering:
            found = [flat if flat is covering else _less(flat, kind) for flat in found]
    return found


def _takes_all(flat: Flat, kind: str) -> bool:
    if kind == "array":
        return flat.enum is None and not flat.arrays and flat.items == (0, None) and not flat.unique
    return flat.enum is None and not flat.shapes and not flat.required and flat.members == (0, None)


def _less(flat: Flat, kind: str) -> Flat:
    """It without values of this type."""
    enum = flat.enum and tuple(value for value in flat.enum if type_of(value) != kind)
    return replace(flat, types=flat.types - {kind}, enum=enum)
