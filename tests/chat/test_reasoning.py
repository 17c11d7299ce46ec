"""Reasoning blocks: the same parts however the text is cut, and text without a block untouched."""

from __future__ import annotations

import pytest

from py_wgml.chat.answers import AnswerFormat
from py_wgml.chat.marks import THINKING, Thinking, marks_of
from py_wgml.chat.reasoning import ReasoningSplitter
from py_wgml.generate.parts import Part, Splitter


def joined(splitter: Splitter, text: str, size: int) -> Part:
    part = Part()
    for start in range(0, len(text), size):
        part += splitter.push(text[start : start + size])
    return part + splitter.flush()


def split(text: str, prompt: str = "", begun: str = "", size: int = 1) -> tuple[str, str]:
    part = joined(ReasoningSplitter(prompt, begun), text, size)
    return part.reasoning, part.text


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("prompt", "text", "reasoning", "answer"),
    [
        ("", "Paris.", "", "Paris."),
        ("", "<b>not a mark</b>", "", "<b>not a mark</b>"),
        ("", "A <think> in the middle", "", "A <think> in the middle"),
        ("", "The tags <think> and </think> part it", "", "The tags <think> and </think> part it"),
        ("", "```\n<think>\n</think>\n```\nso", "", "```\n<think>\n</think>\n```\nso"),
        ("", "~~~~ html\n</think>\n~~~\n</think>", "", "~~~~ html\n</think>\n~~~\n</think>"),
        ("", "It ends with `</think>`, or '</think>'.", "", "It ends with `</think>`, or '</think>'."),
        ("", "<think>\na < b </thin\n</think>\n\nYes.", "\na < b </thin\n", "\n\nYes."),
        ("", "\n<thinking>why</thinking>so", "why", "so"),
        ("assistant\n<think>\n", "why</think>so", "why", "so"),
        ("assistant\n<think>\n", "<think>\nwhy</think>so", "\nwhy", "so"),
        ("assistant\n<think>\n\n</think>\n\n", "so", "", "so"),
        ("<think>\n\n</think>\n\n", "The mark </think> ends it.", "", "The mark </think> ends it."),
        ("<think>\n\n</think>\n\n", "</think>\n<think>why</think>so", "why", "so"),
        ("", "<think>unfinished </", "unfinished </", ""),
        ("", "<thi", "", "<thi"),
        ("", "<think></think>so", "", "so"),
        ("", "<think> \n </think>so", " \n ", "so"),
        ("", "<think>a</think>\n<think>b</think>so", "ab", "so"),
        ("", "<think>a<think>b</think>c</think>so", "a<think>bc", "so"),
        ("", "<think>a</think>\n</think>\nso", "a", "\nso"),
        ("", "<think>a</think>He writes </think> there", "a", "He writes </think> there"),
        ("", "why</think>so", "why", "so"),
        ("", "</think>so", "", "so"),
        ("", "Use `</think>`.\n</think>\nso", "Use `</think>`.\n", "\nso"),
        ("", "<think>why</think>\n<answer>\nso\n</answer>\n", "why", "\nso\n\n"),
        ("", "<think>why</think><response>so `</response>`</response>", "why", "so `</response>`"),
        ("", "<think>why</think>\n\n<tool_call>\n{}\n</tool_call>", "why", "\n\n<tool_call>\n{}\n</tool_call>"),
    ],
)
def test_split(size: int, prompt: str, text: str, reasoning: str, answer: str) -> None:
    assert split(text, prompt, size=size) == (reasoning, answer)


@pytest.mark.parametrize("row", THINKING, ids=lambda row: row.opening)
@pytest.mark.parametrize("size", [1, 1000])
def test_each_way_of_thinking(row: Thinking, size: int) -> None:
    """Behind its mark, behind one that the prompt ends with, without one; and its answer's own marks are left out."""
    template = row.opening + row.closing + "".join(map("".join, row.answers))
    format = AnswerFormat(marks_of(template, [], {}, ()))
    answers = [("", ""), *((f"\n{opening}" if opening else "", closing) for opening, closing in row.answers)]
    for before, behind in answers:
        written = f"why{row.closing}{before}so{behind}"
        for prompt, text in (("", row.opening + written), (row.opening + "\n", written), ("", written)):
            part = joined(format.splitter(prompt), text, size)
            assert (part.reasoning, part.text) == ("why", "so"), (prompt, text)


