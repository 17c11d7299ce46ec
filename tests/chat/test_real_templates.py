"""Real templates against jinja2 without our bounds, where llama.cpp's sources (PY_WGML_LLAMA_CPP: a folder) are at
hand: none is so elaborate that the sandbox stops it or renders it otherwise.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from chat.rendering import unbounded

from py_wgml.chat import ChatTemplate
from py_wgml.errors import WgmlError

FILES = sorted(Path(os.environ.get("PY_WGML_LLAMA_CPP", "absent")).glob("models/templates/*.jinja"))
SYSTEM, USER = {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi <b>"}
WEATHER = {"type": "object", "properties": {"city": {"type": "string", "enum": ["Paris"]}}, "required": ["city"]}
TOOL = {"type": "function", "function": {"name": "weather", "description": "It.", "parameters": WEATHER}}
CALL = {"id": "abcdefghi", "type": "function", "function": {"name": "weather", "arguments": {"city": "Paris"}}}
CASES: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "user": ([USER], {}),
    "system": ([SYSTEM, USER], {}),
    "turns": ([USER, {"role": "assistant", "content": "<think>hm</think>Yes"}, USER], {}),
    "reasoning": ([USER, {"role": "assistant", "content": "4", "reasoning_content": "2 + 2"}, USER], {}),
    "thinking": ([USER], {"enable_thinking": True, "thinking": True}),
    "no thinking": ([USER], {"enable_thinking": False}),
    "tools": ([SYSTEM, USER], {"tools": [TOOL]}),
    "a call": (
        [
            USER,
            {"role": "assistant", "content": "", "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "abcdefghi", "name": "weather", "content": '{"t": 20}'},
        ],
        {"tools": [TOOL]},
    ),
}


@pytest.mark.skipif(not FILES, reason="needs PY_WGML_LLAMA_CPP")
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_same_as_without_bounds(file: Path) -> None:
    source = file.read_text(encoding="utf-8")
    template = ChatTemplate(source, "<s>", "</s>")
    for messages, variables in CASES.values():
        expected = unbounded(source, messages, variables)
        try:
            text = template.render(messages, **variables)
        except WgmlError as error:
            # Two of them want variables that nobody gives.
            assert expected is None, error  # noqa: PT017
            continue
        words = ("Be brief.", "Hi <b>", "Yes", "Paris")
        given = str((messages, variables))
        assert all(word in text for word in words if word in given)
        switch = template._can.switch[0]
        if "tools" in variables and "tools" not in source:
            continue  # the system tells of them
        if "enable_thinking" in variables and switch and switch.variable != "enable_thinking":
            continue  # it was told in another way
        if expected is not None and all(expected.count(word) >= given.count(word) for word in words):
            assert text == expected or "Be brief.\n\nHi <b>" in text  # folded in
