"""Languages over bytes, as expressions: what an answer may be. Regular expressions, JSON schemas and grammars are read
into these, and automaton.py makes tables of them.

Text is UTF-8: `literal` and `characters` write its bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

Range = tuple[int, int]
"""Both ends are part of it."""


@dataclass(frozen=True)
class Bytes:
    """One byte of any of `ranges`."""

    ranges: tuple[Range, ...]


@dataclass(frozen=True)
class Sequence:
    """One part behind the other."""

    parts: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Choice:
    """Any one of `options`; without any there is no text that fits."""

    options: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Repeat:
    """`node` at least `least` times and at most `most` (None: without end)."""

    node: Node
    least: int = 0
    most: int | None = None


@dataclass(frozen=True)
class Both:
    """What fits `first` and `second`. Neither may lead to a rule that leads to itself."""

    first: Node
    second: Node


@dataclass(frozen=True)
class Without:
    """What fits `first` and not `second`. Neither may lead to a rule that leads to itself."""

    first: Node
    second: Node


@dataclass(frozen=True)
class Rule:
    """The expression of this name of the grammar."""

    name: str


Node = Bytes | Sequence | Choice | Repeat | Both | Without | Rule

EMPTY = Sequence()


@dataclass(frozen=True)
class Grammar:
    """An expression, and those that it names. Rules may lead to themselves, but not as their own first part."""

    root: Node
    rules: Mapping[str, Node] = field(default_factory=dict)


def literal(text: str | bytes) -> Node:
    """This text alone."""
    data = text.encode() if isinstance(text, str) else text
    return Sequence(tuple(Bytes(((byte, byte),)) for byte in data))


def optional(node: Node) -> Node:
    """It, or nothing."""
    return Repeat(node, 0, 1)


def without(text: str) -> Node:
    """Any text in which `text` does not stand."""
    anything = Repeat(characters(((0, _LAST),)))
    return Without(anything, Sequence((anything, literal(text), anything)))


_LAST = 0x10FFFF
_SURROGATES = 0xD800, 0xDFFF
_LENGTHS = (0x7F, 0x7FF, 0xFFFF, _LAST)  # the last code point of so many bytes, from one on


def characters(ranges: Iterable[Range]) -> Node:
    """One character of these ranges of code points; surrogates are none."""
    found: dict[tuple[Bytes, ...], None] = {}
    for low, high in ranges:
        for first, last in ((low, min(high, _SURROGATES[0] - 1)), (max(low, _SURROGATES[1] + 1), min(high, _LAST))):
            found |= dict.fromkeys(_encoded(first, last)) if first <= last else {}
    return _joined([*found])


def _joined(texts: list[tuple[Bytes, ...]]) -> Node:
    """Any one of these sequences. Those that end alike share their end: so there are few states."""
    by_end: dict[Bytes, list[tuple[Bytes, ...]]] = {}
    for text in texts:
        by_end.setdefault(text[-1], []).append(text[:-1])
    single: list[Range] = []
    options: list[Node] = []
    for end, before in by_end.items():
        if () in before:
            single += end.ranges
        if longer := [text for text in before if text]:
            options.append(Sequence((_joined(longer), end)))
    if single:
        options.insert(0, Bytes(tuple(single)))
    return options[0] if len(options) == 1 else Choice(tuple(options))


def others(ranges: Iterable[Range]) -> list[Range]:
    """The code points that are in none of these ranges."""
    found, at = [], 0
    for low, high in sorted(ranges):
        if at < low:
            found.append((at, low - 1))
        at = max(at, high + 1)
    return [*found, (at, _LAST)] if at <= _LAST else found


def _encoded(low: int, high: int) -> Iterator[tuple[Bytes, ...]]:
    """The characters from `low` to `high`, as sequences of ranges of bytes."""
    for most in _LENGTHS:
        if low <= most < high:
            yield from _encoded(low, most)
            low = most + 1
    first, last = chr(low).encode(), chr(high).encode()
    # From the last byte on: what it doesn't run through as a whole is parted where the bytes before it change.
    for at in range(1, len(first)):
        rest = (1 << 6 * at) - 1
        if low >> 6 * at != high >> 6 * at:
            if low & rest:
                yield from _encoded(low, low | rest)
                yield from _encoded((low | rest) + 1, high)
                return
            if high & rest != rest:
                yield from _encoded(low, (high & ~rest) - 1)
                yield from _encoded(high & ~rest, high)
                return
    yield tuple(Bytes((pair,)) for pair in zip(first, last, strict=True))
