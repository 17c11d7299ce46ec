"""Formats for models without a chat template, against transformers' renderings of templates that people wrote for them;
and the system's message within the user's, where a template refuses or forgets it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from py_wgml.chat import ChatTemplate
from py_wgml.chat.formats import FORMATS, PLAIN, template_of
from py_wgml.errors import WgmlError
from py_wgml.gguf_model import read_header

TRUTH = Path(__file__).parents[3] / "shared" / "truth" / "templates.json"
TRUTHS: dict[str, Any] = json.loads(TRUTH.read_text(encoding="utf-8")) if TRUTH.exists() else {}
NAMED = {entry["name"]: entry for entry in TRUTHS.get("templates", [])}
SYSTEM, USER = {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}

# Which template of the collection a format is, and for a mark of plain text a name that asks for it.
SAME = {
    "ChatML": ("chatml", ""),
    "Llama 3": ("llama-3-instruct", ""),
    "Gemma": ("gemma-it", ""),
    "Granite": ("granite-3.0-instruct", ""),
    "Phi-3": ("phi-3", ""),
    "OpenChat": ("openchat-3.5", ""),
    "Llama 2": ("llama-2-chat", "Llama-2-7b-chat-hf"),
    "Zephyr": ("zephyr", "TinyLlama-1.1B-Chat-v1.0"),
    "Alpaca": ("alpaca", "alpaca-native"),
    "Vicuna": ("vicuna", "vicuna 7b v1.5"),
    "SOLAR": ("solar-instruct", "SOLAR-10.7B-Instruct-v1.0"),
    "Falcon": ("falcon-instruct", "falcon-7b-instruct"),
}


def template(format: str, name: str = "", **metadata: Any) -> ChatTemplate:
    known_by = next(f.known_by for f in FORMATS if f.name == format)
    tokens = [*known_by, "a"] if isinstance(known_by, tuple) else ["a"]
    keys = {"tokenizer.ggml.tokens": tokens, "general.name": name}
    return ChatTemplate.from_metadata(keys | metadata, TRUTHS.get("bos_token", "<s>"), TRUTHS.get("eos_token", "</s>"))


def without_spaces(text: str) -> str:
    """That collection's templates are written over many lines, which leave theirs in the text."""
    return re.sub(r"\s+", "", text)


@pytest.mark.skipif(not TRUTHS, reason="no reference renderings")
@pytest.mark.parametrize("format", SAME)
def test_same_as_transformers_but_for_spaces(format: str) -> None:
    theirs, name = SAME[format]
    compared = 0
    for result in NAMED[theirs]["results"]:
        if "error" not in result:
            text = template(format, name).render(TRUTHS["cases"][result["case"]], result["add_generation_prompt"])
            expected = result["expected"]
            if format != "Llama 2":  # elsewhere Model.prompt puts it in front, where the vocabulary asks for it
                expected = expected.replace("<BOS>", "")
            ends = re.escape(TRUTHS["eos_token"]) + r"\s*"
            if format in ("Alpaca", "Vicuna", "SOLAR"):  # which end what was said, as a model does
                text = re.sub(ends, "", text)
                expected = re.sub(ends, "", expected)
            assert without_spaces(text) == without_spaces(expected)
            compared += 1
    assert compared >= 8


@pytest.mark.skipif(not TRUTHS, reason="no reference renderings")
@pytest.mark.parametrize(("format", "theirs"), [("ChatML", "qwen2.5-instruct"), ("Granite", "granite-3.0-instruct")])
def test_same_as_transformers_to_the_letter(format: str, theirs: str) -> None:
    for result in NAMED[theirs]["results"]:
        if result["case"] in ("system", "system_turns"):
            text = template(format).render(TRUTHS["cases"][result["case"]], result["add_generation_prompt"])
            assert text == result["expected"]


@pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.name)
def test_each_format_says_everything_once_in_order(format: Any) -> None:
    said = ["S1{}", "U1", "A1'\\", "U2"]
    roles = ["system", "user", "assistant", "user"]
    messages = [{"role": role, "content": text} for role, text in zip(roles, said, strict=True)]
    text = ChatTemplate(format.template, "<s>", "</s>").render(messages)
    assert [text.count(content) for content in said] == [1, 1, 1, 1]
    assert sorted(said, key=text.index) == said
    assert text.endswith(format.answer)
    silent = ChatTemplate(format.template, "<s>", "</s>").render(messages, add_generation_prompt=False)
    assert silent + format.answer == text


