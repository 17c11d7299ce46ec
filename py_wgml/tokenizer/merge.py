"""Byte-pair merging, shared by all kinds of BPE vocabulary."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from heapq import heapify, heappop, heappush

import numpy as np

from .vocabulary import Vocabulary


def merge(pieces: list[str], rank: Callable[[str, str], float | None]) -> list[str]:
    """Join neighbours, lowest rank first and from the left among equals, until no two neighbours have a rank.

    `rank(left, right)` is None for two pieces that do not join. Uses up `pieces`. Takes O(n log n) time for n pieces: a
    heap of candidates over a doubly linked list, where a joined piece lives on in the place of its left half.
    """
    count = len(pieces)
    after = list(range(1, count + 1))  # 0 for a piece that is gone: no piece comes before the first
    before = list(range(-1, count - 1))
    # A candidate holds the places of its pieces and the place after them: if those links still stand, so do both texts.
    heap = [
        (value, place, place + 1, place + 2)
        for place in range(count - 1)
        if (value := rank(pieces[place], pieces[place + 1])) is not None
    ]
    heapify(heap)
    while heap:
        _, left, right, end = heappop(heap)
        if after[left] != right or after[right] != end:
            continue
        joined = pieces[left] = pieces[left] + pieces[right]
        pieces[right] = ""
        after[left], after[right] = end, 0
        if end < count:
            before[end] = left
            value = rank(joined, pieces[end])
            if value is not None:
                heappush(heap, (value, left, end, after[end]))
        first = before[left]
        if first >= 0:
            value = rank(pieces[first], joined)
            if value is not None:
                heappush(heap, (value, first, left, end))
    return [piece for piece in pieces if piece]


def ranks(vocabulary: Vocabulary) -> Callable[[str, str], int | None]:
    """The rank of a merge by its two pieces, or None where they do not merge.

    A merge is a token and the place where it is cut, so a number says which, and sorted numbers find its rank: half a
    million merges take 8 MB, where a dictionary of them takes 50.
    """
    ids = vocabulary.ids
    merges = vocabulary.merges
    width = 1 + max(map(len, vocabulary.tokens))
    cuts = np.fromiter(
        (ids.get(entry.replace(" ", "", 1), -1) * width + entry.find(" ") for entry in merges), np.int64, len(merges)
    )
    order = np.argsort(cuts, kind="stable")  # of a merge that comes twice, the first counts
    sorted_cuts = np.append(cuts[order], np.iinfo(np.int64).max).data
    rank_of = order.astype(np.uint32).data

    def rank(left: str, right: str) -> int | None:
        number = ids.get(left + right)
        if number is None:
            return None
        cut = number * width + len(left)
        place = bisect_left(sorted_cuts, cut)
        return rank_of[place] if sorted_cuts[place] == cut else None

    return rank
