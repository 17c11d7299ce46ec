"""WordPiece (vocabulary model `bert`): words and punctuation marks are cut into the longest tokens, from the left.

In the file a token that begins a word has U+2581 in front, one that goes on with a word has nothing (where BERT writes
`##`).
"""

from __future__ import annotations

import re
from string import punctuation
from unicodedata import category

from .cache import Cache
from .normal_form import normalize
from .sentencepiece import SPACE
from .vocabulary import Vocabulary

_LONGEST_WORD = 100  # characters; longer ones are unknown
# Chinese characters are words of their own. The blocks are those of BERT's tokenizer, with the slip in the sixth.
_HAN = "\u4e00-\u9fff\u3400-\u4dbf\U00020000-\U0002a6df\U0002a700-\U0002b73f\U0002b740-\U0002b81f\U0002b920-\U0002ceaf"
_HAN += "\uf900-\ufaff\U0002f800-\U0002fa1f"
_SPACES = "\t\n\r"  # which Unicode counts as control characters
_LEFT_OUT = ("Cc", "Cf", "Co", "Cs")


class WordPiece:
    """Encodes text that has no special tokens in it."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._lower = vocabulary.flag("normalizer.lowercase", True)
        self._strip_accents = vocabulary.flag("normalizer.strip_accents", self._lower)
        self._ids = vocabulary.ids
        self._unknown = [] if vocabulary.unknown_id is None else [vocabulary.unknown_id]
        self._longest = max(map(len, self._ids), default=0)
        self._cache = Cache(self._word)

    def encode(self, text: str) -> list[int]:
        """Token ids of `text`."""
        text = "".join([_clean(character) for character in text])
        text = re.sub(f"([{_HAN}])", r" \1 ", text)
        if self._strip_accents:
            text = "".join([character for character in normalize("NFD", text) if category(character) != "Mn"])
        if self._lower:
            text = "".join([character.lower() for character in text])  # each alone: final sigma is no matter here
        text = "".join([f" {character} " if _is_mark(character) else character for character in text])
        cache = self._cache
        return [number for word in text.split() for number in cache[word]]

    def _word(self, word: str) -> list[int]:
        if len(word) > _LONGEST_WORD:
            return self._unknown
        ids, rest, found = self._ids, SPACE + word, []
        while rest:
            for length in range(min(len(rest), self._longest), 0, -1):
                number = ids.get(rest[:length])
                if number is not None:
                    found.append(number)
                    rest = rest[length:]
                    break
            else:
                return self._unknown
        return found


def _clean(character: str) -> str:
    if character in _SPACES:
        return " "
    if character == "\ufffd" or category(character) in _LEFT_OUT:
        return ""
    return " " if character.isspace() else character


def _is_mark(character: str) -> bool:
    return character in punctuation or category(character).startswith("P")
