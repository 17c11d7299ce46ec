"""What a kernel declares, read off its composed text: its bindings, and the structs that its uniform buffers are.

The order of a uniform's fields, their types and where they lie are written in WGSL alone; Python gives values by name.
See https://www.w3.org/TR/WGSL/#memory-layouts. Types that kernels have in no uniform are not known.
"""

import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from ..errors import WgmlError, shown
from ..names import require_names

Access = Literal["uniform", "read", "read_write"]

_COMMENT = re.compile(r"//[^\n]*")
_BINDING = re.compile(r"\bvar<(uniform|storage)(?:,\s*(read|read_write))?>\s*(\w+)\s*:\s*([^;]+);")
_STRUCT = re.compile(r"struct (\w+) \{([^}]*)\}")
_FIELD = re.compile(r"(\w+)\s*:\s*(\w+(?:<[^\n]*>)?)")
_NUMBERS = re.compile(r"(?:vec([234])<)?(u32|i32|f32)>?")
_WHOLE = int, np.integer
_F32 = (2.0 - 2.0**-23) * 2.0**127  # the largest one
# As Python's struct calls them; their values' types in Python, the least and the largest.
_SCALARS = {
    "u32": ("I", _WHOLE, 0, 2**32 - 1),
    "i32": ("i", _WHOLE, -(2**31), 2**31 - 1),
    "f32": ("f", (float, np.floating, *_WHOLE), -_F32, _F32),
}
_UNIFORM_ALIGNMENT = 16  # bytes: what its size is a multiple of


@dataclass(frozen=True)
class Type:
    """A type and how it lies in memory: `count` numbers of a scalar type, or a struct: offset and type of each field.

    size, alignment: in bytes.
    """

    size: int
    alignment: int
    scalar: str = ""
    count: int = 1
    fields: Mapping[str, tuple[int, "Type"]] = field(default_factory=dict)

    @cached_property
    def uniform(self) -> struct.Struct:
        """All its numbers, in order, as they lie in a uniform buffer; with zeros between and behind them."""
        format = "<"
        for offset, type in self._runs(0):
            format += f"{offset - struct.calcsize(format)}x{type.count}{_SCALARS[type.scalar][0]}"
        return struct.Struct(f"{format}{_up(self.size, _UNIFORM_ALIGNMENT) - struct.calcsize(format)}x")

    def _runs(self, first: int) -> Iterator[tuple[int, "Type"]]:
        """Offset and type of each scalar or vector in it."""
        if not self.fields:
            yield first, self
        for offset, type in self.fields.values():
            yield from type._runs(first + offset)


@dataclass(frozen=True)
class Binding:
    """A buffer that a kernel declares. type: of what it holds, of an array an element's; None: not known."""

    name: str
    access: Access
    type: Type | None

    @property
    def minimum_size(self) -> int:
        """Bytes that the buffer must at least have; 0: not known."""
        return self.type.size if self.type else 0


def bindings(code: str) -> tuple[Binding, ...]:
    """The bindings, in order of appearance, which is that of their numbers."""
    types = structs(code)
    found: list[Binding] = []
    for space, access, name, type in _BINDING.findall(_COMMENT.sub("", code)):
        element = type.removeprefix("array<").removesuffix(">") if type.startswith("array<") else type
        kind: Access = "uniform" if space == "uniform" else access or "read"
        found.append(Binding(name, kind, _type_of(element, types)))
    return tuple(found)


def structs(code: str) -> dict[str, Type]:
    """The structs that `code` declares, but for those with fields of types that are not known."""
    found: dict[str, Type] = {}
    for name, body in _STRUCT.findall(_COMMENT.sub("", code)):
        members = [(member, _type_of(type, found)) for member, type in _FIELD.findall(body)]
        fields: dict[str, tuple[int, Type]] = {}
        end = 0
        for member, type in members:
            if type is None:
                break
            offset = _up(end, type.alignment)
            fields[member] = offset, type
            end = offset + type.size
        else:
            alignment = max((type.alignment for _, type in fields.values()), default=1)
            found[name] = Type(_up(end, alignment), alignment, fields=fields)
    return found


def _type_of(name: str, structs: Mapping[str, Type]) -> Type | None:
    numbers = _NUMBERS.fullmatch(name)
    if not numbers:
        return structs.get(name)
    count = int(numbers[1] or 1)
    return Type(4 * count, 4 * (4 if count == 3 else count), numbers[2], count)


def _up(n: int, multiple: int) -> int:
    return -(-n // multiple) * multiple


def uniform(what: str, type: Type, values: Mapping[str, Any]) -> bytes:
    """The content of a uniform buffer: a struct with these values of its fields, padded to a multiple of 16 bytes.

    A vector's value is a sequence, a struct's a mapping. Raises WgmlError, which begins with `what`, for a field that
    is missing, unknown, or given what its type does not have: f32 takes finite numbers, the others whole ones (and no
    floats, which may have been rounded).
    """
    return type.uniform.pack(*_numbers(what, type, values))


def _numbers(what: str, type: Type, value: Any) -> Iterator[Any]:
    if type.fields:
        if not isinstance(value, Mapping):
            raise WgmlError(f"{what} is {_shown(value)}; it takes {', '.join(type.fields)} by name")
        require_names(what, type.fields, value)
        for name, (_, inner) in type.fields.items():
            if inner.count == 1 and not inner.fields:
                yield _number(f"{what}.{name}", inner.scalar, value[name])
            else:
                yield from _numbers(f"{what}.{name}", inner, value[name])
    elif not isinstance(value, Sequence) or len(value) != type.count:
        raise WgmlError(f"{what} is {_shown(value)}; it takes {type.count} numbers")
    else:
        for i, number in enumerate(value):
            yield _number(f"{what}[{i}]", type.scalar, number)


def _number(what: str, scalar: str, value: Any) -> Any:
    _, types, least, largest = _SCALARS[scalar]
    if isinstance(value, types) and not isinstance(value, bool) and least <= value <= largest:
        return value
    raise WgmlError(f"{what} is {_shown(value)}, which no {scalar} is")


def _shown(value: Any) -> str:
    try:
        return shown(repr(value))
    except ValueError:  # a whole number of thousands of digits
        return f"a number of {value.bit_length()} bits"
