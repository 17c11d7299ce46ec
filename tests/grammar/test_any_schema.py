"""Schemas of which nobody has thought: keywords put together by chance."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

from grammar import naive
from grammar.test_schema import check_walks, validator_of
from grammar.walks import Walker

from py_wgml.errors import WgmlError
from py_wgml.grammar.automaton import compile
from py_wgml.grammar.schema import schema

VALUES = [
    None,
    True,
    0,
    1,
    -3,
    2.5,
    12,
    "",
    "a",
    "b1",
    "1999-12-31",
    [],
    [1],
    ["a", "a"],
    {},
    {"a": 1},
    {"a": "b", "b": 2},
]
TYPES = ["null", "boolean", "integer", "number", "string", "array", "object"]
NAMES = "abc"


class Maker:
    """Makes schemas and values by chance."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def schema(self, depth: int) -> Any:
        pick = self._chance
        if depth == 0 or pick.random() < 0.1:
            return pick.choice(
                [True, {}, {"type": pick.choice(TYPES)}, {"const": pick.choice(VALUES)}, {"$ref": "#/$defs/x"}]
            )
        found: dict[str, Any] = {}
        if pick.random() < 0.7:
            found["type"] = pick.choice([pick.choice(TYPES), pick.sample(TYPES, 2)])
        makers = [self._numbers, self._strings, self._arrays, self._objects, self._joined]
        for make in pick.sample(makers, pick.randint(1, 2)):
            found |= make(depth)
        return found

    def _some(self, options: dict[str, Any]) -> dict[str, Any]:
        names = self._chance.sample([*options], self._chance.randint(1, min(3, len(options))))
        return {name: options[name] for name in names}

    def _numbers(self, depth: int) -> dict[str, Any]:
        low = self._chance.choice([-20, -2.5, 0, 1, 7])
        high = low + self._chance.choice([0, 1, 3.25, 40])
        bounds = {"minimum": low, "maximum": high, "exclusiveMinimum": low, "exclusiveMaximum": high}
        return self._some(bounds | {"multipleOf": self._chance.choice([1, 5, 0.5, 3])})

    def _strings(self, depth: int) -> dict[str, Any]:
        pattern = self._chance.choice(["^[ab]+", "1", "^.?$", '["\\\\]', "^(a|b)*$|^$", r"\d$"])
        lengths = {"minLength": self._chance.randint(0, 3), "maxLength": self._chance.randint(1, 5)}
        return self._some(lengths | {"pattern": pattern, "format": self._chance.choice(["date", "ipv4"])})

    def _arrays(self, depth: int) -> dict[str, Any]:
        first = [self.schema(depth - 1) for _ in range(self._chance.randint(1, 2))]
        counts = {"minItems": self._chance.randint(0, 3), "maxItems": self._chance.randint(0, 4)}
        return self._some(counts | {"items": self.schema(depth - 1), "prefixItems": first})

    def _objects(self, depth: int) -> dict[str, Any]:
        counts = {"minProperties": self._chance.randint(0, 2), "maxProperties": self._chance.randint(0, 4)}
        keywords = {
            "properties": {name: self.schema(depth - 1) for name in self._chance.sample(NAMES, 2)},
            "required": self._chance.sample(NAMES, self._chance.randint(0, 2)),
            "additionalProperties": self._chance.choice([False, self.schema(depth - 1)]),
            "patternProperties": {self._chance.choice(["^a", "b", "."]): self.schema(depth - 1)},
            "propertyNames": self._chance.choice([{"enum": ["a", "c"]}, {"maxLength": 2}, {"pattern": "^[a-z]"}]),
        }
        return self._some(keywords | counts)

    def _joined(self, depth: int) -> dict[str, Any]:
        options = [self.schema(depth - 1) for _ in range(2)]
        return {self._chance.choice(["anyOf", "allOf", "oneOf"]): options}

    def value(self, depth: int = 2) -> Any:
        pick = self._chance
        if depth and pick.random() < 0.2:
            return [self.value(depth - 1) for _ in range(pick.randint(0, 3))]
        if depth and pick.random() < 0.3:
            return {name: self.value(depth - 1) for name in sorted(pick.sample(NAMES, pick.randint(0, 3)))}
        return pick.choice(VALUES)


def test_any_schema() -> None:
    ways: Counter[str] = Counter()
    for seed in range(300):
        maker = Maker(seed)
        value = {"$defs": {"x": maker.schema(1)}, "allOf": [maker.schema(3)]}
        try:
            grammar = schema(value)
            automaton = compile(grammar)
        except WgmlError:
            ways["refused"] += 1
            continue
        ways["read"] += 1
        check_walks(str(seed), value, automaton, 6)
        validator, chance, walker = validator_of(), random.Random(seed), Walker(automaton)
        for _ in range(20):
            candidate = maker.value()
            text = json.dumps(candidate)
            taken = automaton.matches(text.encode())
            assert not taken or validator(value).is_valid(candidate), (value, text)
            ways["taken"] += taken
        text = walker.walk(chance, 40).decode()
        assert automaton.depth is not None or naive.matches(grammar, text.encode())
    assert ways["read"] > 150 and ways["taken"] > 300, ways
