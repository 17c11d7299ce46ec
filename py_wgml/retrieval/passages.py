"""A text cut into passages: at headings, between paragraphs, between sentences, and only then anywhere.

Lengths are estimates of tokens that need no tokenizer, so that a text is cut alike for every model: what was made of
its passages by one stays good with another.
"""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

LENGTH = 180  # tokens of a passage, about: models that embed were trained with 256 at most
GAPS = 60  # of them beside, of what stands between its pieces: spaces and empty lines
OVERLAP = 40  # of them that the next one has too, so that nothing is torn from what it follows
_LETTERS = 4  # of a token, in scripts with spaces; in others a letter is a token
_WIDE = re.compile(r"[\u0e00-\u0eff\u1780-\u17ff\u2e80-\uffdc\U00020000-\U0003ffff]")
_HEADING = re.compile(r"#{1,6}[ \t]+(\S.*)")
_PARAGRAPH = re.compile(r"\n[ \t]*\n\s*")
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|(?<=[\u3002\uff01\uff1f])\s*|\n\s*")
_WORD = re.compile(r"\s+")
_LONGEST_HEADING = 120  # characters


@dataclass(frozen=True)
class Passage:
    """A part of a document: `text` is `parts[part][start:end]` of it.

    part: of the document, a page say, from 0. heading: the one that it stands under, or "". line: on which it begins,
    from 1, in its part.
    """

    part: int
    start: int
    end: int
    heading: str
    line: int
    text: str


def cut(text: str, part: int = 0, heading: str = "") -> tuple[list[Passage], str]:
    """The passages of one part of a document, and the heading under which it ends. heading: under which it begins."""
    passages: list[Passage] = []
    line, counted = 1, 0
    for start, end, found in _sections(text):
        heading = found or heading
        for first, last in _packed(text, start, end):
            line += text.count("\n", counted, first)
            counted = first
            passages.append(Passage(part, first, last, heading, line, text[first:last]))
    return passages, heading


def length(text: str) -> float:
    """About how many tokens a text has."""
    wide = len(_WIDE.findall(text))
    return wide + (len(text) - wide) / _LETTERS


def _sections(text: str) -> Iterator[tuple[int, int, str]]:
    """What stands between headings of Markdown, with the heading that it begins with, or ""."""
    starts = [match for match in re.finditer(r"^#.*", text, re.MULTILINE) if _HEADING.match(match[0])]
    edges = [0, *(match.start() for match in starts), len(text)]
    headings = ["", *(match[0].lstrip("# \t").strip()[:_LONGEST_HEADING] for match in starts)]
    for start, end, heading in zip(edges[:-1], edges[1:], headings, strict=True):
        if text[start:end].strip():
            yield start, end, heading


def _packed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Neighbouring pieces together, as long as they are no longer than a passage."""
    pieces: deque[tuple[int, int, float, float]] = deque()  # each with its length, and that of what stands before it
    size = gaps = 0.0
    for first, last in _pieces(text, start, end, (_PARAGRAPH, _SENTENCE, _WORD)):
        own, gap = length(text[first:last]), length(text[pieces[-1][1] : first]) if pieces else 0.0
        if pieces and (size + own > LENGTH or gaps + gap > GAPS):
            yield pieces[0][0], pieces[-1][1]
            while pieces and (max(size, gaps) > OVERLAP or size + own > LENGTH or gaps + gap > GAPS):
                size -= pieces.popleft()[2]
                gaps, gap = (gaps - pieces[0][3], gap) if pieces else (0.0, 0.0)
        pieces.append((first, last, own, gap))
        size += own
        gaps += gap
    if pieces:
        yield pieces[0][0], pieces[-1][1]


def _pieces(text: str, start: int, end: int, between: tuple[re.Pattern[str], ...]) -> Iterator[tuple[int, int]]:
    """What stands between these marks: between the next ones, where it would be longer than a passage."""
    if not between:  # a word as long as that
        step = LENGTH if _WIDE.search(text, start, end) else LENGTH * _LETTERS
        yield from ((first, min(first + step, end)) for first in range(start, end, step))
        return
    mark, *finer = between
    at = start
    for found in [*mark.finditer(text, start, end), None]:
        first, last = at, found.start() if found else end
        at = found.end() if found else end
        while first < last and text[first].isspace():
            first += 1
        while last > first and text[last - 1].isspace():
            last -= 1
        if first == last:
            continue
        if length(text[first:last]) <= LENGTH:
            yield first, last
        else:
            yield from _pieces(text, first, last, tuple(finer))
