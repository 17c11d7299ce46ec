"""Byte-level BPE (vocabulary model `gpt2`): words are cut by regular expressions, then their UTF-8 bytes are merged by
rank.

The vocabulary writes each byte as one printable character: those of Latin-1 that can be seen as themselves, the others
from U+0100 on.
"""

from __future__ import annotations

from unicodedata import normalize

from ..errors import WgmlError
from .merge import merge
from .pretokenizers import PRE_TOKENIZERS, PreTokenizer
from .vocabulary import Vocabulary

_CACHED_WORD = 64  # longer words hardly come again
_CACHE_SIZE = 1 << 16


def _byte_characters() -> dict[int, str]:
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = (byte for byte in range(256) if byte not in printable)
    return {byte: chr(byte) for byte in printable} | {byte: chr(0x100 + place) for place, byte in enumerate(others)}


_CHARACTERS = _byte_characters()
_BYTES = {character: bytes([byte]) for byte, character in _CHARACTERS.items()}


def token_to_bytes(token: str) -> bytes:
    """The bytes that a normal token stands for; a character outside of the byte alphabet stands for itself."""
    return b"".join([_BYTES.get(character) or character.encode() for character in token])


def pre_tokenizer(vocabulary: Vocabulary) -> PreTokenizer:
    """The row that the vocabulary names. Raises WgmlError for a name that has none."""
    name = vocabulary.get("pre", str, "default")
    if name not in PRE_TOKENIZERS:
        raise WgmlError(f"pre-tokenizer {name!r} is not supported (only {', '.join(PRE_TOKENIZERS)})")
    return PRE_TOKENIZERS[name]


class ByteLevelBPE:
    """Encodes text that has no special tokens in it."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Raises WgmlError for a pre-tokenizer that is not supported, or where there are no merges."""
        import regex  # here, because only this kind of vocabulary in this backend needs it

        row = pre_tokenizer(vocabulary)
        # A split by a captured pattern gives matches and what lies between them.
        self._splits = [regex.compile(f"({pattern})").split for pattern in row.patterns]
        self._nfc = row.nfc
        self._whole_words = row.ignore_merges
        self._ids = vocabulary.ids
        merges = vocabulary.merges
        self._ranks = dict(zip(merges, range(len(merges)), strict=True))
        self._cache: dict[str, list[int]] = {}

    def encode(self, text: str) -> list[int]:
        """Token ids of `text`."""
        words = [normalize("NFC", text) if self._nfc else text]
        for split in self._splits:
            words = [part for word in words for part in split(word) if part]
        ids: list[int] = []
        cache = self._cache
        for word in words:
            found = cache.get(word)
            if found is None:
                found = self._word(word)
                if len(word) <= _CACHED_WORD:
                    if len(cache) >= _CACHE_SIZE:
                        cache.clear()
                    cache[word] = found
            ids += found
        return ids

    def _word(self, word: str) -> list[int]:
        symbols = word.encode().decode("latin-1").translate(_CHARACTERS)
        ids = self._ids
        if self._whole_words and symbols in ids:
            return [ids[symbols]]
        ranks = self._ranks
        pieces = merge(list(symbols), lambda left, right: ranks.get(f"{left} {right}"))
        return [ids[piece] for piece in pieces if piece in ids]
