"""OpenAI's own client takes what web/openai.js makes: its stream's parser, its loop that calls functions, its types."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from web.build import paths, pins

CALLS = [
    {"id": "call_a", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}},
    {"id": "call_b", "type": "function", "function": {"name": "now", "arguments": "{}"}},
]
EXPECTED: dict[str, tuple[str | None, list[dict[str, Any]] | None, str]] = {
    "text": ("It is warm.", None, "stop"),
    "cut": ("It", None, "length"),
    "calls": (None, CALLS, "tool_calls"),
    "both": ("Let me look.", CALLS, "tool_calls"),
}


@pytest.fixture(scope="module")
def found() -> Any:
    """What client.mjs found."""
    pins.node_modules(paths.WEB)
    program, _ = pins.node()
    script = Path(__file__).with_name("client.mjs")
    return json.loads(subprocess.run([program, script, paths.WEB], check=True, capture_output=True).stdout)


@pytest.mark.parametrize("name", EXPECTED)
def test_answers_whole_and_streamed(found: Any, name: str) -> None:
    content, calls, reason = EXPECTED[name]
    for way, silence in (("whole", None), ("streamed", "")):
        answer = found[way][name]
        assert answer["finish_reason"] == reason
        assert answer["message"]["content"] == (silence if content is None else content)
        assert answer["message"].get("tool_calls") == calls
    assert found["streamed"][name]["usage"]["prompt_tokens_details"] == {"cached_tokens": 4}


def test_functions_are_called_and_their_results_sent(found: Any) -> None:
    run = found["run"]
    assert run["called"] == [["weather", {"city": "Rome"}], ["now", {}]]
    assert run["last"] == "It is warm."
    first, second = run["sent"]
    assert first["sampling"]["tool_choice"] == "auto"
    *_, calling, one, other = second["messages"]
    assert [call["id"] for call in calling["tool_calls"]] == ["call_a", "call_b"]
    assert [(result["role"], result["tool_call_id"]) for result in (one, other)] == [
        ("tool", "call_a"),
        ("tool", "call_b"),
    ]


def test_the_types_of_the_client_take_every_chunk(found: Any, tmp_path: Path) -> None:
    """As literals, so that each member and each value counts. But they know of no thoughts."""
    program, _ = pins.node()
    types = (paths.WEB / "node_modules/openai/resources/chat/completions/completions.mjs").as_posix()
    lines = [f'import type {{ ChatCompletion, ChatCompletionChunk }} from "{types}";']
    for type, kind in (("ChatCompletionChunk", "chunks"), ("ChatCompletion", "wholes")):
        thoughts = re.compile(r'"reasoning_content": "[^"]*"(, )?')
        made = [thoughts.sub("", json.dumps(answer)) for answer in found["made"][kind]]
        assert len(made) > 3
        lines += [f"const {kind} = <T extends {type}>(made: T) => made;", *(f"{kind}({answer});" for answer in made)]
    source = tmp_path / "made.mts"

    def complaints(text: str) -> str:
        source.write_text(text)
        options = ["--noEmit", "--strict", "--skipLibCheck", "--target", "esnext", "--module", "nodenext"]
        tsc = paths.WEB / "node_modules/typescript/bin/tsc"
        return subprocess.run([program, tsc, *options, source], capture_output=True, text=True, check=False).stdout

    text = "\n".join(lines)
    assert complaints(text) == ""
    assert '"never"' in complaints(text.replace('"finish_reason": "tool_calls"', '"finish_reason": "never"'))
