"""Calls of functions: told from text in every family's way of writing them, however the text is cut; how a template
writes them; and what an answer is held to that has to be one."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jsonschema
import pytest
from chat.families import TEMPLATES
from chat.test_tools import TEMPLATE
from grammar.walks import Walker

from py_wgml.chat import ChatTemplate
from py_wgml.chat.answers import AnswerFormat
from py_wgml.chat.calls import BARE, CallSplitter
from py_wgml.chat.calls.reader import Reader
from py_wgml.chat.marks import marks_of
from py_wgml.chat.reasoning import ReasoningSplitter
from py_wgml.chat.tools import chosen
from py_wgml.errors import WgmlError
from py_wgml.generate import arguments_of
from py_wgml.generate.parts import Part, Splitter
from py_wgml.grammar.automaton import compile

WEATHER = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "unit": {"type": "string", "enum": ["C", "F"]},
        "days": {"type": "integer", "minimum": 1},
        "places": {
            "type": "object",
            "properties": {"at": {"type": "array", "items": {"type": "number"}}},
            "required": ["at"],
        },
    },
    "required": ["city", "places"],
}
SWITCH = {"type": "object", "properties": {"on": {"type": "boolean"}, "by": {"type": ["string", "null"]}}}
TOOLS: list[dict[str, Any]] = [
    {"type": "function", "function": {"name": "weather", "parameters": WEATHER}},
    {"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}},
    {"type": "function", "function": {"name": "switch", "parameters": SWITCH}},
    {"type": "function", "function": {"name": "note"}},
]
SCHEMAS = {tool["function"]["name"]: tool["function"].get("parameters", {}) for tool in TOOLS}

Calls = Sequence[tuple[str, dict[str, Any]]]
# What a conversation's answer thinks, says and calls.
HOSTILE = "\"a\" 'b' {c} [d] (e), f=1: <g> `h` \\ \t\n</think> <tool_call>{} [TOOL_CALLS] ok? \U0001f642 \u00e9\u4e2d"
CONVERSATIONS: dict[str, tuple[str, str, Calls]] = {
    "one": ("", "", [("weather", {"city": "Rome"})]),
    "several": ("", "Let me look.", [("weather", {"city": "Oslo", "days": 3}), ("now", {}), ("weather", {"city": ""})]),
    "thoughts": ("It is far.", "", [("now", {})]),
    "nested": (
        "Where <tool_call>{} is.",
        "I look:",
        [("weather", {"city": HOSTILE, "places": {"at": [1, -2.5, True, None, []], "a b": {"c": 'it\'s "so"'}}})],
    ),
    "unknown": ("", "", [("none-of.these", {"x": "1", "y": 1, "z": "null", "list": ["a", {"b": False}]})]),
}


def dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def object_of(call: tuple[str, dict[str, Any]], names: tuple[str, str] = ("name", "arguments")) -> str:
    return dumped(dict(zip(names, call, strict=True)))


def each(before: str, behind: str, calls: Calls, names: tuple[str, str] = ("name", "arguments")) -> str:
    return "\n".join(f"{before}{object_of(call, names)}{behind}" for call in calls)


def listed(before: str, behind: str, calls: Calls, names: tuple[str, str] = ("name", "arguments")) -> str:
    return f"{before}[{', '.join(object_of(call, names) for call in calls)}]{behind}"


def raw(value: Any) -> str:
    """Text as it is; what would be read as something else in JSON."""
    try:
        json.loads(value)
    except (TypeError, ValueError):
        return value if isinstance(value, str) and value else dumped(value)
    return dumped(value)


def xml(before: str, behind: str, form: tuple[str, str, str, str], calls: Calls) -> str:
    opening, key, closing, end = form
    texts = []
    for name, arguments in calls:
        inside = "".join(key.format(k) + raw_for(name, k, v) + closing for k, v in arguments.items())
        texts.append(f"{opening.format(name)}{inside}{end}")
    return f"{before}{behind.join(texts)}"


def raw_for(name: str, key: str, value: Any) -> str:
    is_text = SCHEMAS.get(name, {}).get("properties", {}).get(key, {}).get("type") == "string"
    return value if is_text else raw(value)


def python(before: str, behind: str, calls: Calls) -> str:
    texts = (f"{name}({', '.join(f'{k}={v!r}' for k, v in arguments.items())})" for name, arguments in calls)
    return f"{before}{', '.join(texts)}{behind}"


def gemma(opening: str, closing: str, quote: str, calls: Calls) -> str:
    def value(given: Any) -> str:
        if isinstance(given, dict):
            return "{" + ",".join(f"{k}:{value(v)}" for k, v in given.items()) + "}"
        if isinstance(given, list):
            return "[" + ",".join(map(value, given)) + "]"
        return quote + given + quote if isinstance(given, str) else dumped(given)

    return "".join(f"{opening}call:{name}{value(arguments)}{closing}" for name, arguments in calls)


def deepseek(calls: Calls, is_new: bool) -> str:
    texts = []
    for name, arguments in calls:
        new = f"{name}<\uff5ctool\u2581sep\uff5c>{dumped(arguments)}"
        old = f"function<\uff5ctool\u2581sep\uff5c>{name}\n```json\n{dumped(arguments)}\n```"
        texts.append(
            f"<\uff5ctool\u2581call\u2581begin\uff5c>{new if is_new else old}<\uff5ctool\u2581call\u2581end\uff5c>"
        )
    return f"<\uff5ctool\u2581calls\u2581begin\uff5c>{''.join(texts)}<\uff5ctool\u2581calls\u2581end\uff5c>"


def kimi(calls: Calls) -> str:
    begin, middle, end = "<|tool_call_begin|>", "<|tool_call_argument_begin|>", "<|tool_call_end|>"
    texts = (f"{begin}functions.{name}:{i}{middle}{dumped(given)}{end}" for i, (name, given) in enumerate(calls))
    return f"<|tool_calls_section_begin|>{''.join(texts)}<|tool_calls_section_end|>"


def dotted(name: str) -> str:
    return f"{name}.call" if name in SCHEMAS else name


QWEN_CODER = ("<tool_call>\n<function={}>\n", "<parameter={}>\n", "\n</parameter>\n", "</function>\n</tool_call>")
SEED = ("<seed:tool_call>\n<function={}>\n", "<parameter={}>", "</parameter>\n", "</function>\n</seed:tool_call>")
MINIMAX = ('<invoke name="{}">\n', '<parameter name="{}">', "</parameter>\n", "</invoke>\n")
GLM = ("<tool_call>{}\n", "<arg_key>{}</arg_key>\n<arg_value>", "</arg_value>\n", "</tool_call>")
PARAMETERS = ("name", "parameters")
WRITTEN: dict[str, Callable[[Calls], str]] = {
    "hermes": partial(each, "<tool_call>\n", "\n</tool_call>"),
    "hermes, several in one": lambda calls: f"<tool_call>{each('', '', calls)}</tool_call>",
    "hermes, a list": partial(listed, "<tool_call>\n", "\n</tool_call>"),
    "arguments as text": lambda calls: each("<tool_call>", "</tool_call>", [(n, dumped(a)) for n, a in calls]),  # type: ignore[misc]
    "arguments first": lambda calls: "\n".join(
        f"<tool_call>{dumped({'id': 'x', 'arguments': given, 'name': name})}</tool_call>" for name, given in calls
    ),
    "openai's own": lambda calls: "\n".join(
        f"<tool_call>{dumped({'type': 'function', 'function': {'name': name, 'arguments': given}})}</tool_call>"
        for name, given in calls
    ),
    "falcon": partial(listed, "<tool_calls>\n", "\n</tool_calls>"),
    "nemotron": partial(listed, "<TOOLCALL>", "</TOOLCALL>"),
    "qwen 3 coder": partial(xml, "", "\n", QWEN_CODER),
    "seed": partial(xml, "", "\n", SEED),
    "minimax": lambda calls: xml("<minimax:tool_call>\n", "", MINIMAX, calls) + "</minimax:tool_call>",
    "glm": partial(xml, "", "\n", GLM),
    "llama 3": lambda calls: "<|python_tag|>" + "; ".join(object_of(call, PARAMETERS) for call in calls),
    "llama 3, called": lambda calls: python("<|python_tag|>", "", [(dotted(name), given) for name, given in calls]),
    "functionary 3.1": lambda calls: "".join(f"<function={name}>{dumped(given)}</function>" for name, given in calls),
    "mistral": partial(listed, "[TOOL_CALLS]", ""),
    "mistral, with ids": lambda calls: (
        "[TOOL_CALLS] ["
        + ", ".join(f'{object_of(call)[:-1]}, "id": "abcdefgh{i}"}}' for i, call in enumerate(calls))
        + "]"
    ),
    "mistral, one by one": lambda calls: "".join(f"[TOOL_CALLS]{name}[ARGS]{dumped(given)}" for name, given in calls),
    "mistral, numbered": lambda calls: "".join(
        f"[TOOL_CALLS]{name}[CALL_ID]abcdefgh{i}[ARGS]{dumped(given)}" for i, (name, given) in enumerate(calls)
    ),
    "granite 3": partial(listed, "<|tool_call|>", ""),
    "phi 4 mini": partial(each, "<|tool_call|>", "<|/tool_call|>"),
    "lfm 2": partial(python, "<|tool_call_start|>[", "]<|tool_call_end|>"),
    "lfm 2, JSON": partial(listed, "<|tool_call_start|>", "<|tool_call_end|>"),
    "olmo 3": lambda calls: f"<function_calls>\n{python('', '', calls)}\n</function_calls>",
    "functiongemma": partial(gemma, "<start_function_call>", "<end_function_call>", "<escape>"),
    "gemma 4": partial(gemma, "<|tool_call>", "<tool_call|>", '<|"|>'),
    "deepseek 3": partial(deepseek, is_new=False),
    "deepseek 3.1": partial(deepseek, is_new=True),
    "kimi": kimi,
    "command r": partial(listed, "<|START_ACTION|>", "<|END_ACTION|>", names=("tool_name", "parameters")),
}
# Without marks of their own: of functions that were given alone.
STRICT: dict[str, Callable[[Calls], str]] = {
    "bare": partial(each, "", ""),
    "bare, a list": partial(listed, "", "", names=PARAMETERS),
    "pythonic": partial(python, "[", "]"),
    "in a block": lambda calls: f"```json\n{each('', '', calls)}\n```",
    "gemma 3": lambda calls: "```tool_code\n" + "\n".join(python("", "", [call]) for call in calls) + "\n```",
    "gemma 3, printed": lambda calls: "```tool_code\n" + "\n".join(python("print(", ")", [c]) for c in calls) + "\n```",
    "functionary 3.2": lambda calls: "".join(f">>>{name}\n{dumped(given)}" for name, given in calls),
}


def told(splitter: Splitter, text: str, size: int) -> tuple[str, str, list[tuple[str, str]]]:
    """Thoughts, text and calls; what is checked of every answer."""
    part, ids, begun = Part(), [], []
    for start in range(0, len(text), size):
        new = splitter.push(text[start : start + size])
        begun += [call.index for call in new.calls if call.id]
        part += new
    part += splitter.flush()
    ids = [call.id for call in part.calls]
    assert all(ids) and len({*ids}) == len(ids)
    assert [call.index for call in part.calls] == [*range(len(ids))]
    return part.reasoning, part.text, [(call.name, call.arguments) for call in part.calls]


def splitter(prompt: str = "") -> CallSplitter:
    return CallSplitter(ReasoningSplitter(prompt), TOOLS, prompt)


def cut(text: str) -> list[int]:
    """Sizes of pieces; short texts are cut everywhere."""
    return [1, 2, 3, 5, 8, 13, len(text)]


def is_told(name: str, conversation: str) -> bool:
    """Without marks these are calls where an answer begins with them, of functions that were given."""
    said = CONVERSATIONS[conversation][1]
    return name in WRITTEN or not (conversation == "unknown" or (said and ("bare" in name or name == "pythonic")))


@pytest.mark.parametrize(
    ("name", "conversation"), [(n, c) for n in [*WRITTEN, *STRICT] for c in CONVERSATIONS if is_told(n, c)]
)
def test_calls_are_told_from_the_rest(name: str, conversation: str) -> None:
    thoughts, said, calls = CONVERSATIONS[conversation]
    text = (f"<think>{thoughts}</think>" if thoughts else "") + said + ("\n\n" if said else "")
    text += (WRITTEN | STRICT)[name](calls)
    for size in cut(text):
        found = told(splitter(), text, size)
        assert found[:2] == (thoughts, said), size
        assert [(name, json.loads(arguments)) for name, arguments in found[2]] == [*calls], (size, text)


OTHERS = [
    "Use <tool_call> like so: {}, or `<function=`.",
    "Apples [a](b) {x}, 3 >>> 2\n\n",
    "  \n",
    '{"name": "John", "age": 3}',
    '{"title": "weather", "parameters": {"city": "Rome"}}',
    '{"name": "weather"}',
    '{"name": "weather", "age": 3}',
    "[1, 2, 3]",
    "[weather](https://example.com)",
    "[TOOL_CALLS] are marks",
    "<tool_call>{}</tool_call>",
    '<tool_call>{"name": 5, "arguments": {}}</tool_call>',
    "<tool_call>{'name': 'weather'}</tool_call>",
    '<tool_call>{"name": "wea',
    '<tool_call>{"arguments": {"city": "Rome"}}</tool_call>',
    "<tool_call>",
    "<tool_c",
    "<tool_call>weather",
    "<|python_tag|>import math",
    "<|python_tag|>weather (in Rome)",
    '```json\n{"name": "Rome"}\n```',
    "```tool_code\nprint('weather(1)')\n```",
    "<function=>{}",
    "<|tool_call>call:{}<tool_call|>",
]


@pytest.mark.parametrize("text", OTHERS)
def test_what_is_no_call_stays_text(text: str) -> None:
    for size in cut(text):
        assert told(splitter(), text, size) == ("", text, []), size


ROME = ("weather", '{"city": "Rome"}')
WRONG: dict[str, tuple[str, str, list[tuple[str, str]]]] = {
    # Cut off, or wrong: once the function is known, it is a call, with what there is of its arguments.
    '<tool_call>{"name": "weather", "arguments": {"city": "Ro': ("", "", [("weather", '{"city": "Ro')]),
    '<tool_call>{"name": "weather", "arguments": {"city": }}</tool_call>': ("", "", [("weather", '{"city": }')]),
    '<tool_call>{"name": "weather", "arguments": "{\\"city': ("", "", [("weather", '"{\\"city')]),
    "<tool_call>\n<function=weather>\n<parameter=city>\nRo": ("", "", [("weather", '{"city": "Ro')]),
    "<tool_call>\n<function=weather>\n<parameter=days>\n1": ("", "", [("weather", '{"days": "1')]),
    "[TOOL_CALLS]weather[ARGS]": ("", "[TOOL_CALLS]weather[ARGS]", []),
    "[TOOL_CALLS]weather[ARGS]{": ("", "", [("weather", "{")]),
    "<|tool_call_start|>[weather(city='Ro": ("", "", [("weather", '{"city": "Ro')]),
    "<|tool_call_start|>[weather('Rome')]<|tool_call_end|>": ("", "('Rome')]<|tool_call_end|>", [("weather", "")]),
    '<|tool_call>call:weather{city:<|"|>Ro': ("", "", [("weather", '{"city": "Ro')]),
    # A brace too few or too many, no closing mark, nothing to call with.
    '<tool_call>{"name": "weather", "arguments": {"city": "Rome"}</tool_call>': ("", "", [ROME]),
    '<tool_call>{"name": "weather", "arguments": {"city": "Rome"}}}</tool_call>': ("", "", [ROME]),
    '<tool_call>{"name": "weather", "arguments": {"city": "Rome"}}': ("", "", [ROME]),
    '<tool_call>{"name": "now", "arguments": null}</tool_call>': ("", "", [("now", "{}")]),
    '<tool_call>{"name": "now"}</tool_call>': ("", "", [("now", "{}")]),
    "<tool_call>now</tool_call>": ("", "", [("now", "{}")]),
    "<function=now></function>": ("", "", [("now", "{}")]),
    # Marks again, text behind, thoughts that nobody opened, a call within a list that ends early.
    '<tool_call><tool_call>{"name": "now"}</tool_call>': ("", "<tool_call>", [("now", "{}")]),
    '<tool_call>{"name": "now"}</tool_call>\n\nRome (Italy) is {far}.': (
        "",
        "Rome (Italy) is {far}.",
        [("now", "{}")],
    ),
    '[TOOL_CALLS][{"name": "now"}]Rome (Italy)': ("", "Rome (Italy)", [("now", "{}")]),
    '[TOOL_CALLS][{"name": "now"}, 5]': ("", "5]", [("now", "{}")]),
    'I look.\n<tool_call>{"name": "now"}</tool_call>\nSo.\n': ("", "I look.\n\nSo.", [("now", "{}")]),
    'why</think><tool_call>{"name": "now"}</tool_call>': ("why", "", [("now", "{}")]),
    '{"name": "now", "arguments": {}}</think>so': ("", "so", [("now", "{}")]),
    # Characters of Python's and of JSON's.
    r"""<|tool_call_start|>[note(a='\x41\u00e9\ud83d\ude42\'\n', b='''x"y''', c=.5, d=(1, 2))]""": (
        "",
        "",
        [("note", '{"a": "A\u00e9\U0001f642\'\\n", "b": "x\\"y", "c": ".5", "d": [1, 2]}')],
    ),
}


@pytest.mark.parametrize("text", WRONG)
def test_calls_that_are_cut_off_or_wrong(text: str) -> None:
    for size in cut(text):
        assert told(splitter(), text, size) == WRONG[text], size


def test_arguments_come_as_they_are_written() -> None:
    given = splitter()
    assert given.push('<tool_call>{"name": "weather", "arguments": {"ci').calls[0].arguments == '{"ci'
    assert given.push('ty": "Ro').calls[0].arguments == 'ty": "Ro'
    given = splitter()
    given.push("<tool_call>\n<function=weather>\n<parameter=city>\nA long")
    assert given.push(" way to go to that city, and").calls[0].arguments.startswith("A long way")


def test_a_prompt_may_end_with_the_mark_of_a_call() -> None:
    assert told(splitter("a<tool_call>\n"), '{"name": "now"}</tool_call>', 3) == ("", "", [("now", "{}")])
    functionary = 'all\nI look.\n>>>weather\n{"city": "Rome"}'
    assert told(splitter("assistant\n>>>"), functionary, 2) == ("", "I look.", [ROME])
    assert told(splitter("assistant\n>>>"), "now\n{}", 1) == ("", "", [("now", "{}")])


@pytest.mark.parametrize(
    "text",
    [
        *("<tool_call>" * 2_000, "<tool_call>{" * 2_000, '{"name": ' * 2_000, "[" * 10_000, "<" * 10_000),
        *("\n" * 10_000, '<tool_call>{"name": "now", "arguments": ' + "[" * 10_000, "[TOOL_CALLS]a" * 2_000),
        '<tool_call>{"name": "now"}</tool_call>' * 300,
    ],
    ids=lambda text: text[:40],
)
def test_long_answers_take_no_quadratic_work(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read = 0
    push = Reader.push

    def counted(self: Reader, text: str) -> None:
        nonlocal read
        push(self, text)
        read += len(self.text) - self.at

    monkeypatch.setattr(Reader, "push", counted)
    told(splitter(), text, 50)
    assert read < 20 * len(text)


# Ways that no row knows, and those of families that tests/chat/families.py does not have.
_TURNS = (
    "{% if tools %}{{ tools | tojson }}{% endif %}{% for m in messages %}<|{{ m.role }}|>{{ m.content or '' }}"
    "{% if m.tool_calls %}WHAT{% endif %}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
_EACH = "{% for c in m.tool_calls %}ONE{% endfor %}"
_JSON = '{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}'
OWN = {
    "no row": _TURNS.replace("WHAT", _EACH).replace("ONE", f"<my-call>{_JSON}</my-call>"),
    "mistral": _TURNS.replace("WHAT", f"[TOOL_CALLS][{_EACH}]").replace("ONE", _JSON),
    "mistral, one by one": _TURNS.replace("WHAT", _EACH).replace(
        "ONE", "[TOOL_CALLS]{{ c.function.name }}[ARGS]{{ c.function.arguments | tojson }}"
    ),
    "lfm 2": _TURNS.replace("WHAT", f"<|tool_call_start|>[{_EACH}]<|tool_call_end|>").replace(
        "ONE",
        "{{ c.function.name }}({% for k, v in c.function.arguments.items() %}{{ k }}="
        "{{ '\"' + v + '\"' if v is string else v }}{{ ', ' if not loop.last }}{% endfor %})",
    ),
    "text": _TURNS.replace("WHAT", _EACH).replace(
        "ONE", '<tool_call>{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments }}}</tool_call>'
    ),
    "chatml": TEMPLATE,
}
ALL = TEMPLATES | OWN


def format_of(name: str) -> tuple[ChatTemplate, AnswerFormat]:
    template = ChatTemplate(ALL[name], "<s>", "</s>")
    return template, AnswerFormat(
        marks_of(ALL[name], [], {}, ()), lambda: template.call_form, ["<|end|>", "<|im_end|>"]
    )


@pytest.mark.parametrize("name", ALL)
def test_calls_as_the_template_writes_them(name: str) -> None:
    """What it writes is read, and what is written as it was seen to write is what it writes."""
    template, format = format_of(name)
    question = {"role": "user", "content": "Where?"}
    is_told = name == "deepseek 2"  # as text, where no arguments are left out
    for call_name, arguments in (("weather", {"city": "Rome", "days": 3}), *([] if is_told else [("now", {})])):
        call = {"type": "function", "id": "call_1", "function": {"name": call_name, "arguments": arguments}}
        answer = {"role": "assistant", "content": "", "tool_calls": [call]}
        text = template.render([question, answer], add_generation_prompt=False, tools=TOOLS[:3])
        written = format._calls.written(call_name, arguments)
        if name != "kimi":  # whose template has the id in the place of the name
            assert written in text
        assert told(format.splitter("", "", TOOLS), written, 3) == ("", "", [(call_name, dumped(arguments))])
    assert (template.call_form is BARE) == (name in ("deepseek 2", "kimi"))


@pytest.mark.parametrize(("name", "several"), [*((name, True) for name in ALL), ("chatml", False)])
def test_what_an_answer_is_held_to_that_has_to_call(name: str, several: bool) -> None:
    """Whatever fits is a call in the model's own form, with arguments that fit the function's schema."""
    _, format = format_of(name)
    walker = Walker(compile(format.forced(chosen(TOOLS, "required", several))))
    chance = random.Random(1)
    names = set()
    for _ in range(30):
        text = walker.walk(chance).decode()
        thoughts, said, calls = told(format.splitter("", "", TOOLS), text, 1000)
        assert (thoughts, said) == ("", ""), text
        assert several or len(calls) == 1
        for called, arguments in calls:
            jsonschema.validate(json.loads(arguments), SCHEMAS[called])
            names.add(called)
    assert names <= {*SCHEMAS} and len(names) > 1
    only = Walker(compile(format.forced(chosen(TOOLS, {"type": "function", "function": {"name": "now"}}))))
    assert {only.walk(chance).decode() for _ in range(5)} == {format._calls.written("now", {})}


@pytest.mark.parametrize(
    ("tools", "choice", "message"),
    [
        (None, "required", "but there is no tool$"),
        (TOOLS, {"type": "function", "function": {"name": "x"}}, "there is no tool of the name 'x'"),
        (TOOLS, "always", 'tool_choice is the str .always., not "auto", "none", "required" or'),
        (TOOLS, {"type": "function"}, "tool_choice is the dict"),
        (TOOLS, 5, "tool_choice is the int 5"),
    ],
)
def test_refuses_choices(tools: Any, choice: Any, message: str) -> None:
    with pytest.raises(WgmlError, match=message):
        chosen(tools, choice)


def test_choices() -> None:
    assert chosen(TOOLS, None) == chosen(TOOLS, "auto") and chosen(TOOLS, None).tools == TOOLS
    assert (chosen(TOOLS, "none").tools, chosen(None, "auto").tools) == (None, None)
    parameters = {"type": "object", "properties": {"a": {"minLenght": 3}}}
    choice = chosen([{"type": "function", "function": {"name": "f", "parameters": parameters}}], "required")
    with pytest.raises(WgmlError, match="minLenght"):
        format_of("chatml")[1].forced(choice)


def test_arguments_are_read() -> None:
    calls = [{"function": {"arguments": text}} for text in ('{"a": 1}', "{", "[]", "")]
    assert [arguments_of(call) for call in calls] == [{"a": 1}, None, None, None]
