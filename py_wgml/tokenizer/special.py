"""Finding special tokens in text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from .vocabulary import longest


class Splitter:
    """Cuts text at the tokens of a table, the longest first where several begin at one place.

    The table may have thousands (a vocabulary's unused tokens): each place where one can begin costs one look-up for
    each length that tokens with this first character have, not one for each token.
    """

    def __init__(self, tokens: Mapping[str, int]) -> None:
        """`tokens`: ids by text, none of them empty. Raises WgmlError where one is too long."""
        longest(tokens)
        self._tokens = tokens
        lengths: dict[str, set[int]] = {}
        for token in tokens:
            lengths.setdefault(token[0], set()).add(len(token))
        self._lengths = {first: sorted(found, reverse=True) for first, found in lengths.items()}
        self._first = re.compile("[" + re.escape("".join(lengths)) + "]") if lengths else None

    def split(self, text: str) -> Iterator[str | int]:
        """The pieces of `text` in order: ids of tokens, and the (never empty) text between them."""
        start = position = 0
        while self._first and (candidate := self._first.search(text, position)):
            position = candidate.start()
            for length in self._lengths[text[position]]:
                number = self._tokens.get(text[position : position + length])
                if number is not None:
                    if position > start:
                        yield text[start:position]
                    yield number
                    start = position = position + length
                    break
            else:
                position += 1
        if start < len(text):
            yield text[start:]
