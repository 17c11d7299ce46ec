"""Whatever conversation a program may own: strict templates take it, and nothing of it is lost."""
# ruff: noqa: E501  (templates and prompts are lines)

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
import scripted

from py_wgml.chat import ChatTemplate, normalised
from py_wgml.chat.sandbox import MAX_SIZE
from py_wgml.errors import ContextError, WgmlError

STRICT = """{{ bos_token }}{% if messages[0].role == 'system' %}{% set rest = messages[1:] %}<s>{{ messages[0].content }}</s>
{%- else %}{% set rest = messages %}{% endif %}
{%- for message in rest %}{% if (message.role == 'user') != (loop.index0 % 2 == 0) %}
{{- raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}
{{- '[' + message.role + '|' + message.content + ']' }}{% endfor %}"""
IN_PARTS = """{% for message in messages %}[{{ message.role }}|{% for part in message.content %}{% if part.type == 'text' %}
{{- part.text }}{% endif %}{% endfor %}]{% endfor %}"""
BOTH = """{% for message in messages %}[{{ message.role }}|{% if message.content is string %}{{ message.content }}{% else %}
{%- for part in message.content %}{% if part.type == 'text' %}+{{ part.text }}{% endif %}{% endfor %}{% endif %}]{% endfor %}"""
CALL = {"id": "1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}}


def said(role: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def strict(*messages: Any) -> str:
    return ChatTemplate(STRICT).render(normalised(messages)).replace("\n", "/")


@pytest.mark.parametrize(
    ("messages", "prompt"),
    [
        ([said("user", "a"), said("user", "b")], "[user|a//b]"),
        ([said("user", "a"), said("assistant", ""), said("user", "b")], "[user|a//b]"),
        ([said("user", "a"), said("assistant", None), said("user", "b")], "[user|a//b]"),
        ([said("user", "a"), said("assistant", "x"), said("assistant", "y"), said("user", "b")], "[user|a][assistant|x//y][user|b]"),
        ([said("assistant", "hi"), said("user", "a")], "[user|][assistant|hi][user|a]"),
        ([said("system", "s"), said("assistant", "hi"), said("user", "a")], "<s>s</s>[user|][assistant|hi][user|a]"),
        ([said("system", "s"), said("system", "t"), said("user", "a")], "<s>s//t</s>[user|a]"),
        ([said("developer", "s"), said("user", "a")], "<s>s</s>[user|a]"),
        ([said("system", ""), said("user", "a")], "[user|a]"),
        ([said("user", "a"), said("assistant", "x"), said("system", "s"), said("user", "b")], "[user|a][assistant|x][user|s//b]"),
        ([said("human", "a"), said("gpt", "x"), said("USER", "b")], "[user|a][assistant|x][user|b]"),
        ([said("user", [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])], "[user|a/b]"),
        ([said("user", [{"type": "input_text", "text": "a"}, "b"])], "[user|a/b]"),
        ([said("user", [])], "[user|]"),
        ([{"role": "user"}], "[user|]"),
        ([said("user", "a", name=None, refusal=None, tool_calls=None, audio=None)], "[user|a]"),
    ],
)  # fmt: skip
def test_a_strict_template_takes_it(messages: list[Any], prompt: str) -> None:
    assert strict(*messages) == prompt
    assert normalised(normalised(messages)) == normalised(messages)


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ("hello", "messages is a str"),
        (None, "messages is a NoneType"),
        ({"role": "user"}, "messages is a dict"),
        (["hello"], r"messages\[0\] is a str"),
        ([said("user", "a"), None], r"messages\[1\] is a NoneType"),
        ([{"content": "a"}], r"messages\[0\] has no role"),
        ([said("narrator", "a")], r"messages\[0\] has the role 'narrator'; there are system, user, assistant and tool"),
        ([said("user", 5)], r"the content of messages\[0\] is a int"),
        ([said("user", True)], "is a bool"),
        ([said("user", {"text": "a"})], "is a dict"),
        ([said("user", [5])], "holds a int"),
        ([said("user", [None])], "holds a NoneType"),
        ([said("user", [{"type": "image_url", "image_url": {"url": "x"}}])], "holds image_url; this model takes text alone"),
        ([said("user", [{"type": "input_audio"}])], "holds input_audio"),
        ([said("user", [{"type": "text"}])], "a part without text"),
        ([said("user", [{"type": "text", "text": None}])], "a part without text"),
        ([said("assistant", "a", reasoning_content=5)], "reasoning_content"),
        ([said("assistant", None, tool_calls="weather")], "tool_calls"),
        ([said("assistant", None, tool_calls=[{"function": 5}])], "does not name its function"),
    ],
)  # fmt: skip
def test_what_is_no_conversation_is_refused_by_number(messages: Any, says: str) -> None:
    with pytest.raises(WgmlError, match=says) as error:
        normalised(messages)
    assert "\n" not in str(error.value)


