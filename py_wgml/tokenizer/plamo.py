"""PLaMo 2's vocabulary (model `plamo2`): the pieces whose scores have the greatest sum, bytes where none fits.

Unlike Unigram's, pieces have their spaces as they are, and scores count in units of 0.0001, so that many sums are
equal: the best way is looked for from the text's end, and of equal ones that with the longer piece first is taken.
"""

from __future__ import annotations

from math import floor, isfinite

from ..errors import WgmlError
from .sentencepiece import byte_ids
from .vocabulary import TokenType, Vocabulary, longest

_UNITS = 10_000
_UNKNOWN = -10_000_000  # units, for a character that becomes bytes
_WORST = -20_000_000  # no piece with such a score is taken


class PLaMo:
    """Encodes text that has no special tokens in it."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Make it. Raises WgmlError where there are no scores, a byte has no token, or a token is too long."""
        found = byte_ids(vocabulary)
        if found is None:
            raise WgmlError("a vocabulary of kind plamo2 needs a token for each byte, <0x00> to <0xFF>")
        self._byte_ids = found
        scores = vocabulary.scores
        self._pieces: dict[str, tuple[int, int]] = {}  # score and id
        for text, number in vocabulary.ids.items():
            score = scores[number] * _UNITS
            if vocabulary.types[number] != TokenType.UNUSED and isfinite(score):
                # Halves are rounded away from zero.
                units = floor(score + 0.5) if score >= 0 else -floor(0.5 - score)
                if units > _WORST:
                    self._pieces[text] = units, number
        longest(self._pieces)
        lengths: dict[str, set[int]] = {}
        for text in self._pieces:
            lengths.setdefault(text[0], set()).add(len(text))
        self._lengths = {first: sorted(found, reverse=True) for first, found in lengths.items()}

    def encode(self, text: str) -> list[int]:
        """Token ids of `text`."""
        pieces, size = self._pieces, len(text)
        best = [0] * (size + 1)  # the score from each place on, and the length of the piece there
        step = [1] * size
        ids: list[int | None] = [None] * size
        for start in range(size - 1, -1, -1):
            top = None
            for length in self._lengths.get(text[start], ()):
                found = pieces.get(text[start : start + length]) if start + length <= size else None
                if found is not None and (top is None or found[0] + best[start + length] > top):
                    top, step[start], ids[start] = found[0] + best[start + length], length, found[1]
            if top is None or _UNKNOWN + best[start + 1] > top:
                top, step[start], ids[start] = _UNKNOWN + best[start + 1], 1, None
            best[start] = top
        made: list[int] = []
        place = 0
        while place < size:
            number = ids[place]
            made += [self._byte_ids[byte] for byte in text[place].encode()] if number is None else [number]
            place += step[place]
        return made
