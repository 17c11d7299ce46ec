"""Chat templates made to harm, in Pyodide as it runs under Node.js: its stack is small, and what overflows it ends the
interpreter with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chat.hostile import HARD, HOSTILE

pytestmark = pytest.mark.slow

PROGRAM = (
    (Path(__file__).parents[1] / "chat" / "hostile.py").read_text(encoding="utf-8")
    + """
import json, sys
from py_wgml.chat import ChatTemplate
from py_wgml.errors import WgmlError
from py_wgml.generate.parts import arguments_of
from py_wgml.grammar.schema import schema

def made(source):
    try:
        return ChatTemplate(source).render([{"role": "user", "content": " Hi "}], x=[1])
    except WgmlError as error:
        return "refused: " + str(error)

def told(source):
    print(source[:100], file=sys.stderr)  # the last one, if this ends here
    return made(source), made("{% for m in messages %}{{ m.role ~ ': ' ~ m.content | trim }}{% endfor %}")

def refused(read, text):
    try:
        return str(read(text))
    except WgmlError as error:
        return "refused: " + str(error)

DEEP = "[" * 100_000 + "]" * 100_000
called = {"id": "a", "type": "function", "function": {"name": "f", "arguments": DEEP}}
sent = [{"role": "assistant", "content": "", "tool_calls": [called]}]
deep = [
    refused(schema, DEEP),
    refused(arguments_of, called),
    refused(lambda messages: ChatTemplate("{{ messages }}").render(messages), sent),
]
cases = HOSTILE | {name: source for name, (source, _) in HARD.items()}
answer = json.dumps({"JSON": deep} | {name: told(source) for name, source in cases.items()})
"""
)


@pytest.fixture(scope="module")
def told(in_pyodide: Callable[[str], Any]) -> dict[str, list[str]]:
    """What comes of each template, and of a good one after it."""
    found: dict[str, list[str]] = in_pyodide(PROGRAM)
    return found


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_template_is_refused(name: str, told: dict[str, list[str]]) -> None:
    made, next_one = told[name]
    assert made.startswith("refused: ")
    assert "\n" not in made
    assert next_one == "user: Hi"


@pytest.mark.parametrize("name", HARD)
def test_hard_template_is_rendered(name: str, told: dict[str, list[str]]) -> None:
    assert told[name] == [HARD[name][1], "user: Hi"]


def test_json_that_is_nested_too_deeply_ends_nothing(told: dict[str, list[str]]) -> None:
    of_schema, of_call, of_message = told["JSON"]
    assert of_schema == "refused: JSON schema: it is no JSON: it is nested too deeply"
    assert of_call == "None"
    assert of_message.startswith("refused: ") and "not a JSON object" in of_message
