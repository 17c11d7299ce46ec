"""What is found: scores against bm25s, and how often the right passage is among the best, by words, vectors and both.

The text is the project's licence; tests/data/license.json has the questions, with the section that answers each, the
scores that bm25s 0.3.16 (method "lucene", k1 1.5, b 0.75) gives, and the vectors of all-MiniLM-L6-v2, as a page keeps
them.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from py_wgml.retrieval import Document, Library, Words, terms
from web.build import paths

DATA: dict[str, Any] = json.loads((paths.ROOT / "tests" / "data" / "license.json").read_text())
PROSE = " ".join(f"This is sentence number {i}, and it says little." for i in range(300))
LICENSE = Document("LICENSE", ((paths.ROOT / "LICENSE").read_text(),))
WIDTH = 384


def vectors(name: str) -> npt.NDArray[np.float64]:
    rows = np.frombuffer(base64.b64decode(DATA[name]), np.int8).reshape(-1, WIDTH).astype(np.float64)
    unit: npt.NDArray[np.float64] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def test_scores_are_those_of_bm25s() -> None:
    words = Words(passage.text for passage in Library().passages(LICENSE))
    for asked, truth in zip(DATA["questions"], DATA["bm25"], strict=True):
        # Lucene leaves out the factor k1 + 1, which all scores have.
        np.testing.assert_allclose(Words.scores([words], terms(asked["text"])) / 2.5, truth, atol=1e-5)


def test_scores_over_several_collections_are_those_of_one() -> None:
    texts = [passage.text for passage in Library().passages(LICENSE)]
    whole, parts = Words(texts), [Words(texts[:7]), Words([]), Words(texts[7:])]
    for asked in DATA["questions"]:
        question = terms(asked["text"])
        np.testing.assert_allclose(Words.scores(parts, question), Words.scores([whole], question))
    assert len(Words.scores([], ["word"])) == 0


def count(text: str) -> int:
    return len(text) // 4


def found(kind: str, room: int) -> int:
    """To how many questions the passages that are found have the section with the answer."""
    library = Library()
    passages = library.passages(LICENSE)
    right = 0
    for asked, vector in zip(DATA["questions"], vectors("asked"), strict=True):
        nearness = vectors("passages") @ vector
        if kind == "vectors":
            sizes = np.cumsum([count(passages[i].text) for i in np.argsort(-nearness)])
            got = [passages[i].text for i in np.argsort(-nearness)[sizes <= room]]
        else:
            chosen = library.find(asked["text"], [LICENSE], room, count, nearness if kind == "both" else None)
            assert [one.passage.start for one in chosen] == sorted(one.passage.start for one in chosen)
            got = [one.passage.text for one in chosen]
        assert 0 < sum(map(count, got)) <= room
        right += any(asked["answer"] in text for text in got)
    return right


@pytest.mark.parametrize(("kind", "least"), [("words", 8), ("vectors", 10), ("both", 11)])
def test_the_right_passage_is_among_the_best(kind: str, least: int) -> None:
    """Of twelve questions in other words than the text's; found is a fifth of it."""
    assert found(kind, 600) >= least


def test_where_no_word_tells_vectors_do() -> None:
    library = Library()
    documents = [Document(f"{name}.txt", (f"Notes on {name}.\n\n{PROSE}",)) for name in ("herons", "pumps", "kings")]
    passages = [passage for document in documents for passage in library.passages(document)]
    nearness = np.full(len(passages), 0.05)
    nearness[-2] = 0.95
    for question in ("Wie hei\u00dft der Reiher?", "zzz"):
        for room in (60, 10_000):
            chosen = library.find(question, documents, room, count, nearness)
            assert passages[-2] in [one.passage for one in chosen], (question, room)
    by_words = library.find("zzz", documents, 10_000, count)
    assert {one.document for one in by_words} == {0, 1, 2}  # nothing tells: the beginnings
    chosen = library.find("What is this document about?", documents, 60, count, nearness)
    assert [one.passage.start for one in chosen] == [0]


def test_a_full_context_is_not_looked_for_room_in() -> None:
    library, asked = Library(), []

    def counted(text: str) -> int:
        asked.append(text)
        return 50

    document = Document("a.txt", (PROSE * 40,))
    nearness = np.linspace(0, 1, len(library.passages(document)))
    assert len(nearness) > 500
    assert len(library.find("sentence", [document], 170, counted, nearness)) == 3
    assert len(asked) < 40


def test_a_question_about_the_whole_gets_the_beginning() -> None:
    library = Library()
    other = Document("b.txt", ("\n\n".join(f"Paragraph {i} is about something else." for i in range(200)),))
    for question in (
        "What is this document about?",
        "Summarize the text.",
        "Worum geht es?",
        "De quoi parle ce document ?",
        "",
    ):
        got = library.find(question, [LICENSE, other], 500, count)
        assert [(one.document, one.passage.start) for one in got if one.passage.line < 4], question
        assert {one.document for one in got} == {0, 1}


def test_a_short_question_goes_on_from_the_one_before() -> None:
    library = Library()
    text = "\n\n".join(f"The {animal} eats {food}. " + "It sleeps well. " * 40 for animal, food in PAIRS)
    animals = Document("animals.txt", (text,))
    [one] = library.find("And what does it eat?", [animals], 200, count, before="Tell me of the heron")
    assert "heron" in one.passage.text


PAIRS = [("heron", "fish"), ("badger", "roots"), ("owl", "mice"), ("hare", "grass"), ("shrew", "worms")] * 6


def test_terms() -> None:
    assert terms("The Costs: \uff21\uff22 caf\u00e9s, glass!") == ["the", "cost", "ab", "caf\u00e9", "glass"]
    assert terms("\u6f22\u5b57\u304c ok \u3042") == ["\u6f22\u5b57", "\u5b57\u304c", "ok", "\u3042"]
    assert terms("\U0001f600 -- !?") == []
