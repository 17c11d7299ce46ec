"""Reasoning blocks: the same parts however the text is cut, and text without a block untouched."""

import pytest

from py_wgml.chat import ReasoningSplitter, as_generated


def split(text, prompt="", size=1):
    splitter = ReasoningSplitter(prompt)
    parts = [splitter.push(text[i : i + size]) for i in range(0, len(text), size)] + [splitter.flush()]
    return "".join(part[0] for part in parts), "".join(part[1] for part in parts)


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("prompt", "text", "reasoning", "answer"),
    [
        ("", "Paris.", "", "Paris."),
        ("", "<b>not a mark</b>", "", "<b>not a mark</b>"),
        ("", "A <think> in the middle", "", "A <think> in the middle"),
        ("", "<think>\na < b </thin\n</think>\n\nYes.", "\na < b </thin\n", "\n\nYes."),
        ("", "\n<thinking>why</thinking>so", "why", "so"),
        ("assistant\n<think>\n", "why</think>so", "why", "so"),
        ("", "<think>unfinished </", "unfinished </", ""),
        ("", "<thi", "", "<thi"),
        (
            "<|start|>assistant",
            "<|channel|>analysis<|message|>why<|end|><|start|>assistant<|channel|>final<|message|>so",
            "why",
            "so",
        ),
        ("<|start|>assistant", "<|channel|>final<|message|>so<|end|>", "", "so<|end|>"),
        ("<|start|>assistant", "<|channel|>commentary", "", "<|channel|>commentary"),
    ],
)
def test_split(size, prompt, text, reasoning, answer):
    assert split(text, prompt, size) == (reasoning, answer)


def test_nothing_is_held_back_longer_than_need_be():
    splitter = ReasoningSplitter()
    assert splitter.push("Pa") == ("", "Pa")
    assert splitter.push("<think>") == ("", "<think>")
    splitter = ReasoningSplitter()
    assert splitter.push("<think>a </t") == ("a ", "")
    assert splitter.push("b") == ("</tb", "")


def test_going_on_in_the_format_of_gpt_oss():
    final = "<|channel|>final<|message|>"
    text = f"<|channel|>analysis<|message|>why<|end|><|start|>assistant{final}so"
    message = {"role": "assistant", "content": "so", "reasoning_content": "why"}
    assert as_generated(message, "<|start|>assistant") == text
    assert as_generated({"role": "assistant", "content": "so"}, "<|start|>assistant") == final + "so"


@pytest.mark.parametrize("prompt", ["assistant\n", "assistant\n<think>\n"])
@pytest.mark.parametrize("text", ["why</think>\nso", "why"])
def test_going_on_restores_what_was_generated(prompt, text):
    text = text if "think" in prompt else "<think>" + text
    reasoning, content = split(text, prompt)
    assert as_generated({"role": "assistant", "content": content, "reasoning_content": reasoning}, prompt) == text
    assert as_generated({"role": "assistant", "content": "plain"}, prompt) == "plain"
