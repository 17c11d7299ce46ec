"""SentencePiece's table of normalization (`tokenizer.ggml.precompiled_charsmap`): what text is replaced by what.

The table is a trie in the form of Darts-clone (https://github.com/s-yata/darts-clone), units of 32 bits, behind their
length in bytes; then the replacements, each ended by a zero byte. The longest match counts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import WgmlError

_LEAF = 1 << 8  # something ends here: its value lies at the node's own place
_LABEL = 1 << 31 | 0xFF  # the byte that leads to this node
_VALUE = (1 << 31) - 1
_LONGEST = 256  # bytes of what is replaced, and of what it is replaced by
_MOST_BYTES = 1 << 20  # of a table (those in use have a quarter of that)
_MOST_VISITS = 4  # of a unit, on average: a tree has one, more where branches share their ends
_DAMAGED = "tokenizer.ggml.precompiled_charsmap is damaged"


class CharsMap:
    """Normalizes text. Made of an empty table, it leaves text as it is."""

    def __init__(self, table: bytes) -> None:
        """Make it of `table`. Raises WgmlError where that contradicts itself."""
        size = int.from_bytes(table[:4], "little")
        if size % 4 or size + 4 > max(len(table), 4) or (table and table[-1]):
            raise WgmlError(_DAMAGED)
        if len(table) > _MOST_BYTES:
            raise WgmlError(f"tokenizer.ggml.precompiled_charsmap of {len(table)} bytes: at most {_MOST_BYTES}")
        self._units = memoryview(table[4 : 4 + size]).cast("I")
        self._replacements = table[4 + size :]
        if self._units:
            _walk(np.frombuffer(self._units, np.uint32), self._replacements)

    def normalize(self, text: str) -> str:
        """`text` with every match replaced."""
        if not self._units:
            return text
        data = text.encode()
        kept, offset = [], 0
        while offset < len(data):
            length, replacement = self._longest(data, offset)
            if not length:
                length = _utf8_length(data[offset])
                replacement = data[offset : offset + length]
            kept.append(replacement)
            offset += length
        return b"".join(kept).decode(errors="replace")

    def _longest(self, data: bytes, start: int) -> tuple[int, bytes]:
        """The length of the longest match at `start`, and what takes its place; 0 where there is none."""
        units = self._units
        found, value = 0, 0
        node = _offset(units[0])
        for offset in range(start, len(data)):
            node ^= data[offset]
            unit = units[node]
            if unit & _LABEL != data[offset]:
                break
            node ^= _offset(unit)
            if unit & _LEAF:
                found, value = offset + 1 - start, units[node] & _VALUE
        return found, self._replacements[value : self._replacements.index(0, value)] if found else b""


def _walk(units: npt.NDArray[np.uint32], replacements: bytes) -> None:
    """Take every way through the trie, a level at a time. Raises WgmlError where one leads out of it or in a circle, or
    ends at no replacement, or one that is too long."""
    zeros = np.flatnonzero(np.frombuffer(replacements, np.uint8) == 0)
    # A unit lies at its parent's place, changed by its label: so each tells whose child it is.
    parents = np.where(units & _LABEL <= 0xFF, np.arange(len(units)) ^ (units & 0xFF), -1)
    by_parent = np.argsort(parents, kind="stable")
    parents = parents[by_parent]
    nodes, steps = _offset(units[:1].astype(np.int64)), 0
    for _ in range(_LONGEST):
        if (nodes | 0xFF).max() >= len(units):
            break
        first, last = np.searchsorted(parents, nodes), np.searchsorted(parents, nodes, "right")
        children = by_parent[_ranges(first, last)]
        if not len(children):
            return
        steps += len(children)
        if steps > _MOST_VISITS * len(units):
            break
        found = units[children].astype(np.int64)
        ends = children ^ _offset(found)
        leaves = ends[found & _LEAF != 0]
        if (leaves >= len(units)).any():
            break
        values = units[leaves].astype(np.int64) & _VALUE
        places = np.searchsorted(zeros, values)
        if (places == len(zeros)).any() or (zeros[places] - values > _LONGEST).any():
            break
        nodes = np.unique(ends)
    raise WgmlError(_DAMAGED)


def _ranges(first: npt.NDArray[np.int64], last: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The numbers from each `first` up to its `last`, which is left out."""
    counts = last - first
    numbers: npt.NDArray[np.int64] = np.repeat(last - np.cumsum(counts), counts)
    return numbers + np.arange(len(numbers))


def _offset(unit: Any) -> Any:
    return unit >> 10 << ((unit & 1 << 9) >> 6)


def _utf8_length(first: int) -> int:
    return 1 if first < 0x80 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4
