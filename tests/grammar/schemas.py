"""JSON schemas as they are met: of pydantic's models, of tools, of documents, of trees and unions."""

from __future__ import annotations

from typing import Any

STRING: dict[str, Any] = {"type": "string"}
INTEGER: dict[str, Any] = {"type": "integer"}
NUMBER: dict[str, Any] = {"type": "number"}
BOOLEAN: dict[str, Any] = {"type": "boolean"}


def strict(**properties: Any) -> dict[str, Any]:
    """An object of exactly these members, as OpenAI's strict mode wants it."""
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


def loose(*required: str, **properties: Any) -> dict[str, Any]:
    """An object of which some members are required."""
    return {"type": "object", "properties": properties, "required": [*required]}


def listed(items: Any, **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **more}


def enum(*values: Any) -> dict[str, Any]:
    return {"enum": [*values]}


def maybe(schema: Any) -> dict[str, Any]:
    """As pydantic writes what may be None."""
    return {"anyOf": [schema, {"type": "null"}], "default": None}


def ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


_ADDRESS = strict(
    street=STRING, city=STRING, postcode={"type": "string", "pattern": "^[0-9]{5}$"}, country=enum("DE", "FR")
)
_LINE = strict(
    description=STRING,
    quantity={"type": "integer", "minimum": 1, "maximum": 9999},
    unit_price={"type": "number", "minimum": 0, "multipleOf": 0.01},
)
_TREE = {"$defs": {"Node": loose("value", value=INTEGER, children=listed(ref("Node")))}, **ref("Node")}
_CAT = strict(kind={"const": "cat"}, lives={"type": "integer", "minimum": 0, "maximum": 9})
_DOG = strict(kind={"const": "dog"}, good=BOOLEAN, tricks=listed(STRING))
_EXPRESSION = {
    "$defs": {
        "Expression": {"anyOf": [ref("Number"), ref("Operation")]},
        "Number": strict(type={"const": "number"}, value=NUMBER),
        "Operation": strict(
            type={"const": "operation"},
            operator=enum("+", "-", "*", "/"),
            left=ref("Expression"),
            right=ref("Expression"),
        ),
    },
    **ref("Expression"),
}
_INTERFACE = {
    "$defs": {
        "Part": strict(
            type=enum("div", "button", "header", "section", "field", "form"),
            label=STRING,
            children=listed(ref("Part")),
            attributes=listed(strict(name=STRING, value=STRING)),
        )
    },
    **ref("Part"),
}
_JSON_SCHEMA_LIKE = {
    "$defs": {
        "Type": {"enum": ["string", "number", "object"]},
        "Field": loose(
            "name", "type", name={"type": "string", "minLength": 1}, type=ref("Type"), fields=listed(ref("Field"))
        ),
    },
    "type": "array",
    "items": ref("Field"),
    "maxItems": 4,
}