def test_the_first_format_that_fits() -> None:
    both = {"tokenizer.ggml.tokens": ["<|im_start|>", "<|im_end|>", "<start_of_turn>"], "general.name": "zephyr"}
    assert "<|im_start|>" in template_of(both)
    assert template_of(both | {"tokenizer.chat_template": "{{ own }}"}) == "{{ own }}"
    for nothing in (" ", "chatml"):  # llama.cpp knows some by a name
        assert template_of(both | {"tokenizer.chat_template": nothing}) == template_of(both)
    assert template_of({"general.architecture": "phi2"}) == next(f.template for f in FORMATS if f.name == "Phi-2")
    assert template_of({"general.architecture": "gpt2", "tokenizer.ggml.tokens": ["<|im_start|>"]}) == PLAIN
    assert ChatTemplate(PLAIN).render([SYSTEM, USER]) == "Be brief.\nHi"


def test_a_name_in_the_place_of_a_template() -> None:
    """As llama.cpp's converter may write it for RWKV; ARWKV has Qwen's vocabulary."""
    keys = {"general.architecture": "rwkv7", "tokenizer.chat_template": "rwkv-world"}
    found = ChatTemplate.from_metadata(keys | {"tokenizer.ggml.tokens": ["<s>", "a"]}, "<s>", "<s>")
    answer = {"role": "assistant", "content": "Yes?"}
    said = "System: Be brief.\n\nUser: Hi\n\nAssistant:"
    assert found.render([SYSTEM, USER]) == said
    assert found.render([SYSTEM, USER, answer, USER]) == f"{said} Yes?\n\nUser: Hi\n\nAssistant:"
    tokens = {"tokenizer.ggml.tokens": ["<|im_start|>", "<|im_end|>"]}
    assert "<|im_start|>" in template_of(tokens | {"general.architecture": "arwkv7"})


def test_smollm2_without_its_template(smollm2_path: Path) -> None:
    metadata = read_header(smollm2_path).metadata
    own = ChatTemplate.from_metadata(metadata).render([SYSTEM, USER])
    del metadata["tokenizer.chat_template"]
    assert ChatTemplate.from_metadata(metadata).render([SYSTEM, USER]) == own


REFUSES = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for m in messages %}{{ m.role }}:{{ m.content }};{% endfor %}"
)
FORGETS = "{% for m in messages if m.role != 'system' %}{{ m.role }}:{{ m.content | trim }};{% endfor %}"


@pytest.mark.parametrize("source", [REFUSES, FORGETS])
def test_system_message_within_the_users_first(source: str) -> None:
    more = [{"role": "assistant", "content": "Yes?"}, {"role": "user", "content": "Ah"}]
    expected = "user:Be brief.\n\nHi;assistant:Yes?;user:Ah;"
    assert ChatTemplate(source).render([SYSTEM, USER, *more]) == expected
    assert ChatTemplate(source).render([USER, *more]) == expected.replace("Be brief.\n\n", "")


def test_what_can_not_be_folded_is_refused() -> None:
    for following in [], [{"role": "assistant", "content": "a"}]:
        with pytest.raises(WgmlError, match="System role not supported"):
            ChatTemplate(REFUSES).render([SYSTEM, *following])
    both = REFUSES + "{{ raise_exception('nor anything else') }}"
    with pytest.raises(WgmlError, match="nor anything else"):
        ChatTemplate(both).render([SYSTEM, USER])


TOOL = {"type": "function", "function": {"name": "f"}}


def test_variables_for_every_rendering() -> None:
    chat = ChatTemplate(
        "{% for m in messages %}{% if m.reasoning_content %}<think>{{ m.reasoning_content }}</think>{% endif %}"
        "{{ m.content }};{% endfor %}{{ tools | length if tools }}|{{ documents }}"
        "{% if add_generation_prompt %}{% if enable_thinking is false %}<think></think>{% endif %}{% endif %}"
    )
    messages = [USER, {"role": "assistant", "content": "4", "reasoning_content": "2 + 2"}]
    assert chat.render(messages) == "Hi;<think>2 + 2</think>4;|None"
    chat.variables["enable_thinking"] = False
    assert chat.render([USER], tools=[TOOL, TOOL]) == "Hi;2|None<think></think>"
    assert chat.render([USER], enable_thinking=True) == "Hi;|None"
