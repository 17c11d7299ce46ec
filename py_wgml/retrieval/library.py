"""The documents that go with a conversation, and what of them answers a question."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from .passages import Passage, cut
from .scores import ASKING, Words, blended, terms

_KEPT = 16  # documents whose passages are kept
_MOST = 8  # passages for one question
_TRIED = 32  # of which so many are looked at: whether there is room for one takes a tokenizer
_LEAST = 0.15  # of the best one's score: what is worse says nothing
_EARLIER = 0.3  # of what the words of the question before this one count
_BEGINNING = 2  # passages of each document
_COMMON = 0.2  # of the passages: a word that is in more of them tells none from another
_FEW = 20  # passages, of which any word may tell
_TABLES = (".csv", ".tsv")  # whose first line is a heading


@dataclass(frozen=True)
class Document:
    """A text with a name, in parts: the pages of a file that has some, else one."""

    name: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """A passage that suits a question. document: which one, by its place among them. score: from 0 to 1."""

    document: int
    passage: Passage
    score: float


class _Index:
    """A document's passages and their words."""

    def __init__(self, document: Document) -> None:
        heading = ""
        if document.name.lower().endswith(_TABLES):
            heading = next((part for part in document.parts if part), "").lstrip().partition("\n")[0][:300]
        self.passages: list[Passage] = []
        for number, part in enumerate(document.parts):
            found, heading = cut(part, number, heading)
            self.passages += found
        self.words = Words(f"{passage.heading}\n{passage.text}" for passage in self.passages)


class Library:
    """Documents to ask. What was made of one is kept for the next question."""

    def __init__(self) -> None:
        self._indexes: OrderedDict[Document, _Index] = OrderedDict()

    def passages(self, document: Document) -> list[Passage]:
        """Those of one document, in order: always the same ones."""
        return self._index(document).passages

    def find(
        self,
        question: str,
        documents: Sequence[Document],
        room: int,
        count: Callable[[str], int],
        nearness: npt.NDArray[np.float64] | None = None,
        before: str = "",
    ) -> list[Found]:
        """The passages that suit a question best, of all documents; in the order in which they stand there.

        room: the most tokens that they have together, which `count` tells of a text; the best one is given anyway.
        nearness: the cosine of each passage's vector with the question's, of all documents one behind the other, NaN
        for none: float64 [n]. before: the question before this one, which this one may go on from. Where no word of a
        question tells one passage from another, the documents' beginnings come first, unless vectors tell: who asks
        what a text is about uses none of its words.
        """
        indexes = [self._index(document) for document in documents]
        places = [(d, passage) for d, index in enumerate(indexes) for passage in index.passages]
        if not places:
            return []
        among = [index.words for index in indexes]
        asked = terms(question)
        telling = [Words.telling(among, words, _COMMON, _FEW) for words in (asked, terms(before))]
        words, earlier = (Words.scores(among, found) for found in telling)
        scores = blended(words + _EARLIER * earlier, nearness)
        order = [int(i) for i in np.argsort(-scores, kind="stable") if scores[i] > _LEAST * scores.max()]
        if not telling[0]:  # none of its words is in the documents, or all are everywhere
            starts = np.cumsum([0, *(len(index.passages) for index in indexes)])
            begin = [int(i) for n in range(_BEGINNING) for i, end in pairwise(starts + n) if i < end - n]
            is_of_all = nearness is None or ASKING.issuperset(asked)
            order = begin + order if is_of_all else order + begin
        chosen: list[int] = []
        for place in [*dict.fromkeys(order)][:_TRIED]:
            if len(chosen) == _MOST or (chosen and room <= 0):
                break
            tokens = count(places[place][1].text)
            if tokens <= room or not chosen:
                chosen.append(place)
                room -= tokens
        return [Found(*places[place], float(scores[place])) for place in sorted(chosen)]

    def _index(self, document: Document) -> _Index:
        if document not in self._indexes:
            self._indexes[document] = _Index(document)
        self._indexes.move_to_end(document)
        while len(self._indexes) > _KEPT:
            self._indexes.popitem(last=False)
        return self._indexes[document]