SCHEMAS: list[tuple[str, Any]] = [
    ("text", STRING),
    ("short text", {"type": "string", "minLength": 1, "maxLength": 20}),
    ("whole number", INTEGER),
    ("number", NUMBER),
    ("yes or no", BOOLEAN),
    ("nothing", {"type": "null"}),
    ("anything", {}),
    ("true", True),
    ("any object", {"type": "object"}),
    ("any list", {"type": "array"}),
    ("several types", {"type": ["string", "integer", "null"]}),
    ("sentiment", enum("positive", "negative", "neutral")),
    ("mixed values", enum(1, 1.5, "one", None, True, ["a", 1], {"a": {"b": []}})),
    ("hard texts", enum('say "hi"', "back\\slash", "new\nline", "tab\t", "\u0001", "Grüße 👋", "")),
    ("constant object", {"const": {"version": 2, "ok": True}}),
    (
        "weather tool",
        loose("location", location={"type": "string", "description": "A city"}, unit=enum("celsius", "fahrenheit")),
    ),
    (
        "search tool",
        loose(
            "query", query=STRING, limit={"type": "integer", "minimum": 1, "maximum": 50, "default": 10}, safe=BOOLEAN
        ),
    ),
    (
        "send mail",
        strict(to=listed({"type": "string", "format": "email"}, minItems=1, maxItems=3), subject=STRING, body=STRING),
    ),
    ("calendar event", strict(name=STRING, date={"type": "string", "format": "date"}, participants=listed(STRING))),
    (
        "meeting",
        loose(
            "start",
            "end",
            start={"type": "string", "format": "date-time"},
            end={"type": "string", "format": "date-time"},
            place=maybe(STRING),
        ),
    ),
    ("alarm", strict(at={"type": "string", "format": "time"}, snooze={"type": "string", "format": "duration"})),
    ("tool without arguments", {"type": "object", "properties": {}, "required": []}),
    ("tool without arguments, strict", {"type": "object", "properties": {}, "additionalProperties": False}),
    ("steps of reasoning", strict(steps=listed(strict(explanation=STRING, output=STRING)), final_answer=STRING)),
    (
        "extraction of a paper",
        strict(title=STRING, authors=listed(STRING), abstract=STRING, keywords=listed(STRING, maxItems=5)),
    ),
    (
        "moderation",
        strict(
            is_violating=BOOLEAN, category=maybe(enum("violence", "sexual", "self_harm")), explanation=maybe(STRING)
        ),
    ),
    ("address", _ADDRESS),
    (
        "invoice",
        strict(
            number={"type": "string", "pattern": "^INV-[0-9]{4,8}$"},
            issued={"type": "string", "format": "date"},
            seller=_ADDRESS,
            lines=listed(_LINE, minItems=1),
            currency=enum("EUR", "USD", "GBP"),
            paid=BOOLEAN,
        ),
    ),
    (
        "receipt",
        loose(
            "total",
            total={"type": "number", "exclusiveMinimum": 0},
            tax={"type": "number", "minimum": 0, "maximum": 0.25},
            shop=STRING,
        ),
    ),
    (
        "person, pydantic",
        {
            "title": "Person",
            "type": "object",
            "properties": {
                "name": {"title": "Name", "type": "string"},
                "age": {"title": "Age", "type": "integer", "minimum": 0, "maximum": 130},
                "email": maybe({"type": "string", "format": "email"}),
            },
            "required": ["name", "age"],
        },
    ),
    (
        "all optional, pydantic",
        {"title": "Filter", "type": "object", "properties": {name: maybe(STRING) for name in "abcdefghij"}},
    ),
    (
        "nested models, pydantic",
        {
            "$defs": {
                "Author": loose("name", name=STRING, born=maybe(INTEGER)),
                "Book": loose("title", "author", title=STRING, author=ref("Author"), tags=listed(STRING, default=[])),
            },
            **loose("books", books=listed(ref("Book")), favourite=maybe(ref("Book"))),
        },
    ),
    (
        "enum model, pydantic",
        {
            "$defs": {"Colour": {"title": "Colour", "enum": ["red", "green"], "type": "string"}},
            **loose("colour", colour={"allOf": [ref("Colour")], "description": "Of the car"}),
        },
    ),
    ("tuple, pydantic", {"type": "array", "prefixItems": [NUMBER, NUMBER, STRING], "minItems": 3, "maxItems": 3}),
    ("mapping, pydantic", {"type": "object", "additionalProperties": INTEGER}),
    ("mapping of lists", {"type": "object", "additionalProperties": listed(STRING)}),
    (
        "mapping of an enum",
        {"type": "object", "propertyNames": enum("low", "middle", "high"), "additionalProperties": NUMBER},
    ),
    (
        "mapping of names",
        {
            "type": "object",
            "propertyNames": {"pattern": "^[a-z_]+$"},
            "additionalProperties": STRING,
            "minProperties": 1,
        },
    ),
    (
        "some members and others",
        loose("id", id=INTEGER, note=STRING) | {"additionalProperties": {"type": ["string", "number"]}},
    ),
    (
        "patterns of names",
        {"type": "object", "patternProperties": {"^n_": INTEGER, "^s_": STRING}, "additionalProperties": False},
    ),
    (
        "patterns that overlap",
        {
            "type": "object",
            "properties": {"x": INTEGER},
            "patternProperties": {"^a": INTEGER, "z$": {"maximum": 9}},
            "additionalProperties": BOOLEAN,
        },
    ),
    ("required and not described", {"type": "object", "properties": {"a": INTEGER}, "required": ["a", "b"]}),
    (
        "at least one of three",
        {"type": "object", "properties": {"a": INTEGER, "b": STRING, "c": BOOLEAN}, "minProperties": 1},
    ),
    (
        "two of four",
        {"type": "object", "properties": dict.fromkeys("abcd", INTEGER), "minProperties": 2, "maxProperties": 2},
    ),
    ("at most two names", {"type": "object", "additionalProperties": INTEGER, "maxProperties": 2}),
    ("pets by kind", {"oneOf": [_CAT, _DOG], "discriminator": {"propertyName": "kind"}}),
    ("a list of pets", listed({"oneOf": [_CAT, _DOG]}, minItems=1, maxItems=3)),
    ("one of by members", {"oneOf": [strict(circle=NUMBER), strict(square=NUMBER)]}),
    ("one of by type", {"oneOf": [STRING, INTEGER, {"type": "null"}, listed(STRING)]}),
    ("one of by range", {"oneOf": [{"type": "integer", "maximum": -1}, {"type": "integer", "minimum": 1}]}),
    ("any of objects", {"anyOf": [loose("a", a=INTEGER), loose("b", b=STRING)]}),
    (
        "shared members and a choice",
        loose("id", id=INTEGER, mail=STRING, phone=STRING)
        | {"anyOf": [{"required": ["mail"]}, {"required": ["phone"]}]},
    ),
    (
        "merged by allOf",
        {
            "allOf": [
                loose("a", a={"type": "integer", "minimum": 3}),
                {"properties": {"a": {"maximum": 7}, "b": STRING}, "required": ["b"]},
            ]
        },
    ),
    (
        "inherited",
        {
            "$defs": {"Base": loose("id", id={"type": "string", "format": "uuid"})},
            "allOf": [ref("Base"), loose("name", name=STRING)],
        },
    ),
    ("tree", _TREE),
    (
        "chain",
        {"$defs": {"Link": strict(value=INTEGER, next={"anyOf": [ref("Link"), {"type": "null"}]})}, **ref("Link")},
    ),
    ("expression", _EXPRESSION),
    ("interface", _INTERFACE),
    ("fields of fields", _JSON_SCHEMA_LIKE),
    (
        "itself by #",
        {"type": "object", "properties": {"name": STRING, "parts": listed({"$ref": "#"})}, "required": ["name"]},
    ),
    (
        "files and folders",
        {
            "definitions": {
                "file": strict(name=STRING, size={"type": "integer", "minimum": 0}),
                "folder": strict(
                    name=STRING,
                    entries=listed({"anyOf": [{"$ref": "#/definitions/file"}, {"$ref": "#/definitions/folder"}]}),
                ),
            },
            "$ref": "#/definitions/folder",
        },
    ),
    ("percent", {"type": "number", "minimum": 0, "maximum": 100}),
    ("probability", {"type": "number", "minimum": 0, "maximum": 1}),
    (
        "latitude and longitude",
        strict(
            latitude={"type": "number", "minimum": -90, "maximum": 90},
            longitude={"type": "number", "exclusiveMinimum": -180, "maximum": 180},
        ),
    ),
    ("odd bounds", {"type": "number", "exclusiveMinimum": -3.75, "exclusiveMaximum": 12.125}),
    ("a year", {"type": "integer", "minimum": 1900, "maximum": 2100}),
    ("below zero", {"type": "integer", "exclusiveMaximum": -17}),
    ("an int64", {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}),
    ("an int32", {"type": "integer", "format": "int32"}),
    ("tens", {"type": "integer", "multipleOf": 10}),
    ("quarters", {"type": "number", "multipleOf": 0.25}),
    ("threes", {"type": "integer", "minimum": -9, "maximum": 300, "multipleOf": 3}),
    ("money", {"type": "number", "multipleOf": 0.01, "minimum": 1, "maximum": 5000}),
    ("rating", {"type": "integer", "enum": [1, 2, 3, 4, 5]}),
    ("phone number", {"type": "string", "pattern": r"^\+?[0-9]{1,3}[ -]?\(?[0-9]{2,4}\)?[ -]?[0-9]{3,8}$"}),
    ("identifier", {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$", "maxLength": 32}),
    ("pattern somewhere", {"type": "string", "pattern": "[0-9]{3}", "maxLength": 12}),
    ("pattern with quotes", {"type": "string", "pattern": '^"[^"\\\\]*"$'}),
    ("pattern with anchors in groups", {"type": "string", "pattern": "(^|,)x(,|$)"}),
    ("format and length", {"type": "string", "format": "hostname", "minLength": 6, "maxLength": 20}),
    ("web address", strict(url={"type": "string", "format": "uri"})),
    ("addresses of machines", {"anyOf": [{"type": "string", "format": "ipv4"}, {"type": "string", "format": "ipv6"}]}),
    ("identity", {"type": "string", "format": "uuid"}),
    ("matrix", listed(listed(NUMBER, minItems=3, maxItems=3), minItems=2, maxItems=2)),
    ("exactly four", listed(INTEGER, minItems=4, maxItems=4)),
    ("first and then", {"type": "array", "prefixItems": [STRING, BOOLEAN], "items": INTEGER, "minItems": 1}),
    (
        "draft 7 tuple",
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "array",
            "items": [STRING, INTEGER],
            "additionalItems": False,
        },
    ),
    ("days, each once", listed(enum("mo", "tu", "we"), uniqueItems=True, minItems=1)),
    ("labels, each once", listed(enum("a", "b", "c", "d", "e", "f"), uniqueItems=True)),
    ("long names", strict(**{"a name with spaces": INTEGER, 'and "quotes"': INTEGER, "Ümlaut/~": INTEGER})),
    ("forbidden member", {"type": "object", "properties": {"a": INTEGER, "b": False}}),
    ("hex colours", listed({"type": "string", "pattern": "^#([0-9a-f]{3}|[0-9a-f]{6})$"}, maxItems=5)),
    ("quiz", strict(question=STRING, options=listed(STRING, minItems=4, maxItems=4), answer=enum("A", "B", "C", "D"))),
    (
        "recipe",
        loose(
            "title",
            "ingredients",
            title={"type": "string", "maxLength": 60},
            servings={"type": "integer", "minimum": 1, "maximum": 12},
            ingredients=listed(
                loose("name", name=STRING, amount=maybe(NUMBER), unit=maybe(enum("g", "ml", "piece"))), minItems=1
            ),
            vegan=BOOLEAN,
        ),
    ),
    (
        "robot",
        listed(
            {
                "anyOf": [
                    strict(command={"const": "move"}, x=INTEGER, y=INTEGER),
                    strict(command={"const": "grip"}, force={"type": "number", "minimum": 0, "maximum": 1}),
                    strict(command={"const": "wait"}, seconds=INTEGER),
                ]
            },
            maxItems=6,
        ),
    ),
    (
        "named entities",
        strict(
            entities=listed(
                strict(text=STRING, label=enum("PERSON", "PLACE", "DATE"), start={"type": "integer", "minimum": 0})
            )
        ),
    ),
    ("table", strict(columns=listed(STRING), rows=listed(listed({"type": ["string", "number", "null"]})))),
    ("chess move", {"type": "string", "pattern": "^([NBRQK]?[a-h]?[1-8]?x?[a-h][1-8](=[NBRQ])?|O-O(-O)?)[+#]?$"}),
    ("semantic version", {"type": "string", "pattern": r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$"}),
    ("key and any value", strict(key=STRING, value={})),
    (
        "remarks everywhere",
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": "https://example.org/x",
            "$comment": "c",
            "title": "T",
            "description": "D",
            "examples": [1],
            "default": 1,
            "deprecated": True,
            "x-order": 3,
            "type": "integer",
        },
    ),
]
