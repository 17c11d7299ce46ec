"""JSON's own texts as expressions: strings, values that are known, and the white space between them.

The style is the one that models write most: everything in one line, with at most one space behind `,` and `:`. It is
bounded, so that no model loses itself in white space, and costs the automaton next to nothing. Characters stand as they
are; escaped are `"`, `\\` and those controls alone that have a letter of their own (others only where nothing else may
stand), never as `\\u` with four digits: each character has one form, and counting them takes no more states than that.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from .nodes import Bytes, Choice, Node, Range, Repeat, Sequence, characters, literal, optional, others

_LETTERS = {0x08: "b", 0x0A: "n", 0x09: "t", 0x0D: "r", 0x0C: "f", 0x22: '"', 0x5C: "\\"}
_CONTROLS = 0x1F
_QUOTE = literal('"')
SPACE = optional(literal(" "))
COMMA = Sequence((*literal(",").parts, SPACE))  # type: ignore[union-attr]
COLON = Sequence((*literal(":").parts, SPACE))  # type: ignore[union-attr]


def _without(ranges: list[Range], taken: list[Range]) -> list[Range]:
    """The code points of `ranges` that are not in `taken`."""
    return others([*others(ranges), *taken])


def text_characters(ranges: Iterable[Range]) -> Node:
    """One character of these ranges of code points, as a JSON string has it."""
    wanted = [*ranges]

    def within(code: int) -> bool:
        return any(low <= code <= high for low, high in wanted)

    escaped = [letter for code, letter in _LETTERS.items() if within(code)]
    plain = _without(wanted, [(0, _CONTROLS), *((code, code) for code in _LETTERS)])
    options: list[Node] = []
    if plain:
        options.append(characters(plain))
    if escaped:
        letters = Bytes(tuple((ord(letter), ord(letter)) for letter in sorted(escaped)))
        options.append(Sequence((*literal("\\").parts, letters)))  # type: ignore[union-attr]
    if not options:
        options = [literal(f"\\u{code:04x}") for code in range(_CONTROLS + 1) if within(code)]
    return options[0] if len(options) == 1 else Choice(tuple(options))


def key_characters(ranges: Iterable[Range]) -> Node:
    """Likewise, of those alone that need no escape: what looks different is different."""
    return characters(_without([*ranges], [(0, _CONTROLS), *((code, code) for code in _LETTERS)]))


EVERYTHING: list[Range] = [(0, 0x10FFFF)]
KEY_CHARACTER = key_characters(EVERYTHING)


def string(inside: Node) -> Node:
    """A JSON string whose characters, as they are written in it, are `inside`."""
    return Sequence((_QUOTE, inside, _QUOTE))


def listed(items: Iterable[Node]) -> list[Node]:
    """These, with a comma between each two."""
    found: list[Node] = []
    for item in items:
        found += [COMMA, item] if found else [item]
    return found


def repeated(item: Node, least: int, most: int | None) -> Node:
    """`item` so many times, with a comma between each two."""
    more = Repeat(Sequence((COMMA, item)), max(0, least - 1), None if most is None else most - 1)
    if most == 0:
        return Sequence()
    some = Sequence((item, more))
    return some if least else optional(some)


def written(value: Any) -> Node:
    """A value that is known."""
    if isinstance(value, dict):
        pairs = [Sequence((written(key), COLON, written(item))) for key, item in value.items()]
        return Sequence((literal("{"), *listed(pairs), literal("}")))
    if isinstance(value, list):
        return Sequence((literal("["), *listed(map(written, value)), literal("]")))
    return literal(json.dumps(value, ensure_ascii=False))