def test_messages_may_be_objects() -> None:
    @dataclass
    class Said:
        role: str
        content: str
        tool_calls: Any = None

    dumped = SimpleNamespace(model_dump=lambda: said("assistant", "x", refusal=None))
    assert strict(Said("user", "a"), dumped, Said("user", "b")) == "[user|a][assistant|x][user|b]"
    assert normalised(message for message in [said("user", "a")]) == [said("user", "a")]
    assert normalised((said("user", "a"),)) == [said("user", "a")]


def test_calls_and_their_results_stay_as_they_are() -> None:
    messages = [
        said("user", "a"),
        said("assistant", None, tool_calls=[CALL, CALL]),
        said("tool", "20", tool_call_id="1"),
        said("function", "21", name="weather"),
        said("assistant", "warm"),
    ]
    found = normalised(messages)
    assert [message["role"] for message in found] == ["user", "assistant", "tool", "tool", "assistant"]
    assert found[1]["content"] == ""
    assert found[1]["tool_calls"][0]["function"]["arguments"] == {"city": "Paris"}


def test_templates_that_want_parts_get_parts() -> None:
    messages = [said("user", [{"type": "text", "text": "a"}, "b"])]
    assert ChatTemplate(IN_PARTS).render(messages) == "[user|a\nb]"
    assert ChatTemplate(BOTH).render(messages) == "[user|a\nb]"


def test_no_text_is_lost_and_turns_alternate() -> None:
    """Whatever comes in whatever order."""
    for seed in range(300):
        dice = random.Random(seed)
        roles = dice.choices(["system", "developer", "user", "assistant", "USER", "model"], k=dice.randint(1, 9))
        messages = [
            said(role, dice.choice([f"text{i}.", [f"text{i}."], [{"text": f"text{i}."}]]))
            for i, role in enumerate(roles)
        ]
        if not any(role in ("user", "USER", "assistant", "model") for role in roles):
            continue
        prompt = strict(*messages, said("user", "last"))
        places = [prompt.index(f"text{i}.") for i in range(len(messages))]
        assert len(set(places)) == len(places)
        turns = [role for role, _ in itertools.groupby(part.split("|")[0] for part in prompt.split("[")[1:])]
        assert turns == (["user", "assistant"] * 9)[: len(turns)]


def test_a_conversation_that_can_not_fit_says_so() -> None:
    model = scripted.model(scripted.byte_level(), STRICT)
    for size in (MAX_SIZE, 10 * MAX_SIZE):
        for messages in (
            [said("user", "x" * size)],
            [said("user", "x" * (size // 1000)), said("assistant", "y")] * 500,
        ):
            with pytest.raises(ContextError, match="the context only"):
                model.generate(messages)
    assert model.overflow([said("user", "x" * MAX_SIZE), said("assistant", "y"), said("user", "z")]) == 2


def test_a_template_that_adds_up_one_text_takes_long_conversations() -> None:
    adds = "{% set ns = namespace(text='') %}{% for m in messages %}{% set ns.text = ns.text + m.content %}{% endfor %}{{ ns.text }}"
    messages = [said("user" if i % 2 == 0 else "assistant", "x" * 2000) for i in range(400)]
    assert ChatTemplate(adds).render(messages) == "x" * 800_000


def test_the_template_for_tools_is_used_where_there_are_tools() -> None:
    metadata = {
        "tokenizer.chat_template": "plain",
        "tokenizer.chat_template.tool_use": "with {{ tools[0].function.name }}",
    }
    tools = [{"type": "function", "function": {"name": "weather"}}]
    template = ChatTemplate.from_metadata(metadata)
    assert template.render([said("user", "a")]) == "plain"
    assert template.render([said("user", "a")], tools=tools) == "with weather"
    broken = ChatTemplate.from_metadata(metadata | {"tokenizer.chat_template.tool_use": "{% if"})
    assert broken.render([said("user", "a")]) == "plain"
    with pytest.raises(WgmlError, match="knows of no tools"):
        broken.render([said("user", "a")], tools=tools)
