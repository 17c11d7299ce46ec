"""What is asked for in OpenAI's words, and the shape of what is answered: probabilities, several answers, figures."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from py_wgml.ops import Sampling
from py_wgml.requests import AnswerOptions
from web.build import paths, pins

SAMPLING = set(Sampling.__dataclass_fields__) | {"max_tokens", "stop", "logprobs", "top_logprobs"}
# What is given -> the options that the engine gets, or what is said of it.
ASKED: dict[str, tuple[dict[str, Any], dict[str, Any] | str]] = {
    "nothing": ({}, {}),
    "what there is": (given := dict.fromkeys(sorted(SAMPLING), 1), given),
    "the most tokens": ({"max_tokens": 5, "max_completion_tokens": 6}, {"max_tokens": 6}),
    "effort": ({"reasoning_effort": "low"}, {"chat_template_kwargs": {"reasoning_effort": "low"}}),
    "what changes nothing": (
        {
            "n": 1,
            "user": "me",
            "metadata": {"a": "b"},
            "store": False,
            "logprobs": False,
            "model": "gpt",
            "modalities": ["text"],
            "response_format": {"type": "text"},
            "service_tier": "auto",
            "verbosity": "medium",
        },
        {"logprobs": False},
    ),
    "none of it": (
        dict.fromkeys(["n", "audio", "store", "seed", "stop", "stream", "top_logprobs"]),
        dict.fromkeys(["seed", "stop", "top_logprobs"]),
    ),
    "any JSON": ({"response_format": {"type": "json_object"}}, {"schema": {"type": "object"}}),
    "a schema": (
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "a", "strict": True, "schema": {"type": "null"}},
            }
        },
        {"schema": {"type": "null"}},
    ),
    "a schema without one": (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "a"}}},
        "TypeError: response_format.json_schema has no schema",
    ),
    "another format": (
        {"response_format": {"type": "xml"}},
        'TypeError: response_format has a type that is none of "text", "json_object" and "json_schema"',
    ),
    "forms": ({"regex": "a+", "choices": None}, {"regex": "a+", "choices": None}),
    "audio": ({"audio": {"voice": "ash"}}, "TypeError: not supported: audio"),
    "several": (
        {"store": True, "colour": 1, "modalities": ["audio"]},
        "TypeError: not supported: store, colour, modalities",
    ),
    "no answers": ({"n": 0}, "TypeError: n is not a whole number from 1 to 128"),
    "answers by name": ({"n": "2"}, "TypeError: n is not a whole number from 1 to 128"),
    "stream": ({"stream": 1}, "TypeError: stream is neither true nor false"),
}


@pytest.fixture(scope="module")
def found() -> Any:
    """What completions.mjs found."""
    program, _ = pins.node()
    script = Path(__file__).with_name("completions.mjs")
    given = json.dumps([[name, given] for name, (given, _) in ASKED.items()])
    done = subprocess.run([program, script, paths.WEB, given], check=True, capture_output=True)
    return json.loads(done.stdout)


def test_every_sampler_can_be_asked_for(found: Any) -> None:
    assert {*AnswerOptions.__annotations__} >= SAMPLING
    assert {*found["asked"]["what there is"]["options"][0]} == SAMPLING


@pytest.mark.parametrize("name", ASKED)
def test_what_is_asked_for(found: Any, name: str) -> None:
    _, expected = ASKED[name]
    got = found["asked"][name]
    if isinstance(expected, str):
        assert got == expected
    else:
        assert got["options"] == [expected] and not got["isStream"] and not got["withUsage"]


def likely(text: str, logprob: float) -> dict[str, Any]:
    return {"token": text, "bytes": [*text.encode()], "logprob": logprob, "top_logprobs": []}


TOKENS = [likely("a", -1), likely("b", -2), likely("c", -3)]
USAGE = {
    "prompt_tokens": 12,
    "completion_tokens": 9,
    "total_tokens": 21,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"accepted_prediction_tokens": 6, "rejected_prediction_tokens": 9},
}


def test_several_answers_with_probabilities(found: Any) -> None:
    whole = found["whole"]
    assert [choice["index"] for choice in whole["choices"]] == [0, 1, 2]
    assert [choice["message"]["content"] for choice in whole["choices"]] == ["1c", "2c", "3c"]
    assert all(choice["logprobs"] == {"content": TOKENS, "refusal": None} for choice in whole["choices"])
    assert whole["usage"] == USAGE
    assert found["plain"]["choices"][0]["logprobs"] is None
    assert found["options"] == {"seed": 4294967295, "logprobs": True, "top_logprobs": 2}
    assert found["seeds"] == [[4294967295, 0, 1]] * 2


def test_what_json_says(found: Any) -> None:
    """And what was cut off says nothing."""
    messages = [choice["message"] for choice in found["parsed"]["choices"]]
    assert [message["parsed"] for message in messages] == [{"a": 1}, None]
    assert "parsed" not in found["plain"]["choices"][0]["message"]


def test_their_chunks_say_the_same(found: Any) -> None:
    *chunks, last = found["streamed"]
    assert (last["choices"], last["usage"]) == ([], USAGE)
    assert len({chunk["id"] for chunk in [*chunks, last]}) == 1
    for index in range(3):
        choices = [chunk["choices"][0] for chunk in chunks if chunk["choices"][0]["index"] == index]
        assert choices[0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
        assert [choice["finish_reason"] for choice in choices] == [None] * (len(choices) - 1) + ["stop"]
        assert "".join(choice["delta"].get("content", "") for choice in choices) == f"{index + 1}c"
        assert "".join(choice["delta"].get("reasoning_content", "") for choice in choices) == "r"
        told = [choice["logprobs"] for choice in choices]
        assert [token for each in told if each for token in each["content"]] == TOKENS
    order = [chunk["choices"][0]["index"] for chunk in chunks]
    assert order == sorted(order)


def test_who_leaves_stops_the_answer_and_those_to_come(found: Any) -> None:
    assert found["left"] == [1, 1]
