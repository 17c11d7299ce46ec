"""How a model's own template writes a call, read off what it makes of one whose words can be found again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NAME, KEYS, TEXT, NUMBER = "look", ("at", "no"), "wordno0x", 7
"""Of the call that is looked at: its function, its parameters, the first one's value, and the second one's."""
ARGUMENTS = {KEYS[0]: TEXT, KEYS[1]: NUMBER}


@dataclass(frozen=True)
class Pairs:
    """Arguments one by one: KEY, `of`, VALUE, and `comma` before the next; text has a `quote` on each side."""

    of: str
    quote: str
    comma: str


@dataclass(frozen=True)
class Form:
    """BEFORE name BETWEEN arguments AFTER. Arguments are a JSON object, unless there are `pairs`.

    empty: what follows the name where there are no arguments.
    """

    before: str
    between: str
    after: str
    empty: str
    pairs: Pairs | None = None

    def written(self, name: str, arguments: Mapping[str, Any]) -> str:
        """A call as the model writes it; text is not escaped where it stands among `pairs`."""
        if not arguments:
            return self.before + name + self.empty
        if self.pairs is None:
            return self.before + name + self.between + json.dumps(arguments, ensure_ascii=False) + self.after
        of, quote = self.pairs.of, self.pairs.quote
        members = (
            key + of + (quote + value + quote if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
            for key, value in arguments.items()
        )
        return self.before + name + self.between + self.pairs.comma.join(members) + self.after

    @property
    def marks(self) -> tuple[str, str]:
        """What stands before a call and behind it, without what belongs to the call itself."""
        if self.pairs is None and '"' in self.before:
            start, end = self.before.rindex("{"), self.after.rfind("}") + 1
            return self.before[:start].rstrip("[ \n"), self.after[end:].lstrip("] \n")
        return self.before.rstrip(), self.after.lstrip(")}] \n")


BARE = Form('{"name": "', '", "arguments": ', "}", '", "arguments": {}}')
"""Calls as those are told to write them whose templates know of none."""


def form_of(written: str, empty: str) -> Form | None:
    """The form of a call of NAME with ARGUMENTS, and without any; None: it can't be told."""
    name = written.find(NAME)
    if name < 0 or not empty.startswith(written[: name + len(NAME)]):
        return None
    before, rest, nothing = written[:name], written[name + len(NAME) :], empty[name + len(NAME) :]
    start = rest.find("{")
    while start >= 0:
        try:
            value, end = json.JSONDecoder().raw_decode(rest, start)
        except ValueError:
            value, end = None, 0
        if value == ARGUMENTS:
            return Form(before, rest[:start], rest[end:], nothing)
        start = rest.find("{", start + 1)
    return _with_pairs(before, rest, nothing)


def _with_pairs(before: str, rest: str, nothing: str) -> Form | None:
    places, at = [], 0
    for word in (KEYS[0], TEXT, KEYS[1], str(NUMBER)):
        found = rest.find(word, at)
        if found < 0:
            return None
        places.append((found, found + len(word)))
        at = found + len(word)
    (key, key_end), (text, text_end), (other, other_end), (number, number_end) = places
    before_text, behind_text, of = rest[key_end:text], rest[text_end:other], rest[other_end:number]
    if not of or not before_text.startswith(of):
        return None
    quote = before_text[len(of) :]
    if not behind_text.startswith(quote):
        return None
    return Form(before, rest[:key], rest[number_end:], nothing, Pairs(of, quote, behind_text[len(quote) :]))
