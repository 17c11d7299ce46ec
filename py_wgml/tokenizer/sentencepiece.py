"""SentencePiece vocabularies: text is cut into pieces, spaces and all; what is in no piece falls back to bytes.

BPE merges characters, by the score of what they make (vocabulary model `llama`) or by a list of merges (`gemma4`, and
`whitespace`, which leaves spaces out). Unigram (`t5`) takes the pieces whose log-probabilities have the greatest sum
(Kudo 2018, https://arxiv.org/abs/1804.10959).
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod

from ..metadata import encoded
from .cache import Cache
from .charsmap import CharsMap
from .merge import merge, ranks
from .vocabulary import TokenType, Vocabulary, longest

SPACE = "\u2581"  # how the vocabulary writes a space
_UNKNOWN_PENALTY = 10.0  # below the worst piece


def token_to_bytes(token: str) -> bytes:
    """The bytes that a normal token stands for."""
    return encoded(token.replace(SPACE, " "))


def byte_ids(vocabulary: Vocabulary) -> list[int] | None:
    """The ids of the 256 tokens <0x00> to <0xFF>, or None where some are missing."""
    ids = [vocabulary.bytes.get(f"<0x{byte:02X}>") for byte in range(256)]
    found = [number for number in ids if number is not None]
    return found if len(found) == 256 else None


class SentencePiece(ABC):
    """Encodes text that has no special tokens in it."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._byte_ids = byte_ids(vocabulary)
        self._unknown = vocabulary.unknown_id
        self._ids = vocabulary.ids
        # No piece reaches over a place in front of a space where no token has such a place inside, so that text can be
        # cut there and most chunks be found in the cache. Some vocabularies have few such tokens, as ">▁</": no cut
        # behind their ">" then.
        inside = {
            character
            for token in self._ids
            if SPACE in token and SPACE in token.lstrip(SPACE)
            for character in re.findall(f"[^{SPACE}](?={SPACE})", token)
        }
        self._cut = re.compile(f"(?<=[^{re.escape(SPACE + ''.join(sorted(inside)))}])(?={SPACE})")
        self._cache = Cache(self._chunk)

    def encode(self, text: str) -> list[int]:
        """Token ids of `text`."""
        cache = self._cache
        ids = [number for chunk in self._cut.split(text.replace(" ", SPACE)) for number in cache[chunk]]
        if self._byte_ids is None:  # a run of unknown characters is one unknown token
            unknown = self._unknown
            return [now for before, now in zip([None, *ids], ids, strict=False) if now != unknown or before != unknown]
        return ids

    def _chunk(self, chunk: str) -> list[int]:
        found: list[int] = []
        for piece in self._pieces(chunk):
            number = self._ids.get(piece)
            if number is not None:
                found.append(number)
            elif self._byte_ids is not None:
                found += [self._byte_ids[byte] for byte in piece.encode()]
            elif self._unknown is not None:
                found.append(self._unknown)
        return found

    @abstractmethod
    def _pieces(self, chunk: str) -> list[str]:
        """The best pieces of `chunk`, single characters where no token fits."""


class SentencePieceBPE(SentencePiece):
    """Vocabulary model `llama`."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Make it. Raises WgmlError where there are no scores."""
        super().__init__(vocabulary)
        self._scores = vocabulary.scores

    def _pieces(self, chunk: str) -> list[str]:
        ids, scores = self._ids, self._scores

        def rank(left: str, right: str) -> float | None:
            number = ids.get(left + right)
            return None if number is None else -scores[number]

        return merge(list(chunk), rank)


class RankedBPE(SentencePiece):
    """Vocabulary model `gemma4`."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Make it. Raises WgmlError where there are no merges."""
        super().__init__(vocabulary)
        self._rank = ranks(vocabulary)

    def _pieces(self, chunk: str) -> list[str]:
        return merge(list(chunk), self._rank)


class WordBPE(RankedBPE):
    """Vocabulary model `whitespace`: white space parts words, and is left out."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Make it. Raises WgmlError where there are no merges."""
        super().__init__(vocabulary)
        self._lower = vocabulary.flag("normalizer.lowercase", False)

    def encode(self, text: str) -> list[int]:
        """Token ids of `text`."""
        if self._lower:
            text = "".join([character.lower() for character in text])
        cache = self._cache
        return [number for word in text.split() for number in cache[word]]


class Unigram(SentencePiece):
    """Vocabulary model `t5`: text is normalized first, as the file says."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Make it. Raises WgmlError where there are no scores, for a token that is too long, or for a table of
        normalization that makes no sense."""
        super().__init__(vocabulary)
        self._scores = vocabulary.scores
        self._charsmap = CharsMap(vocabulary.charsmap)
        self._single_spaces = vocabulary.flag("remove_extra_whitespaces", False)
        self._ids = {text: number for text, number in self._ids.items() if vocabulary.types[number] != TokenType.UNUSED}
        self._longest = longest(self._ids)
        scored = [self._scores[id] for id, kind in enumerate(vocabulary.types) if kind == TokenType.NORMAL]
        self._unknown_score = min(scored, default=0.0) - _UNKNOWN_PENALTY

    def encode(self, text: str) -> list[int]:
        """Token ids of `text`."""
        text = self._charsmap.normalize(text)
        if self._single_spaces:
            text = re.sub(" +", " ", text).rstrip(" ")
        return super().encode(text)

    def _pieces(self, chunk: str) -> list[str]:
        ids, scores, size = self._ids, self._scores, len(chunk)
        # The best way to each place: its score, and where its last piece begins.
        best = [0.0] + [float("-inf")] * size
        begin = [0] * (size + 1)
        for start in range(size):
            score = best[start]
            for end in range(start + 1, min(start + self._longest, size) + 1):
                number = ids.get(chunk[start:end])
                if number is not None:
                    value = score + scores[number]
                elif end == start + 1:
                    value = score + self._unknown_score
                else:
                    continue
                if value > best[end]:
                    best[end], begin[end] = value, start
        pieces = []
        while size:
            pieces.append(chunk[begin[size] : size])
            size = begin[size]
        return pieces[::-1]
