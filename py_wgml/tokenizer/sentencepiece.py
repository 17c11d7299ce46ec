"""SentencePiece BPE (vocabulary model `llama`): characters are merged by the score of what they make; what is in no
token falls back to bytes.
"""

from __future__ import annotations

import re

from .merge import merge
from .vocabulary import Vocabulary

SPACE = "\u2581"  # how the vocabulary writes a space
_CACHED_CHUNK = 64
_CACHE_SIZE = 1 << 16


def token_to_bytes(token: str) -> bytes:
    """The bytes that a normal token stands for."""
    return token.replace(SPACE, " ").encode()


def byte_ids(vocabulary: Vocabulary) -> list[int] | None:
    """The ids of the 256 tokens <0x00> to <0xFF>, or None where some are missing."""
    ids = [vocabulary.bytes.get(f"<0x{byte:02X}>") for byte in range(256)]
    found = [number for number in ids if number is not None]
    return found if len(found) == 256 else None


class SentencePieceBPE:
    """Encodes text that has no special tokens in it."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Raises WgmlError where there are no scores."""
        self._scores = vocabulary.scores
        self._byte_ids = byte_ids(vocabulary)
        self._unknown = vocabulary.unknown_id
        self._ids = vocabulary.ids
        # No merge reaches over a place in front of a space where no token has such a place inside, so that text can be
        # cut there and most chunks be found in the cache. Some vocabularies have few such tokens, as ">▁</": no cut
        # behind their ">" then.
        inside = {
            character
            for token in self._ids
            if SPACE in token and SPACE in token.lstrip(SPACE)
            for character in re.findall(f"[^{SPACE}](?={SPACE})", token)
        }
        self._cut = re.compile(f"(?<=[^{re.escape(SPACE + ''.join(sorted(inside)))}])(?={SPACE})")
        self._cache: dict[str, list[int]] = {}

    def encode(self, text: str) -> list[int]:
        """Token ids of `text`."""
        ids: list[int] = []
        cache = self._cache
        for chunk in self._cut.split(text.replace(" ", SPACE)):
            found = cache.get(chunk)
            if found is None:
                found = self._chunk(chunk)
                if len(chunk) <= _CACHED_CHUNK:
                    if len(cache) >= _CACHE_SIZE:
                        cache.clear()
                    cache[chunk] = found
            ids += found
        if self._byte_ids is None:  # a run of unknown characters is one unknown token
            unknown = self._unknown
            return [now for before, now in zip([None, *ids], ids, strict=False) if now != unknown or before != unknown]
        return ids

    def _chunk(self, chunk: str) -> list[int]:
        ids = self._ids
        if chunk in ids and len(chunk) == 1:
            return [ids[chunk]]
        scores = self._scores

        def rank(left: str, right: str) -> float | None:
            number = ids.get(left + right)
            return None if number is None else -scores[number]

        found: list[int] = []
        for piece in merge(list(chunk), rank):
            number = ids.get(piece)
            if number is not None:
                found.append(number)
            elif self._byte_ids is not None:
                found += [self._byte_ids[byte] for byte in piece.encode()]
            elif self._unknown is not None:
                found.append(self._unknown)
        return found
