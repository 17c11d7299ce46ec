"""Byte-level BPE (vocabulary model `gpt2`): words are cut by regular expressions, then their UTF-8 bytes are merged by
rank.

The vocabulary writes each byte as one printable character: those of Latin-1 that can be seen as themselves, the others
from U+0100 on.
"""

from __future__ import annotations

from ..errors import WgmlError, quoted
from ..metadata import encoded
from .cache import Cache
from .merge import merge, ranks
from .normal_form import normalize
from .pretokenizers import PRE_TOKENIZERS, PreTokenizer
from .vocabulary import Vocabulary


def _byte_characters() -> dict[int, str]:
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = (byte for byte in range(256) if byte not in printable)
    return {byte: chr(byte) for byte in printable} | {byte: chr(0x100 + place) for place, byte in enumerate(others)}


_CHARACTERS = _byte_characters()
_BYTES = {character: bytes([byte]) for byte, character in _CHARACTERS.items()}


def token_to_bytes(token: str) -> bytes:
    """The bytes that a normal token stands for; a character outside of the byte alphabet stands for itself."""
    return b"".join([_BYTES.get(character) or encoded(character) for character in token])


def pre_tokenizer(vocabulary: Vocabulary) -> PreTokenizer:
    """The row that the vocabulary names. Raises WgmlError for a name that has none."""
    name = vocabulary.text("pre", "default")
    if name not in PRE_TOKENIZERS:
        raise WgmlError(f"pre-tokenizer {quoted(name)} is not supported (only {', '.join(PRE_TOKENIZERS)})")
    return PRE_TOKENIZERS[name]


class ByteLevelBPE:
    """Encodes text that has no special tokens in it."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Make it. Raises WgmlError for a pre-tokenizer that is not supported, or where there are no merges."""
        row = pre_tokenizer(vocabulary)
        self._words = row.splitter()
        self._nfc = row.nfc
        self._whole_words = row.ignore_merges
        self._ids = vocabulary.ids
        self._rank = ranks(vocabulary)
        self._cache = Cache(self._word)

    def encode(self, text: str) -> list[int]:
        """Token ids of `text`."""
        cache = self._cache
        return [number for word in self._words(normalize("NFC", text) if self._nfc else text) for number in cache[word]]

    def _word(self, word: str) -> list[int]:
        symbols = word.encode().decode("latin-1").translate(_CHARACTERS)
        ids = self._ids
        if self._whole_words and symbols in ids:
            return [ids[symbols]]
        return [ids[piece] for piece in merge(list(symbols), self._rank) if piece in ids]