def test_some_marks_are_looked_for_only_where_the_file_names_them() -> None:
    text = "Here is my thought process: a Here is my response: b"
    assert split(text) == ("", text)


def test_nothing_is_held_back_longer_than_need_be() -> None:
    splitter = ReasoningSplitter()
    assert splitter.push("Pa") == Part("", "Pa")
    assert splitter.push("<thi") == Part()
    assert splitter.push("s>") == Part("", "<this>")
    splitter = ReasoningSplitter()
    assert splitter.push("<think>a </t") == Part("a ")
    assert splitter.push("b") == Part("</tb")


def test_thoughts_without_an_opening_are_known_by_their_end() -> None:
    splitter = ReasoningSplitter()
    assert splitter.push("Let me see.") == Part("", "Let me see.")
    assert splitter.push(" 4\n</think>\nFour") == Part(" 4\n", "\nFour", recast=True)
    assert Part("", "Let me see.") + Part(" 4\n", "\nFour", recast=True) == Part("Let me see. 4\n", "\nFour", True)


def test_a_control_token_opens_a_block_anywhere() -> None:
    splitter = ReasoningSplitter()
    part = splitter.push("One.") + splitter.push("[THINK]", is_mark=True) + splitter.push("hm[/THINK]Two.")
    assert part == Part("hm", "One.Two.")
    assert splitter.push("[THINK]") + splitter.flush() == Part("", "[THINK]")  # in letters: quoted


@pytest.mark.parametrize("text", ["</think>" * 20_000, "<think>" * 20_000, "`" * 160_000, " " * 160_000, "<" * 160_000])
def test_long_answers_take_no_quadratic_work(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    held = 0
    push = ReasoningSplitter.push

    def counted(self: ReasoningSplitter, text: str, is_mark: bool = False) -> Part:
        nonlocal held
        held += len(self._pending)
        return push(self, text, is_mark)

    monkeypatch.setattr(ReasoningSplitter, "push", counted)
    part = joined(ReasoningSplitter(), text, 8)
    assert len(part.reasoning) + len(part.text) <= len(text)
    assert held < 10 * len(text)


@pytest.mark.parametrize("prompt", ["assistant\n", "assistant\n<think>\n"])
@pytest.mark.parametrize("text", ["why</think>\nso", "why", "why</think>\n\n<think>again</think>"])
def test_going_on_restores_what_was_generated(prompt: str, text: str) -> None:
    format = AnswerFormat(marks_of("", [], {}, ()))
    text = text if "think" in prompt else "<think>" + text
    reasoning, content = split(text, prompt)
    message = {"role": "assistant", "content": content, "reasoning_content": reasoning}
    if "again" not in text:
        assert format.as_generated(message, prompt) == text
    assert format.as_generated({"role": "assistant", "content": "plain"}, prompt) == "plain"
    # What comes then is more of what was there last.
    more = joined(format.splitter(prompt, format.as_generated(message, prompt)), " more", 1)
    assert more == (Part("", " more") if content else Part(" more"))


def test_going_on_in_the_model_s_own_marks() -> None:
    hunyuan = AnswerFormat(marks_of("<think>\n</think>\n<answer>\n</answer>", [], {}, ()))
    message = {"role": "assistant", "content": "\nso", "reasoning_content": "why"}
    assert hunyuan.as_generated(message, "") == "<think>why</think>\n<answer>\nso"
    assert joined(hunyuan.splitter("", "<think>why</think>\n<answer>\nso"), " far</answer>", 1) == Part("", " far")
    mistral = AnswerFormat(marks_of("[THINK][/THINK]", [], {}, ()))
    assert mistral.as_generated(message, "[INST]a[/INST]") == "[THINK]why[/THINK]\nso"
