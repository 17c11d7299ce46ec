"""Python's own types as JSON schemas: dataclasses, TypedDicts, what `typing` has, and classes that bring a schema along
(pydantic's models)."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import types
import typing
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import WgmlError, shown

_PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    decimal.Decimal: {"type": "number"},
    bool: {"type": "boolean"},
    None: {"type": "null"},
    type(None): {"type": "null"},
    Any: {},
    object: {},
    dict: {"type": "object"},
    list: {"type": "array"},
    tuple: {"type": "array"},
    datetime.datetime: {"type": "string", "format": "date-time"},
    datetime.date: {"type": "string", "format": "date"},
    datetime.time: {"type": "string", "format": "time"},
    datetime.timedelta: {"type": "string", "format": "duration"},
    uuid.UUID: {"type": "string", "format": "uuid"},
}


def of_type(value: Any) -> dict[str, Any]:
    """The JSON schema of a type. Raises WgmlError for one that has none, by its name.

    Dataclasses and TypedDicts become objects, in which fields with a default are not required; classes with a method
    `model_json_schema` are asked for theirs.
    """
    reader = _Reader()
    found = reader.schema(value, getattr(value, "__name__", None) or shown(str(value)))
    return found | ({"$defs": reader.definitions} if reader.definitions else {})


def _without(value: Any, name: str) -> WgmlError:
    return WgmlError(f"{name} has the type {shown(getattr(value, '__name__', str(value)))}, which has no JSON schema")


def _is_required(value: Any, name: str, hint: Any) -> bool:
    """Whether a key of a TypedDict has to be there. Where types are written as text, it doesn't know all by itself."""
    origin = typing.get_origin(hint)
    return origin is typing.Required or (origin is not typing.NotRequired and name in value.__required_keys__)


class _Reader:
    """A type on its way into a schema, and the classes that have been met."""

    def __init__(self) -> None:
        self.definitions: dict[str, Any] = {}
        self._names: dict[Any, str] = {}

    def schema(self, value: Any, name: str) -> dict[str, Any]:
        try:
            if value in _PLAIN:
                return dict(_PLAIN[value])
        except TypeError:  # what can't be looked up is none of them
            pass
        if (meant := getattr(value, "__value__", getattr(value, "__supertype__", None))) is not None:
            return self.schema(meant, name)  # `type X = ...`, NewType
        if hasattr(value, "model_json_schema"):
            return self._brought(value)
        origin, arguments = typing.get_origin(value), typing.get_args(value)
        if origin is not None:
            return self._generic(origin, arguments, name)
        if isinstance(value, type) and issubclass(value, enum.Enum):
            return self._listed([member.value for member in value], name)
        if isinstance(value, type) and (dataclasses.is_dataclass(value) or hasattr(value, "__required_keys__")):
            return self._named(value)
        raise WgmlError(
            f"{name} has the type {shown(getattr(value, '__name__', str(value)))}, which has no JSON schema"
        )

    def _brought(self, value: Any) -> dict[str, Any]:
        """The schema that a class has itself; its definitions are put beside the others."""
        found = dict(value.model_json_schema())
        for name, definition in found.pop("$defs", {}).items():
            if self.definitions.setdefault(name, definition) != definition:
                raise WgmlError(f"there are two types of the name {shown(name)}")
        return found

    def _generic(self, origin: Any, arguments: tuple[Any, ...], name: str) -> dict[str, Any]:
        if origin in _PLAIN and not arguments:
            return dict(_PLAIN[origin])
        if origin in (typing.Annotated, typing.Required, typing.NotRequired, getattr(typing, "ReadOnly", None)):
            return self.schema(arguments[0], name)
        if origin is typing.Literal:
            return self._listed([item.value if isinstance(item, enum.Enum) else item for item in arguments], name)
        if origin in (typing.Union, types.UnionType):
            return {"anyOf": [self.schema(option, name) for option in arguments]}
        if origin is tuple:
            if len(arguments) == 2 and arguments[1] is ...:
                return {"type": "array", "items": self.schema(arguments[0], name)}
            first = [self.schema(item, f"{name}[{place}]") for place, item in enumerate(arguments)]
            return {"type": "array", "prefixItems": first, "minItems": len(first), "maxItems": len(first)}
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return self._mapping(arguments[0], arguments[1], name)
        if isinstance(origin, type) and issubclass(origin, Sequence):
            return {"type": "array", "items": self.schema(arguments[0], name)}
        raise WgmlError(
            f"{name} has the type {shown(getattr(origin, '__name__', str(origin)))}, which has no JSON schema"
        )

    def _mapping(self, key: Any, item: Any, name: str) -> dict[str, Any]:
        found: dict[str, Any] = {"type": "object", "additionalProperties": self.schema(item, name)}
        if key is not str:
            names = self.schema(key, name)
            if not all(isinstance(word, str) for word in names.get("enum", [0])):
                raise WgmlError(f"{name} is a mapping whose keys are no text")
            found["propertyNames"] = names
        return found

    def _listed(self, members: list[Any], name: str) -> dict[str, Any]:
        for member in members:
            if not isinstance(member, str | int | float | bool | None):
                raise WgmlError(f"{name} may be {shown(repr(member))}, which JSON can't write")
        return {"enum": members}

    def _named(self, value: Any) -> dict[str, Any]:
        if value not in self._names:
            if value.__name__ in self.definitions:
                raise WgmlError(f"there are two types of the name {shown(value.__name__)}")
            self._names[value] = value.__name__
            self.definitions[value.__name__] = {}
            self.definitions[value.__name__] = self._fields(value)
        return {"$ref": f"#/$defs/{self._names[value]}"}

    def _fields(self, value: Any) -> dict[str, Any]:
        try:
            hints = typing.get_type_hints(value, include_extras=True)
        except Exception as error:  # whatever a name of a type that is written as text leads to
            raise WgmlError(f"the types of {value.__name__} can't be told: {shown(str(error))}") from None
        if dataclasses.is_dataclass(value):
            fields = [field for field in dataclasses.fields(value) if field.init]
            names = [field.name for field in fields]
            missing = dataclasses.MISSING
            required = [f.name for f in fields if f.default is missing and f.default_factory is missing]
        else:
            names = [*hints]
            required = [name for name in names if _is_required(value, name, hints[name])]
        properties = {name: self.schema(hints[name], f"{value.__name__}.{name}") for name in names}
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
