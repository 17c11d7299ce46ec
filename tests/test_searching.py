"""What the page asks about documents, in CPython: with a chat model alone, and with one that embeds beside it."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from test_session import Page, is_alive, page

__all__ = ["page"]

LONG = "\n\n".join(f"Fact {i}: this bird likes {food} and nothing else. " * 4 for i, food in enumerate("abcdef"))
ASKED = {"question": "What does the heron eat?", "before": ""}
HERON = "The heron eats fish, and stands in the water all day. " * 4
DOCUMENT = {"name": "birds.txt", "parts": [LONG, HERON, LONG]}


def test_long_documents_are_searched_and_short_ones_are_not(page: Any) -> None:
    async def test(page: Page) -> None:
        [error] = await page.ask("consult", **ASKED, documents=[DOCUMENT])
        assert (error["type"], error["message"]) == ("error", "no model is loaded")
        await page.load(context=256)
        [found] = await page.ask("consult", **ASKED, documents=[{"name": "a", "parts": ["short"]}])
        assert (found["fits"], found["passages"]) == (True, [])
        [found] = await page.ask("consult", **ASKED, documents=[{"name": "a", "parts": ["short"]}, DOCUMENT])
        assert found["fits"] is False
        assert (found["passages"][0]["document"], found["passages"][0]["part"]) == (1, 1)
        assert found["passages"][0]["text"] == HERON.strip()
        [cut] = await page.ask("cut", document=DOCUMENT)
        assert HERON.strip() in cut["texts"] and len(cut["texts"]) > 4
        await is_alive(page)

    page(test)


def test_a_model_beside_the_other_makes_vectors(page: Any) -> None:
    async def test(page: Page) -> None:
        await page.load(context=256)
        before = page.answers[-1]["gpu_bytes"]
        [error] = await page.ask("embed", texts=["a"], beside=True)
        assert error["message"] == "no model is loaded beside the other one"
        ready = await page.load("bert.gguf", beside=True)
        assert (ready["type"], ready["model"]["kind"]) == ("ready", "embedding")
        assert ready["gpu_bytes"] > before
        await is_alive(page)
        [cut] = await page.ask("cut", document=DOCUMENT)
        [made] = await page.ask("embed", texts=cut["texts"], beside=True)
        rows = np.frombuffer(made["vectors"], np.float32).reshape(-1, made["width"])
        assert len(rows) == len(cut["texts"])
        [vector] = await page.ask("embed", texts=[ASKED["question"]], beside=True)
        # Of the passages, one is given the question's own vector.
        kept = rows.copy()
        kept[-1] = np.frombuffer(vector["vectors"], np.float32)
        data = np.round(127 * kept / np.abs(kept).max(axis=1, keepdims=True)).astype(np.int8)
        document = {**DOCUMENT, "vectors": base64.b64encode(data.tobytes()).decode()}
        [found] = await page.ask("consult", question="zzz", documents=[document])
        assert not found["fits"]
        [found] = await page.ask("consult", **ASKED, documents=[document])
        assert cut["texts"][-1] in [one["text"] for one in found["passages"]]
        # Of another model, or none: words alone find.
        for vectors in ("AAAA", None, ""):
            [found] = await page.ask("consult", **ASKED, documents=[{**DOCUMENT, "vectors": vectors}])
            assert found["passages"][0]["text"] == HERON.strip()

    page(test)


def test_another_chat_model_takes_the_room_of_the_one_beside_it(page: Any) -> None:
    async def test(page: Page) -> None:
        await page.load()
        await page.load("bert.gguf", beside=True)
        assert page.session._beside is not None
        for name in ("tiny.gguf", "bert, reranker.gguf"):  # which makes no vectors
            error = await page.load(name, beside=True)
            assert (error["type"], error["loaded"]) == ("error", True)
            assert "makes no vectors" in error["message"]
        assert page.session._beside is not None
        await page.load()
        assert page.session._beside is None
        await is_alive(page)

    page(test)


@pytest.mark.parametrize(
    ("type", "message", "told"),
    [
        ("consult", {"documents": []}, "question is None, not text"),
        ("consult", {"question": "a", "documents": 5}, "documents is the int 5, not a list"),
        ("consult", {"question": "a", "documents": [{"name": "a"}]}, "documents[0].parts is None, not a list"),
        (
            "consult",
            {"question": "a", "documents": [{"name": "a", "parts": [5]}]},
            "documents[0].parts[0] is the int 5",
        ),
        ("consult", {"question": "a", "documents": [{"name": "a", "parts": [], "vectors": 5}]}, "vectors is the int 5"),
        ("consult", {"question": "a"}, "documents is None, not a list"),
        ("cut", {}, "document.parts is None"),
        ("cut", {"document": "a"}, "document is the str 'a', not an object"),
    ],
)
def test_what_is_no_document_is_told(page: Any, type: str, message: dict[str, Any], told: str) -> None:
    async def test(page: Page) -> None:
        await page.load()
        [error] = await page.ask(type, **message)
        assert (error["type"], error["stage"]) == ("error", type)
        assert told in error["message"]
        assert not page.reports

    page(test)
