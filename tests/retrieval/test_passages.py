"""Passages: nothing is lost between them, and none is longer than it may be, whatever the text."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import pairwise

import pytest

from py_wgml.retrieval import Document, Library, cut
from py_wgml.retrieval.passages import GAPS, LENGTH, length

PROSE = " ".join(f"This is sentence number {i}, and it says little." for i in range(300))
TEXTS = {
    "prose": PROSE,
    "paragraphs": "\n\n".join(PROSE[i : i + 300] for i in range(0, 6000, 300)),
    "lines": "\n".join(f"{i},name {i},{i * 7}" for i in range(500)),
    "a word": "a" * 20_000,
    "Chinese": "\u8fd9\u662f\u4e00\u4e2a\u5f88\u957f\u7684\u53e5\u5b50\u3002" * 300,
    "Thai": "\u0e01\u0e47\u0e02\u0e49\u0e32" * 2000,
    "headings": "".join(f"# Part {i}\n\nWhat part {i} says.\n\n" for i in range(50)),
    "spaces": " \n\t " * 1000,
    "nothing": "",
    "wide gaps": "x\n" + ("\n" * 3000 + "y") * 5,
    "a wide table": "".join(f"{'name ' + str(i):280}{i * 7:20}\n" for i in range(300)),
    "outside the first plane": "\U0001f600 smile. " * 2000,
}


@pytest.mark.parametrize("name", TEXTS)
def test_all_of_a_text_is_in_its_passages(name: str) -> None:
    text = TEXTS[name]
    passages, _ = cut(text)
    covered, end = 0, 0
    for passage in passages:
        assert text[passage.start : passage.end] == passage.text == passage.text.strip() != ""
        assert length(passage.text) <= LENGTH + GAPS
        assert not text[end : passage.start].strip()  # nothing is left out
        assert passage.end > end  # each says something new
        end = passage.end
        assert passage.line == text.count("\n", 0, passage.start) + 1
        covered += 1
    assert not text[end:].strip()
    assert bool(covered) == bool(text.strip())


def test_passages_overlap_and_know_their_heading() -> None:
    passages, last = cut(f"Before.\n\n# One\n\n{PROSE}\n\n## Two #\n\nThe end.")
    assert [passages[0].heading, passages[1].heading, passages[-1].heading, last] == ["", "One", "Two #", "Two #"]
    one = [passage for passage in passages if passage.heading == "One"]
    assert len(one) > 3
    assert all(after.start < before.end for before, after in pairwise(one))
    assert passages[-1].text == "## Two #\n\nThe end."


def test_pages_go_on_under_the_heading_before_them() -> None:
    first, second = Library().passages(Document("a.pdf", ("# Terms\nOne.", "Two.")))
    assert [(first.part, first.heading), (second.part, second.heading)] == [(0, "Terms"), (1, "Terms")]


def test_rows_of_a_table_know_its_first() -> None:
    rows = "".join(f"{i};{i * 3}\n" for i in range(800))
    passages = Library().passages(Document("Sales.CSV", (f"year;pieces\n{rows}",)))
    assert len(passages) > 5
    assert {passage.heading for passage in passages} == {"year;pieces"}


def test_what_is_made_of_a_document_is_kept() -> None:
    library, document = Library(), Document("a", (PROSE,))
    assert library.passages(document) is library.passages(Document("a", (PROSE,)))
    for i in range(20):
        library.passages(Document(f"{i}", ("text",)))
    assert library.passages(document) is not library.passages(Document("b", (PROSE,)))


_CUTS = "import sys; from py_wgml.retrieval import cut; print(len(cut(sys.argv[1] * int(sys.argv[2]))[0]))"


@pytest.mark.parametrize("text", ["# ", "#", "\n#", "a\n\n", " \n", "\u3002", "\u6f22", "a. ", "a\u0301"])
def test_the_time_is_in_proportion_to_the_length(text: str) -> None:
    """Of a million characters: their square would take hours."""
    command = [sys.executable, "-c", _CUTS, text, str(1_000_000 // len(text))]
    found = subprocess.run(command, capture_output=True, text=True, timeout=200, check=True)
    assert int(found.stdout) <= 1_000_000 // 100


def test_it_is_plain_text_whatever_it_looks_like() -> None:
    """A heading needs its space, and marks of other kinds are none."""
    passages, _ = cut("#tag\n####### seven\n#\n# Real\ntext")
    assert [passage.heading for passage in passages] == ["", "Real"]
    assert re.fullmatch(r"#tag\n####### seven\n#", passages[0].text)
