"""SentencePiece's table of normalization (`tokenizer.ggml.precompiled_charsmap`): what text is replaced by what.

The table is a trie in the form of Darts-clone (https://github.com/s-yata/darts-clone), units of 32 bits, behind their
length in bytes; then the replacements, each ended by a zero byte. The longest match counts.
"""

from __future__ import annotations

from ..errors import WgmlError

_LEAF = 1 << 8  # something ends here: its value lies at the node's own place
_LABEL = 1 << 31 | 0xFF  # the byte that leads to this node
_VALUE = (1 << 31) - 1


class CharsMap:
    """Normalizes text. Made of an empty table, it leaves text as it is."""

    def __init__(self, table: bytes) -> None:
        """Raises WgmlError where `table` contradicts itself."""
        size = int.from_bytes(table[:4], "little")
        if size % 4 or size + 4 > max(len(table), 4) or (table and table[-1]):
            raise WgmlError("tokenizer.ggml.precompiled_charsmap is damaged")
        self._units = memoryview(table[4 : 4 + size]).cast("I")
        self._replacements = table[4 + size :]

    def normalize(self, text: str) -> str:
        """`text` with every match replaced. Raises WgmlError where the table leads out of itself."""
        if not self._units:
            return text
        data = text.encode()
        kept, at = [], 0
        try:
            while at < len(data):
                length, replacement = self._longest(data, at)
                if not length:
                    length = _utf8_length(data[at])
                    replacement = data[at : at + length]
                kept.append(replacement)
                at += length
        except (IndexError, ValueError):
            raise WgmlError("tokenizer.ggml.precompiled_charsmap is damaged") from None
        return b"".join(kept).decode(errors="replace")

    def _longest(self, data: bytes, start: int) -> tuple[int, bytes]:
        """The length of the longest match at `start`, and what takes its place; 0 where there is none."""
        units = self._units
        found, value = 0, 0
        node = _offset(units[0])
        for at in range(start, len(data)):
            node ^= data[at]
            unit = units[node]
            if unit & _LABEL != data[at]:
                break
            node ^= _offset(unit)
            if unit & _LEAF:
                found, value = at + 1 - start, units[node] & _VALUE
        return found, self._replacements[value : self._replacements.index(0, value)] if found else b""


def _offset(unit: int) -> int:
    return unit >> 10 << ((unit & 1 << 9) >> 6)


def _utf8_length(first: int) -> int:
    return 1 if first < 0x80 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4
