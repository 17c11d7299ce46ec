"""Tools: what a template of the usual kind makes of them, of calls and of their results; and what is refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from py_wgml.chat import ChatTemplate
from py_wgml.errors import WgmlError

# As models tuned to ChatML and to functions have it.
TEMPLATE = """\
{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0].role == 'system' %}
        {{- messages[0].content + '\\n\\n' }}
    {%- endif %}
    {{- 'Functions, in <tools></tools>:\\n<tools>' }}
    {%- for tool in tools %}
        {{- '\\n' + (tool | tojson) }}
    {%- endfor %}
    {{- '\\n</tools>\\nCall one with <tool_call>{"name": ..., "arguments": ...}</tool_call>.<|im_end|>\\n' }}
{%- elif messages[0].role == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if message.role == 'user' %}
        {{- '<|im_start|>user\\n' + message.content + '<|im_end|>\\n' }}
    {%- elif message.role == 'assistant' %}
        {{- '<|im_start|>assistant\\n' + message.content }}
        {%- for call in message.tool_calls or [] %}
            {%- set call = call.function or call %}
            {{- '<tool_call>\\n{"name": "' + call.name + '", "arguments": ' }}
            {{- call.arguments | tojson }}
            {{- '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == 'tool' %}
        {%- if loop.first or messages[loop.index0 - 1].role != 'tool' %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\\n<tool_response>\\n' + message.content + '\\n</tool_response>' }}
        {%- if loop.last or messages[loop.index0 + 1].role != 'tool' %}
            {{- '<|im_end|>\\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and not enable_thinking %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}
"""
SYSTEM, USER = {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Warm in Paris?"}
PLACE = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL: dict[str, Any] = {"type": "function", "function": {"name": "weather", "parameters": PLACE}}
SCHEMA = (
    '{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": '
    '{"city": {"type": "string"}}, "required": ["city"]}}}'
)
HEAD = (
    f"Functions, in <tools></tools>:\n<tools>\n{SCHEMA}\n</tools>\n"
    'Call one with <tool_call>{"name": ..., "arguments": ...}</tool_call>.<|im_end|>\n'
)
ASKED = "<|im_start|>user\nWarm in Paris?<|im_end|>\n"


def call(arguments: Any) -> dict[str, Any]:
    function = {"name": "weather", "arguments": arguments}
    return {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function", "function": function}]}


def render(messages: Any, **variables: Any) -> str:
    return ChatTemplate(TEMPLATE).render(messages, **variables)


def test_tools_and_the_system() -> None:
    assert render([USER], tools=[TOOL]) == f"<|im_start|>system\n{HEAD}{ASKED}<|im_start|>assistant\n"
    with_system = render([SYSTEM, USER], tools=(TOOL,))
    assert with_system == f"<|im_start|>system\nBe brief.\n\n{HEAD}{ASKED}<|im_start|>assistant\n"
    assert render([USER], tools=[]) == render([USER]) == f"{ASKED}<|im_start|>assistant\n"


@pytest.mark.parametrize("arguments", [{"city": "Paris"}, '{"city": "Paris"}'], ids=["object", "JSON"])
def test_calls_and_their_results(arguments: Any) -> None:
    """Arguments in JSON, as OpenAI's interface gives them back, are not put in quotes once more."""
    results = [{"role": "tool", "tool_call_id": "1", "content": text} for text in ("21", "sunny")]
    assert render([USER, call(arguments), *results], tools=[TOOL]) == (
        f"<|im_start|>system\n{HEAD}{ASKED}<|im_start|>assistant\n"
        '<tool_call>\n{"name": "weather", "arguments": {"city": "Paris"}}\n</tool_call><|im_end|>\n'
        "<|im_start|>user\n<tool_response>\n21\n</tool_response>\n<tool_response>\nsunny\n</tool_response><|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_other_variables() -> None:
    assert render([USER], enable_thinking=False).endswith("assistant\n<think>\n\n</think>\n\n")


@pytest.mark.parametrize(
    ("tools", "message"),
    [
        ("weather", "tools is the str 'weather', not a list of functions"),
        (TOOL, "tools is the dict .*, not a list of functions"),
        ([TOOL["function"]], r"tools\[0\] is not of the form"),
        ([TOOL, {"type": "function", "function": {}}], r"tools\[1\] is not of the form"),
        ([{"type": "function", "function": {"name": "f", "parameters": "x"}}], "'f' are not a JSON schema"),
        ([{"type": "function", "function": {"name": "f", "description": object()}}], "description is a object, not"),
        (np.ones(2), "tools is the ndarray .*, not a list of functions"),
        ([{"type": "function", "function": {"name": "f" * 100_000, "parameters": 1}}], "^.{60,200}$"),
    ],
)
def test_refuses_tools(tools: Any, message: str) -> None:
    with pytest.raises(WgmlError, match=message):
        render([USER], tools=tools)


@pytest.mark.parametrize("tools", ["weather", b"weather", TOOL, np.ones(2), 5, np.ones(0)])
def test_tools_that_are_no_list_choose_no_template(tools: Any) -> None:
    with pytest.raises(WgmlError, match="not a list of functions"):
        ChatTemplate(TEMPLATE, named={"tool_use": TEMPLATE}).chosen(None, tools)


def test_tools_hold_no_number_that_cannot_be_written() -> None:
    with pytest.raises(WgmlError, match=r"tools\[0\]\.strict is a number of 16610 bits"):
        render([USER], tools=[TOOL | {"strict": 10**5000}])


def test_tools_are_of_bounded_size() -> None:
    """Each of 60 levels holds the one below twice: written out, that is more than any machine can hold."""
    deep: Any = "x"
    for _ in range(60):
        deep = [deep, deep]
    with pytest.raises(WgmlError, match="values that can be taken"):
        render([USER], tools=[TOOL | {"deep": deep}])


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ([{"content": "x"}], r"messages\[0\] has no role"),
        ([USER, {"role": "assistant", "tool_calls": "x"}], r"tool_calls of messages\[1\] are not a list"),
        ([USER, {"role": "assistant", "tool_calls": [{"name": "f"}]}], "does not name its function"),
        ([USER, call("{")], "'weather' in messages.1. are not a JSON object"),
        ([USER, call([1])], "'weather' in messages.1. are not a JSON object"),
    ],
)
def test_refuses_messages(messages: Any, message: str) -> None:
    with pytest.raises(WgmlError, match=message):
        render(messages, tools=[TOOL])


def test_the_system_tells_of_tools_where_the_template_knows_of_none() -> None:
    """Calls and results are told in the same words, as JSON."""
    template = ChatTemplate(
        "{% for m in messages %}{% if m.role == 'tool' %}{{ raise_exception('who?') }}{% endif %}"
        "<{{ m.role }}>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
    )
    text = template.render([SYSTEM, USER, call({"city": "Rome"}), {"role": "tool", "content": "21"}], tools=[TOOL])
    assert text.startswith("<system>Be brief.") and json.dumps(TOOL["function"]) in text
    assert text.endswith(
        '<user>Warm in Paris?<assistant>{"name": "weather", "arguments": {"city": "Rome"}}'
        '<user>{"tool_response": {"name": "weather", "content": "21"}}<assistant>'
    )
