"""gpt-oss's format: every legal answer, and what models make of it, is parted into thoughts, text and calls."""

from __future__ import annotations

import pytest

from py_wgml.chat.harmony import HarmonySplitter, as_generated
from py_wgml.generate.parts import Part

START = "<|start|>assistant"
THOUGHT = "<|channel|>analysis<|message|>why<|end|>"
FINAL = "<|channel|>final<|message|>so"
CALL = '<|channel|>commentary to=functions.weather <|constrain|>json<|message|>{"city": "Rome"}<|call|>'
ROLE_CALL = " to=functions.x<|channel|>commentary json<|message|>{}<|call|>"
WEATHER, X = '@weather{"city": "Rome"}', "@x{}"  # how these tests write what was called
PREAMBLE = "<|channel|>commentary<|message|>Let me look.<|end|>"


def split(text: str, prompt: str = START, begun: str = "", size: int = 1) -> tuple[str, str]:
    splitter = HarmonySplitter("<|start|>user<|message|>Hi<|end|>" + prompt, begun)
    part = Part()
    for start in range(0, len(text), size):
        part += splitter.push(text[start : start + size])
    part += splitter.flush()
    assert [call.index for call in part.calls] == [*range(len(part.calls))]
    assert len({call.id for call in part.calls}) == len(part.calls)
    return part.reasoning, part.text + "".join(f"@{call.name}{call.arguments}" for call in part.calls)


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("text", "reasoning", "answer"),
    [
        (THOUGHT + START + FINAL, "why", "so"),
        (THOUGHT + START + FINAL + "<|return|>", "why", "so"),
        (FINAL, "", "so"),
        (FINAL + "<|end|>", "", "so"),
        (THOUGHT + START + PREAMBLE + START + FINAL, "why", "Let me look.\n\nso"),
        (THOUGHT + START + THOUGHT + START + FINAL, "why\n\nwhy", "so"),
        (THOUGHT + START + CALL, "why", WEATHER),
        (THOUGHT + START + ROLE_CALL, "why", X),
        (CALL, "", WEATHER),
        (ROLE_CALL, "", X),
        (PREAMBLE + START + CALL, "", "Let me look." + WEATHER),
        (CALL + START + ROLE_CALL + START + FINAL, "", "so" + WEATHER + X),
        (
            "<|channel|>analysis to=python code<|message|>1<|call|>",
            "",
            "@python1",
        ),
        ("<|channel|>final <|constrain|>json<|message|>{}", "", "{}"),
        # Stopped on the way.
        ("<|channel|>analysis<|message|>wh", "wh", ""),
        ("<|channel|>analysis<|message|>a <|en", "a <|en", ""),
        ("<|channel|>comm", "", ""),
        (THOUGHT + START, "why", ""),
        (THOUGHT + START + "<|channel|>final", "why", ""),
        (
            "<|channel|>commentary to=functions.weather <|con",
            "",
            START + "<|channel|>commentary to=functions.weather <|con",
        ),
        (CALL[:-12], "", WEATHER[:-4]),
        # Not as it should be.
        ("<|message|>so", "", "so"),
        ("so", "", "so"),
        ("finally so", "", "finally so"),
        ("final<|message|>so", "", "so"),
        (THOUGHT + START + "<|message|>so", "why", "so"),
        ("<|channel|>analysis<|message|>why" + FINAL, "why", "so"),
        ("<|channel|>analysis<|message|>why" + START + FINAL, "why", "so"),
        ("<|channel|>final<|end|>" + START + FINAL, "", "so"),
        (FINAL + "<|end|><|start|>user<|message|>more", "", "so<|start|>user<|message|>more"),
        ("<|channel|>final<|message|>a < b <|x|>", "", "a < b <|x|>"),
    ],
)
def test_split(size: int, text: str, reasoning: str, answer: str) -> None:
    assert split(text, size=size) == (reasoning, answer)


@pytest.mark.parametrize(
    ("open", "text", "parts"),
    [
        ("<|channel|>analysis<|message|>", "why<|end|>" + START + FINAL, ("why", "so")),
        ("<|channel|>final<|message|>", "so", ("", "so")),
        ("<|channel|>final<|message|>so", " far", ("", " far")),
        ("<|channel|>analysis<|message|>wh", "y", ("y", "")),
        (THOUGHT + START + FINAL, " far", ("", " far")),
        (THOUGHT + START + CALL[:-12], 'me"}<|call|>', ("", WEATHER)),
        ("<|channel|>", "final<|message|>so", ("", "so")),
    ],
)
def test_an_open_message_goes_on(open: str, text: str, parts: tuple[str, str]) -> None:
    assert split(text, START + open) == split(text, begun=open) == parts


def test_what_is_endless_is_text() -> None:
    reasoning, text = split("<|channel|>" + "x" * 2000)
    assert reasoning == "" and text.endswith("x" * 2000)


@pytest.mark.parametrize(
    "text",
    [
        THOUGHT + START + FINAL,
        FINAL,
        "<|channel|>analysis<|message|>wh",
        "<|channel|>commentary to=functions.weather <|con",
        THOUGHT + START + PREAMBLE + START + "<|channel|>commentary to=functions.weather <|con",
    ],
)
def test_going_on_restores_what_was_generated(text: str) -> None:
    assert as_generated(*split(text), START) == text
    channel = START + "<|channel|>analysis<|message|>"
    if text.startswith("<|channel|>analysis<|message|>"):
        assert START + as_generated(*split(text), START) == channel + as_generated(*split(text), channel)
