"""Questions about documents, for the page: whether the model can read them whole, and else which passages it should."""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import WgmlError
from .findings import Consulted, Passages
from .model import Model
from .retrieval import Document, Library
from .values import listed, mapping, text

_WHOLE = 2  # documents have this part of the context, at most: the rest is the conversation's
_ROOM = 3  # and passages this one
_MOST_ROOM = 1800  # tokens; more would be slow to read, and tell a small model less
_CHUNK = 1 << 14  # characters that are counted at once


class Searching:
    """Answers what is asked about documents."""

    def __init__(self) -> None:
        self._library = Library()

    async def reply(
        self, model: Model, beside: Model | None, id: int, request: Mapping[str, Any]
    ) -> Passages | Consulted:
        """The reply to a request of findings.py. beside: the model that embeds, if there is one. Raises WgmlError for
        what can't be answered."""
        if request["type"] == "cut":
            document, _ = _document("document", request.get("document"))
            return {"type": "passages", "id": id, "texts": [found.text for found in self._library.passages(document)]}
        question, before = text("question", request.get("question")), text("before", request.get("before") or "")
        given = [
            _document(f"documents[{i}]", item) for i, item in enumerate(listed("documents", request.get("documents")))
        ]
        documents = [document for document, _ in given]

        def count(text: str, enough: int) -> int:
            """How many tokens a text has; no more are counted than it takes to exceed `enough`."""
            total = 0
            for start in range(0, len(text), _CHUNK):
                total += len(model.tokenizer.encode(text[start : start + _CHUNK], add_special=False))
                if total > enough:
                    break
            return total

        left = model.context // _WHOLE
        for part in (part for document in documents for part in document.parts):
            left -= count(part, left)
            if left < 0:
                break
        else:
            return {"type": "consulted", "id": id, "fits": True, "passages": []}
        room = min(model.context // _ROOM, _MOST_ROOM)
        nearness = await self._nearness(beside, question, given) if beside else None
        found = self._library.find(question, documents, room, lambda text: count(text, room), nearness, before)
        return {
            "type": "consulted",
            "id": id,
            "fits": False,
            "passages": [
                {
                    "document": one.document,
                    "part": one.passage.part,
                    "line": one.passage.line,
                    "heading": one.passage.heading,
                    "text": one.passage.text,
                }
                for one in found
            ],
        }

    async def _nearness(
        self, beside: Model, question: str, given: list[tuple[Document, str | None]]
    ) -> npt.NDArray[np.float64] | None:
        """The cosine of each passage's vector with the question's: float64 [n], NaN where there is none."""
        if not any(vectors for _, vectors in given):
            return None
        asked = (await beside.embed([question]))[0].astype(np.float64)
        found = []
        for document, vectors in given:
            count = len(self._library.passages(document))
            rows = _vectors(vectors, len(asked)) if vectors else None
            fits = rows is not None and len(rows) == count
            found.append(rows @ asked if fits and rows is not None else np.full(count, np.nan))
        return np.concatenate(found)


def _document(name: str, value: Any) -> tuple[Document, str | None]:
    given = mapping(name, value)
    parts = tuple(
        text(f"{name}.parts[{i}]", part) for i, part in enumerate(listed(f"{name}.parts", given.get("parts")))
    )
    vectors = given.get("vectors")
    return Document(text(f"{name}.name", given.get("name")), parts), None if vectors is None else text(
        "vectors", vectors
    )


def _vectors(written: str, width: int) -> npt.NDArray[np.float64] | None:
    """Those of a GivenDocument, each of length 1: float64 [n, width]; None where they are another model's."""
    try:
        data = np.frombuffer(base64.b64decode(written, validate=True), np.int8)
    except ValueError:  # what is no base64, and what is no ASCII
        raise WgmlError("the vectors of a document are not in base64") from None
    if len(data) % width:
        return None
    rows = data.reshape(-1, width).astype(np.float64)
    unit: npt.NDArray[np.float64] = rows / np.maximum(1e-9, np.linalg.norm(rows, axis=1, keepdims=True))
    return unit
