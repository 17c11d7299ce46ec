"""Templates in the manner of the models of 2026: conversations, thoughts on and off, and their answers in pieces."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import numpy as np
import pytest
from chat.families import TEMPLATES
from chat.rendering import unbounded

from py_wgml.chat import ChatTemplate
from py_wgml.chat.answers import AnswerFormat
from py_wgml.chat.marks import marks_of
from py_wgml.generate.parts import Part
from py_wgml.tokenizer import from_metadata

SYSTEM, USER = {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi <b>"}
SAID, MORE = {"role": "assistant", "content": "Yes."}, {"role": "user", "content": "And then?"}
THOUGHT = SAID | {"reasoning_content": "It is so."}
PLACE = {"type": "object", "properties": {"city": {"type": "string", "enum": ["Paris"]}}, "required": ["city"]}
TOOLS = [{"type": "function", "function": {"name": "weather", "description": "It.", "parameters": PLACE}}]
ARGUMENTS = {"city": "Paris", "days": 2, "fine": True, "hours": [1, "a"], "in": {"unit": "C"}}


def called(**more: Any) -> dict[str, Any]:
    calls = [
        {"id": f"functions.weather:{n}", "type": "function", "function": {"name": "weather", "arguments": arguments}}
        for n, arguments in enumerate((ARGUMENTS, {"city": "Rome"}))
    ]
    return {"role": "assistant", "content": "", "tool_calls": calls} | more


RESULTS = [{"role": "tool", "tool_call_id": f"functions.weather:{n}", "content": f"{n}9 °C"} for n in range(2)]
CONVERSATIONS: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "a question": ([USER], {}),
    "a system": ([SYSTEM, USER], {}),
    "turns": ([SYSTEM, USER, SAID, MORE], {}),
    "no prompt": ([USER, SAID], {"add_generation_prompt": False}),
    "thoughts on": ([USER], {"enable_thinking": True}),
    "thoughts off": ([SYSTEM, USER], {"enable_thinking": False}),
    "thoughts": ([USER, THOUGHT, MORE], {}),
    "tools": ([SYSTEM, USER], {"tools": TOOLS}),
    "results": ([USER, called(), *RESULTS], {"tools": TOOLS}),
    "turns with results": ([USER, called(content="I look."), *RESULTS, SAID, MORE], {"tools": TOOLS}),
    "parts": ([USER | {"content": [{"type": "text", "text": "Hi"}, {"type": "text", "text": "you"}]}], {}),
    "two questions": ([USER, MORE], {}),
    "an answer first": ([SAID, MORE], {}),
    "a system later": ([USER, SAID, SYSTEM, MORE], {}),
    "nothing but a system": ([SYSTEM], {}),
}


@pytest.mark.parametrize("case", CONVERSATIONS)
@pytest.mark.parametrize("name", TEMPLATES)
def test_conversations(name: str, case: str) -> None:
    """As jinja2 without bounds writes it, unless that leaves something out; then with all in it."""
    messages, variables = CONVERSATIONS[case]
    text = ChatTemplate(TEMPLATES[name], "<s>", "</s>").prompt(copy.deepcopy(messages), **variables)
    if variables.get("add_generation_prompt", True) is False:
        text = ChatTemplate(TEMPLATES[name], "<s>", "</s>").render(messages, **variables)
    words = ["Be brief.", "Hi <b>", "Yes.", "And then?", "I look.", "09 °C", "19 °C", "Paris", "Rome", "unit"]
    written = [word for word in words if word in str(messages)]
    assert all(word in text for word in written), text
    assert not re.search(r"\{'type'|'text'", text)
    if "tools" in variables and "tools" not in TEMPLATES[name]:
        assert all(json.dumps(tool["function"]) in text for tool in TOOLS)  # which the system tells
        return
    theirs = unbounded(TEMPLATES[name], messages, variables)
    can_tell = "enable_thinking" not in variables or "enable_thinking" in TEMPLATES[name]
    if theirs is not None and can_tell and all(word in theirs for word in written) and "'text'" not in theirs:
        assert text == theirs
    assert "It is so." not in text  # what was thought before the last question


ENDS = {  # what the prompt ends with where nobody says anything, where thoughts are on, where they are off
    "gemma4 small": ("off", "<|turn>model\n", "<|turn>model\n", "<|turn>model\n"),
    "gemma4 large": ("off", "<|channel>thought\n<channel|>", "<|turn>model\n", "<|channel>thought\n<channel|>"),
    "qwen3.5 small": ("off", "<think>\n\n</think>\n\n", "assistant\n<think>\n", "<think>\n\n</think>\n\n"),
    "qwen3.5 large": ("on", "assistant\n<think>\n", "assistant\n<think>\n", "<think>\n\n</think>\n\n"),
    "nemotron 2": ("on", "Assistant\n<think>\n", "Assistant\n<think>\n", "<think></think>"),
    "glm": ("on", "<|assistant|><think>", "<|assistant|><think>", "<|assistant|></think>"),
    "granite 4": ("fixed", *["assistant<|end_of_role|>"] * 3),
    "kimi": ("fixed", *["<|im_middle|>"] * 3),
    "seed": ("on", "assistant\n", "assistant\n", "<seed:think>\n</seed:think>"),
    "deepseek 2": ("fixed", *["Assistant:"] * 3),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_thoughts_on_and_off(name: str) -> None:
    template = ChatTemplate(TEMPLATES[name], "<s>", "</s>")
    state, *ends = ENDS[name]
    assert template.thinking == state
    given: list[dict[str, Any]] = [{}, {"enable_thinking": True}, {"enable_thinking": False}]
    for messages in ([USER], [SYSTEM, USER], [SYSTEM, USER, SAID, MORE]):
        texts = [template.prompt(messages, **variables) for variables in given]
        for text, end in zip(texts, ends, strict=True):
            assert text.endswith(end)
            assert "/think" not in text.replace("</think>", "") and "/no_think" not in text
        assert (texts[1] != texts[2]) == (state != "fixed")
        assert texts[0] == {"on": texts[1], "off": texts[2]}.get(state, texts[0])
    template.variables["enable_thinking"] = False  # of the model's owner, for every rendering
    assert template.prompt([USER]).endswith(ends[2]) and template.prompt([USER], enable_thinking=True).endswith(ends[1])


def test_a_switch_of_the_callers_own_wins() -> None:
    source = (
        "{{ messages[0].content }}{{ '<think>' if thinking_budget is not defined or thinking_budget else '</think>' }}"
    )
    template = ChatTemplate(source)
    assert template.prompt([USER], enable_thinking=False).endswith("</think>")
    assert template.prompt([USER], enable_thinking=False, thinking_budget=7).endswith("<think>")
    parts = ChatTemplate("{% for part in messages[0].content %}{{ part.text }}{% endfor %}{{ thinking }}")
    assert parts.thinking == "free"
    assert ChatTemplate("{{ messages[0].content }}{{ raise_exception('no') if enable_thinking }}").thinking == "fixed"
    assert ChatTemplate("{{ 'b' if thinking else 'c' if thinking is defined else 'a' }}").thinking == "free"


_SAID = "{% for m in messages %}{{ m.role }}: {{ m.content }};{% endfor %}"
TOLD: dict[str, Any] = {  # its way; whether it thinks, its levels, its own; what callers say; what becomes of it
    # gpt-oss
    "{% if reasoning_effort is not defined %}{% set reasoning_effort = 'medium' %}{% endif %}"
    "Reasoning: {{ reasoning_effort }}": (
        *("fixed", ("low", "medium", "high"), "medium"),
        {"reasoning_effort": "high"},
        "Reasoning: high",
    ),
    # Seed-OSS
    "{% if thinking_budget is defined %}Budget: {{ thinking_budget }}{% endif %}": (
        *("free", ("low", "medium", "high"), ""),
        {"reasoning_effort": "low"},
        "Budget: 512",
    ),
    # Hy3, whose switch is a level
    "{% if reasoning_effort is not defined %}{% set reasoning_effort = 'no_think' %}{% endif %}{{ reasoning_effort }}"
    "{{ '/high' if reasoning_effort == 'high' }}": (
        *("off", ("low", "medium", "high"), ""),
        {"enable_thinking": True, "reasoning_effort": "low"},
        "low",
    ),
    # one level alone stands out, and only where the model thinks
    "{{ 'think' if enable_thinking }}{{ ' hard' if enable_thinking and reasoning_effort == 'high' }}": (
        *("off", ("low", "high"), ""),
        {"enable_thinking": True, "reasoning_effort": "high"},
        "think hard",
    ),
    # SmolLM3
    "{% if enable_thinking is not defined %}{% set enable_thinking = true %}{% endif %}"
    "{{ '/think' if enable_thinking else '/no_think' }}": (
        *("on", (), ""),
        {"enable_thinking": False, "reasoning_effort": "low"},
        "/no_think",
    ),
    # Granite 3.3, DeepSeek V3.1
    "{{ 'think' if thinking else 'answer' }}": ("off", (), "", {"enable_thinking": True}, "think"),
    # whoever says no, and how much, says no
    "{{ 'no' if thinking_budget == 0 else thinking_budget }}": (
        *("free", ("low", "medium", "high"), ""),
        {"enable_thinking": False, "reasoning_effort": "low"},
        "no",
    ),
    "always": ("fixed", (), "", {"enable_thinking": True, "reasoning_effort": "high"}, "always"),
}


@pytest.mark.parametrize("way", TOLD)
def test_how_much_is_thought(way: str) -> None:
    thinking, levels, default, variables, text = TOLD[way]
    template = ChatTemplate(f"{way}|{_SAID}")
    effort = template.effort
    assert (template.thinking, effort.levels, effort.default) == (thinking, levels, default)
    assert template.prompt([USER], **variables) == f"{text}|user: {USER['content']};"


GEMMA_CALL = '<|tool_call>call:weather{city:<|"|>Paris<|"|>,hours:[1,<|"|>}<|"|>]}<tool_call|>'
XML_CALL = "<tool_call>\n<function=weather>\n<parameter=city>\nParis </think\n</parameter>\n</function>\n</tool_call>"
LIST_CALL = '<TOOLCALL>[{"name": "weather", "arguments": {"city": "Paris"}}]</TOOLCALL>'
KIMI_CALL = (
    "<|tool_calls_section_begin|><|tool_call_begin|>functions.weather:0<|tool_call_argument_begin|>{}"
    "<|tool_call_end|><|tool_calls_section_end|>"
)
GLM_CALL = "<tool_call>weather<arg_key>city</arg_key><arg_value>Paris</arg_value></tool_call>"
APERTUS_CALL = '<|tools_prefix|>[{"weather": {"city": "Paris"}}]<|tools_suffix|>'
ANSWERS = [  # the template, or the marks it has; what the prompt ends with; the answer, and its parts
    ("gemma4 small", "", "<|channel>thought\nWhy < so?<channel|>So.", "\nWhy < so?", "So."),
    ("gemma4 small", "", f"<|channel>thought\nWhy?<channel|>{GEMMA_CALL}", "\nWhy?", GEMMA_CALL),
    ("gemma4 small", "", f"I look.{GEMMA_CALL}{GEMMA_CALL}", "", f"I look.{GEMMA_CALL}{GEMMA_CALL}"),
    ("gemma4 small", "", "<|channel>thought\n<channel|>So.", "\n", "So."),
    ("gemma4 large", "<|channel>thought\n<channel|>", "So.", "", "So."),
    ("qwen3.5 large", "assistant\n<think>\n", f"Why?\n</think>\n\n{XML_CALL}", "Why?\n", f"\n\n{XML_CALL}"),
    ("qwen3.5 small", "<think>\n\n</think>\n\n", f"I look.\n\n{XML_CALL}", "", f"I look.\n\n{XML_CALL}"),
    ("nemotron 2", "<think>\n", f"Why?\n</think>\n\n{LIST_CALL}", "Why?\n", f"\n\n{LIST_CALL}"),
    ("nemotron 2", "<think></think>", LIST_CALL, "", LIST_CALL),
    ("kimi", "", f"I look.{KIMI_CALL}", "", f"I look.{KIMI_CALL}"),
    ("glm", "<think>", f"Why?</think>I look.{GLM_CALL}", "Why?", f"I look.{GLM_CALL}"),
    ("glm", "</think>", GLM_CALL, "", GLM_CALL),
    ("seed", "", f"<seed:think>Why?</seed:think>\n{XML_CALL}", "Why?", f"\n{XML_CALL}"),
    ("seed", "<seed:think>\n</seed:think>", "So.", "", "So."),
    ("granite 4", "", f"I look.\n{XML_CALL}", "", f"I look.\n{XML_CALL}"),
    (
        "<|inner_prefix|><|inner_suffix|>",
        "",
        f"<|inner_prefix|>Why?<|inner_suffix|>{APERTUS_CALL}",
        "Why?",
        APERTUS_CALL,
    ),
    (
        "<|open|>think<|sep|><|close|>think<|sep|>",
        "<|open|>think<|sep|>",
        "Why?<|close|>think<|sep|><|open|>response<|sep|>So.<|close|>response<|sep|>",
        "Why?",
        "So.",
    ),
]


@pytest.mark.parametrize(("name", "prompt", "text", "reasoning", "answer"), ANSWERS)
def test_answers_in_pieces(name: str, prompt: str, text: str, reasoning: str, answer: str) -> None:
    """However an answer comes, the same parts of it come out, and together they are all of it but marks of thoughts."""
    format = AnswerFormat(marks_of(TEMPLATES.get(name, name), [], {}, ()))
    places = range(len(text) + 1)
    for cut in [(), *((a,) for a in places), *((a, b) for a in places for b in range(a, min(a + 25, len(text) + 1)))]:
        splitter, part = format.splitter(prompt), Part()
        for start, end in zip((0, *cut), (*cut, len(text)), strict=True):
            part += splitter.push(text[start:end])
        part += splitter.flush()
        assert (part.reasoning, part.text) == (reasoning, answer), cut


@pytest.mark.parametrize(("name", "prompt", "text", "reasoning", "answer"), ANSWERS)
def test_an_answer_that_is_cut_off_loses_nothing(
    name: str, prompt: str, text: str, reasoning: str, answer: str
) -> None:
    format = AnswerFormat(marks_of(TEMPLATES.get(name, name), [], {}, ()))
    for end in range(len(text)):
        splitter = format.splitter(prompt)
        part = splitter.push(text[:end]) + splitter.flush()
        told, kept = part.reasoning + part.text, text[:end]
        for row in format._marks.thinking:
            for mark in (row.opening, row.closing, *sum(row.answers, ())):
                kept = kept.replace(mark, "") if mark else kept
        assert told.replace(" ", "").replace("\n", "").startswith(kept.replace(" ", "").replace("\n", "")), (end, told)


SPECIAL = {  # control tokens of their vocabularies; of some files those of calls are user-defined
    "gemma4 small": (
        *("<|turn>", "<turn|>", "<|think|>", "<|tool>", "<tool|>", "<|channel>", "<channel|>", "<|tool_call>"),
        *("<tool_call|>", "<|tool_response>", "<tool_response|>", '<|"|>'),
    ),
    "kimi": (
        *("<|im_system|>", "<|im_user|>", "<|im_assistant|>", "<|im_middle|>", "<|im_end|>", "<think>", "</think>"),
        *("<|tool_calls_section_begin|>", "<|tool_calls_section_end|>", "<|tool_call_begin|>", "<|tool_call_end|>"),
        "<|tool_call_argument_begin|>",
    ),
    "glm": (
        *("[gMASK]", "<sop>", "<|system|>", "<|user|>", "<|assistant|>", "<|observation|>", "<think>", "</think>"),
        *("<tool_call>", "</tool_call>", "<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>"),
    ),
    "nemotron 2": ("<SPECIAL_10>", "<SPECIAL_11>", "<SPECIAL_12>"),
}


@pytest.mark.parametrize("are_control", [True, False])
@pytest.mark.parametrize(
    ("name", "text", "reasoning", "answer"),
    [
        ("gemma4 small", f"<|channel>thought\nWhy?<channel|>{GEMMA_CALL}<|tool_response>", "\nWhy?", GEMMA_CALL),
        ("gemma4 small", "So.<turn|>", "", "So."),
        ("kimi", f"<think>Why?</think>I look.{KIMI_CALL}<|im_end|>", "Why?", f"I look.{KIMI_CALL}"),
        ("glm", f"Why?</think>I look.{GLM_CALL}<|user|>", "Why?", f"I look.{GLM_CALL}"),
        ("nemotron 2", f"Why?</think>{LIST_CALL}<SPECIAL_12>", "Why?", LIST_CALL),
    ],
)
def test_what_is_seen_of_an_answer_s_tokens(
    name: str, text: str, reasoning: str, answer: str, are_control: bool
) -> None:
    """Whatever a file says of the kind of its marks: thoughts, calls with their marks, and not what ends an answer."""
    special = SPECIAL[name]
    kinds = [3 if are_control or ("tool_" not in token and "arg_" not in token) else 4 for token in special]
    tokens = ["<s>", *special, *(f"<0x{byte:02X}>" for byte in range(256)), "▁"]
    keys = {"model": "gemma4", "tokens": tokens, "merges": [], "bos_token_id": 0, "eot_token_id": 4}
    keys |= {"token_type": np.array([3, *kinds, *[6] * 256, 1]), "eos_token_id": 3 if name == "nemotron 2" else 2}
    tokenizer = from_metadata({f"tokenizer.ggml.{key}": value for key, value in keys.items()})
    template = ChatTemplate(TEMPLATES[name], "<s>", "</s>")
    format = AnswerFormat.of(template, tokenizer)
    splitter, stream = format.splitter(template.prompt([USER])), tokenizer.stream(shown=format.shown)
    *ids, last = tokenizer.encode(text, add_special=False, parse_special=True)
    part = Part()
    for id in ids:
        part += splitter.push(stream.push(id), id in format.shown)
    assert last in tokenizer.eog_ids
    assert last not in format.shown and not tokenizer.eog_ids.intersection(ids)
    part += splitter.flush()
    assert (part.reasoning, part.text) == (reasoning, answer)
