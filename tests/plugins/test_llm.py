"""The plugin for `llm`, with llm itself: answers, conversations, forms, tools, both kinds of model."""

from __future__ import annotations

import asyncio
import json
from functools import partialmethod
from pathlib import Path
from typing import Any, Literal

import llm
import pytest
import tiny

import py_wgml
from py_wgml.downloads import hub_folder
from py_wgml.errors import WgmlError
from py_wgml.plugins.llm import Asked, AskedAsync, register_models

SCHEMA = {"type": "object", "properties": {"warm": {"type": "boolean"}}, "required": ["warm"]}


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What names a tiny model, and has it say the same again."""
    model = tiny.write_tiny_llama(tmp_path_factory.mktemp("llm") / "tiny.gguf")
    return {"model": str(model), "temperature": 0.0, "max_tokens": 8}


@pytest.fixture
def model() -> Asked:
    return Asked("")


def test_an_answer_comes_piece_by_piece_and_tells_what_it_took(model: Asked, options: dict[str, Any]) -> None:
    response = model.prompt("hello", system="Be odd.", **options)
    pieces = list(response)
    assert len(pieces) > 1
    assert response.text() == "".join(pieces)
    assert response.usage().output == 8
    assert (response.usage().input or 0) > 8


def test_a_conversation_is_sent_as_a_whole(model: Asked, options: dict[str, Any]) -> None:
    talk = model.conversation()
    first = talk.prompt("hello", **options)
    first.text()
    second = talk.prompt("again", **options)
    second.text()
    assert (second.usage().input or 0) > (first.usage().input or 0) + 8, "the answer before is part of it"


def test_both_kinds_say_the_same(options: dict[str, Any]) -> None:
    async def ask() -> tuple[str, list[str]]:
        response = AskedAsync("").prompt("hello", **options)
        pieces = [piece async for piece in response]
        return await response.text(), pieces

    text, pieces = asyncio.run(ask())
    assert text == "".join(pieces) == Asked("").prompt("hello", **options).text()
    assert len(pieces) > 1


def test_an_answer_fits_its_schema(model: Asked, options: dict[str, Any]) -> None:
    answer = model.prompt("Is it warm?", schema=SCHEMA, **options | {"max_tokens": 40})
    assert json.loads(answer.text())["warm"] in (True, False)


def test_results_of_tools_go_back_to_the_model(model: Asked, options: dict[str, Any]) -> None:
    """The tiny model calls nothing by itself: what it is told of a call that was made is what counts."""

    def warm(city: str) -> str:
        """Whether it is warm."""
        return "no"

    prompt = model.prompt(
        messages=[
            llm.user("Warm in Rome?"),
            llm.parts.Message("assistant", [llm.parts.ToolCallPart("warm", {"city": "Rome"}, tool_call_id="c1")]),
            llm.parts.Message("tool", [llm.parts.ToolResultPart("warm", "no, cold", tool_call_id="c1")]),
        ],
        tools=[warm],
        **options,
    )
    prompt.text()
    without = model.prompt("Warm in Rome?", **options)
    without.text()
    assert (prompt.usage().input or 0) > (without.usage().input or 0) + 20


def test_what_the_model_calls_is_called(model: Asked, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A tiny model calls when it has to."""
    called: list[str] = []

    def look(city: Literal["Rome"]) -> str:
        """Tells whether it is warm."""
        called.append(city)
        return "no, cold"

    tool = llm.Tool(
        "look", "", {"type": "object", "properties": {"city": {"const": "Rome"}}, "required": ["city"]}, look
    )
    generate: Any = py_wgml.SyncModel.generate
    required = partialmethod(generate, tool_choice="required")
    monkeypatch.setattr(py_wgml.SyncModel, "generate", required)
    response = model.prompt("Warm in Rome?", tools=[tool], **options | {"max_tokens": 60})
    [result] = response.execute_tool_calls()
    assert (result.name, result.output, called) == ("look", "no, cold", ["Rome"])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"model": "/none.gguf"}, "can't open /none.gguf"),
        ({"top_p": 7.0}, "top_p"),
        ({"attachments": True}, "does not support attachments"),
    ],
)
def test_what_is_wrong_is_said(change: dict[str, Any], says: str, model: Asked, options: dict[str, Any]) -> None:
    attached = change.pop("attachments", False)
    given: dict[str, Any] = {"attachments": [llm.Attachment(type="image/png", content=b"")]} if attached else {}
    with pytest.raises((WgmlError, ValueError), match=says):
        model.prompt("hello", **given, **options | change).text()


def test_files_that_are_kept_are_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    folder = hub_folder() / "models--owner--repo"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("c0ffee")
    (folder / "snapshots" / "c0ffee" / "big").mkdir(parents=True)
    for name in ("m.gguf", "mmproj-m.gguf", "README.md", "big/m-00001-of-00002.gguf", "big/m-00002-of-00002.gguf"):
        (folder / "snapshots" / "c0ffee" / name).touch()
    found: list[str] = []
    register_models(lambda *models: found.extend(model.model_id for model in models))
    names = ["py_wgml", "py_wgml/owner/repo/big/m-00001-of-00002.gguf", "py_wgml/owner/repo/m.gguf"]
    assert sorted(set(found)) == names
