"""What was made of words that come again and again."""

from __future__ import annotations

from collections.abc import Callable

_LONGEST = 64  # characters: longer words hardly come again
_SIZE = 1 << 16


class Cache(dict[str, list[int]]):
    """`cache[word]` is what `encode(word)` gives, remembered for short words."""

    def __init__(self, encode: Callable[[str], list[int]]) -> None:
        super().__init__()
        self._encode = encode

    def __missing__(self, word: str) -> list[int]:
        ids = self._encode(word)
        if len(word) <= _LONGEST:
            if len(self) >= _SIZE:
                self.clear()
            self[word] = ids
        return ids
