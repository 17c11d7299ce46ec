"""Which control tokens an answer shows, by the template and the vocabulary of its model."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from py_wgml.chat import ChatTemplate
from py_wgml.chat.answers import _PLAIN
from py_wgml.chat.marks import Marks, marks_of
from py_wgml.errors import WgmlError

CALLS = (
    *(
        "<|tool_call_start|>",
        "<|tool_call_end|>",
        "<tool_call>",
        "[TOOL_CALLS]",
        "[ARGS]",
        "[CALL_ID]",
        "<|python_tag|>",
    ),
    *("<|tool_call|>", "<|tool_call>", "<tool_call|>", '<|"|>', "<start_function_call>", "<escape>", "<arg_key>"),
    *(
        "<|START_ACTION|>",
        "<|END_ACTION|>",
        "<|action_start|>",
        "<|plugin|>",
        "<|tools_prefix|>",
        "<minimax:tool_call>",
    ),
    *(
        "<\uff5ctool\u2581calls\u2581begin\uff5c>",
        "<\uff5ctool\u2581sep\uff5c>",
        "\uff5cDSML\uff5c",
        "<|tool_calls_section_begin|>",
    ),
)
PARTING = (
    *("<s>", "<unk>", "<pad>", "<|im_start|>", "[INST]", "[/INST]", "<|start_header_id|>", "<|assistant|>", "<|user|>"),
    *("<|reserved_special_token_7|>", "<|fim_prefix|>", "<mask>", "<start_of_turn>", "<|vision_start|>", "<image>"),
)


def marks(template: str, *tokens: str) -> Marks:
    prompts = []
    for messages in _PLAIN:
        try:
            prompts.append(ChatTemplate(template).render(messages))
        except WgmlError:
            continue
    return marks_of(template, prompts, {token: i for i, token in enumerate(tokens)}, tokens)


@pytest.mark.parametrize("token", CALLS)
def test_marks_of_calls_are_shown(token: str) -> None:
    assert marks("", token).shown == {0}


@pytest.mark.parametrize("token", PARTING)
def test_marks_between_turns_are_hidden(token: str) -> None:
    assert marks("{% for m in messages %}" + token + "{{ m.content }}{% endfor %}", token).shown == set()
    assert marks("", token).shown == set()


def test_what_a_template_writes_into_answers_alone_is_shown() -> None:
    template = (
        "{% for m in messages %}<|turn|>{% if m.notes %}<|note|>{{ m.notes }}<|/note|>{% endif %}{{ m.content }}"
        "{% endfor %}<|bot|>"
    )
    assert marks(template, "<|turn|>", "<|note|>", "<|/note|>", "<|bot|>", "<|other|>").shown == {1, 2}
    # From a template that refuses every conversation nothing can be learnt.
    assert marks("<|note|>{{ raise_exception('no') }}", "<|note|>").shown == set()


def test_marks_of_thoughts_are_shown_and_come_first() -> None:
    found = marks("[INST]{{ messages[0].content }}[/INST]", "[INST]", "[THINK]", "[/THINK]")
    assert found.shown == {1, 2} and found.thinking[0].opening == "[THINK]"
    assert marks("{{ messages[0].content.split('</thought>') }}").thinking[0].opening == "<thought>"
    assert marks("", "<|channel>", "<channel|>", "<|turn>").shown == {0, 1}


def test_harmony_is_known_by_its_vocabulary() -> None:
    names = ["<|start|>", "<|channel|>", "<|message|>", "<|constrain|>", "<|end|>", "<|call|>", "<|return|>"]
    found = marks("{{ messages[0].content }}", *names)
    assert found.is_harmony and found.shown == set(range(6))
    assert not marks("<|start|>{{ messages[0].content }}<|message|>", "<|start|>", "<|message|>").is_harmony


FILES = sorted(Path(os.environ.get("PY_WGML_LLAMA_CPP", "absent")).glob("models/templates/*.jinja"))
THINKS = {
    "Apertus": "<|inner_prefix|>",
    "Apriel-1.6": "Here are my reasoning steps:",
    "ByteDance-Seed": "<seed:think>",
    "c4ai-command-r7b": "<|START_THINKING|>",
    "gemma-4": "<|channel>thought",
    "GLM-4.6": "<think>",
    "Ministral-3": "[THINK]",
    "Qwen3-0.6B": "<think>",
    "granite-3.3": "<think>",
    "SmolLM3": "<think>",
    "Nemotron": "<think>",
    "LFM2.5": "<think>",
    "MiniMax-M2": "<think>",
    "DeepSeek-R1": "<think>",
}


@pytest.mark.skipif(not FILES, reason="needs PY_WGML_LLAMA_CPP")
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_real_templates(file: Path) -> None:
    """Turns stay hidden, calls are shown, and each family's way of thinking is found."""
    source = file.read_text(encoding="utf-8")
    tokens = sorted(set(re.findall(r"<\|[^<>|\s]{1,40}\|>|<\|\w+>|<\w+\|>|\[/?[A-Z_]+\]|</?think>", source)))
    found = marks(source, *tokens)
    shown = {tokens[id] for id in found.shown}
    calls = {token for token in tokens if re.search("tool_call|TOOL_CALLS|ACTION|python_tag", token)}
    assert calls <= shown
    assert not shown & {"<|im_start|>", "<|im_end|>", "[INST]", "[/INST]", "<|eot_id|>", "<|assistant|>", "<|turn>"}
    for name, opening in THINKS.items():
        if name in file.stem:
            assert opening in [row.opening for row in found.thinking if row.closing in found.own]
