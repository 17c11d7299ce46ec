"""RWKV's vocabulary (model `rwkv`): from the left, the longest token that fits, byte by byte.

Tokens are any bytes, which the file writes as Python does between the quotes of a bytes literal.
"""

from __future__ import annotations

import re

from ..metadata import encoded
from .special import Splitter
from .vocabulary import TokenType, Vocabulary

_ESCAPE = re.compile(rb"\\(?:x([0-9a-f]{2})|(.))", re.DOTALL)
_NAMED = {b"t": b"\t", b"n": b"\n", b"r": b"\r"}


def token_to_bytes(token: str) -> bytes:
    """The bytes that a normal token stands for."""
    return _ESCAPE.sub(_meant, encoded(token))


def _meant(escape: re.Match[bytes]) -> bytes:
    return bytes([int(escape[1], 16)]) if escape[1] else _NAMED.get(escape[2], escape[2])


class LongestMatch:
    """Encodes text that has no special tokens in it."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Make it. Raises WgmlError for a token that is too long."""
        self._unknown = [] if vocabulary.unknown_id is None else [vocabulary.unknown_id]
        ids = {
            token_to_bytes(token).decode("latin-1"): number
            for token, number in vocabulary.ids.items()
            if vocabulary.types[number] != TokenType.UNUSED
        }
        ids.pop("", None)
        self._splitter = Splitter(ids)

    def encode(self, text: str) -> list[int]:
        """Token ids of `text`."""
        ids: list[int] = []
        for piece in self._splitter.split(text.encode().decode("latin-1")):  # a character a byte
            if isinstance(piece, int):
                ids.append(piece)
            else:
                ids += self._unknown * len(piece)
        return ids
