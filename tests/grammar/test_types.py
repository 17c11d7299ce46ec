"""Python's types as JSON schemas."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NewType, NotRequired, Optional, TypedDict, Union

import pytest

from py_wgml.errors import WgmlError
from py_wgml.grammar.automaton import compile
from py_wgml.grammar.schema import schema
from py_wgml.grammar.types import of_type


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


Name = NewType("Name", str)


@dataclass
class Point:
    x: float
    y: float = 0.0


@dataclass
class Shape:
    name: Name
    colour: Colour
    points: list[Point]
    centre: Optional[Point] = None  # noqa: UP045
    labels: dict[str, int] = field(default_factory=dict)
    size: tuple[int, int] = (0, 0)
    note: Annotated[str | None, "for people"] = None
    kind: Literal["open", "closed"] = "open"
    seen: datetime.date | None = None
    hidden: int = field(default=3, init=False)


@dataclass
class Tree:
    value: int
    children: list[Tree]


class Movie(TypedDict):
    title: str
    year: NotRequired[int]


class Model:
    """What pydantic's models have."""

    @classmethod
    def model_json_schema(cls) -> dict[str, Any]:
        return {
            "$defs": {"Inner": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}},
            "type": "object",
            "properties": {"inner": {"$ref": "#/$defs/Inner"}},
            "required": ["inner"],
        }


@dataclass
class Mixed:
    model: Model
    level: Level


FITTING: list[tuple[Any, list[str], list[str]]] = [
    (int, ["3"], ["3.5", '"3"']),
    (list[str], ['["a", "b"]', "[]"], ["[1]"]),
    (list, ['[1, "a"]'], ["{}"]),
    (Union[int, str, None], ["1", '"a"', "null"], ["true"]),  # noqa: UP007
    (Literal["a", 1], ['"a"', "1"], ["2"]),
    (Colour, ['"red"'], ['"RED"']),
    (Level, ["1", "2"], ["3"]),
    (dict[str, bool], ['{"a": true}', "{}"], ['{"a": 1}']),
    (dict[Literal["a", "b"], int], ['{"b": 1}'], ['{"c": 1}']),
    (Mapping[str, list[int]], ['{"a": [1]}'], ["[]"]),
    (tuple[int, str], ['[1, "a"]'], ["[1]", '[1, "a", 2]']),
    (tuple[int, ...], ["[]", "[1, 2]"], ['["a"]']),
    (Any, ["null", '{"a": []}'], ["nul"]),
    (Point, ['{"x": 1.5, "y": 2}', '{"x": 1}'], ['{"y": 2}', '{"x": 1, "z": 2}']),
    (
        Shape,
        [
            '{"name": "a", "colour": "green", "points": [{"x": 1}]}',
            '{"name": "a", "colour": "red", "points": [], "centre": {"x": 0}, "labels": {"l": 1}, "size": [1, 2], '
            '"note": null, "kind": "closed", "seen": "2024-01-31"}',
        ],
        ['{"name": "a", "colour": "blue", "points": []}', '{"name": "a", "colour": "red", "points": [], "hidden": 3}'],
    ),
    (Tree, ['{"value": 1, "children": [{"value": 2, "children": []}]}'], ['{"value": 1}']),
    (Movie, ['{"title": "a"}', '{"title": "a", "year": 1}'], ['{"year": 1}']),
    (Model, ['{"inner": {"a": 1}}'], ["{}"]),
    (Mixed, ['{"model": {"inner": {"a": 1}}, "level": 2}'], ['{"model": {}, "level": 2}']),
]


@pytest.mark.parametrize(("value", "fitting", "others"), FITTING, ids=[str(case[0]) for case in FITTING])
def test_types_take_their_values(value: Any, fitting: list[str], others: list[str]) -> None:
    automaton = compile(schema(of_type(value)))
    assert [text for text in fitting if not automaton.matches(text.encode())] == []
    assert [text for text in others if automaton.matches(text.encode())] == []


@dataclass
class Odd:
    when: complex


@dataclass
class Torn:
    of: Undefined  # type: ignore[name-defined]  # noqa: F821


REFUSED: list[tuple[Any, str]] = [
    (Odd, "Odd.when has the type complex, which has no JSON schema"),
    (set[int], "set has the type set, which has no JSON schema"),
    (dict[int, str], "keys are no text"),
    (Literal[b"a"], "which JSON can't write"),
    (Torn, "the types of Torn can't be told"),
    (len, "which has no JSON schema"),
]


@pytest.mark.parametrize(("value", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_types_without_a_schema_are_refused_by_name(value: Any, message: str) -> None:
    with pytest.raises(WgmlError, match=message):
        of_type(value)
