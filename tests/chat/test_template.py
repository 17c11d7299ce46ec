"""Chat templates: against transformers' renderings of real ones, and what templates are given and may use."""

from __future__ import annotations

import json
import math
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from chat.rendering import render

from py_wgml.chat import ChatTemplate
from py_wgml.errors import WgmlError
from py_wgml.gguf_model import read_header

HERE = Path(__file__).parent
TRUTH = HERE.parents[2] / "shared" / "truth" / "templates.json"


def cases() -> list[Any]:
    if not TRUTH.exists():
        return [pytest.param(None, id="absent", marks=pytest.mark.skip(reason="no reference renderings"))]
    truth = json.loads(TRUTH.read_text(encoding="utf-8"))
    return [
        pytest.param(
            (truth["bos_token"], truth["eos_token"], entry["template"], truth["cases"][result["case"]], result),
            id=f"{entry['name']}-{result['case']}-{result['add_generation_prompt']}",
        )
        for entry in truth["templates"]
        for result in entry["results"]
    ]


@pytest.mark.parametrize("case", cases())
def test_same_as_transformers(case: Any) -> None:
    bos, eos, source, messages, result = case
    template = ChatTemplate(source, bos, eos)
    if "error" in result:
        with pytest.raises(WgmlError):
            template.render(messages, result["add_generation_prompt"])
    else:
        assert template.render(messages, result["add_generation_prompt"]) == result["expected"]


def test_smollm2(smollm2_path: Path) -> None:
    truth = json.loads((HERE.parent / "data" / "smollm2-135m-q4_1.hf-f32.json").read_text(encoding="utf-8"))
    expected: str = truth["prompts"]["chat"]["text"]
    question = expected.split("user\n")[1].split("<|im_end|>")[0]
    template = ChatTemplate(read_header(smollm2_path).metadata["tokenizer.chat_template"])
    assert template.render([{"role": "user", "content": question}]) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ bos_token }}{{ messages[0].content }}{{ eos_token }}", "<BOS>Hi<EOS>"),
        ("a\n  {% if true %}\nb\n  {% endif %}\nc", "a\nb\nc"),  # trim_blocks, lstrip_blocks
        ("{% for i in range(9) %}{% if i == 3 %}{% break %}{% endif %}{{ i }}{% endfor %}", "012"),
        ("{% for i in range(3) %}{% if i == 1 %}{% continue %}{% endif %}{{ loop.index }}{% endfor %}", "13"),
        ("{{ {'b': 'é<&\\'', 'a': [1, none]} | tojson }}", '{"b": "é<&\'", "a": [1, null]}'),
        ("{{ {'b': 1, 'a': 2} | tojson(indent=2, sort_keys=true) }}", '{\n  "a": 2,\n  "b": 1\n}'),
        ("{{ 'é' | tojson(ensure_ascii=true) }}", '"\\u00e9"'),
        ("{{ [1, 2] | tojson(separators=(',', ':')) }}", "[1,2]"),
        ("{% generation %}x{% set y = 1 %}{% endgeneration %}{{ y }}", "x"),
        ("{{ add_generation_prompt }} {{ tools }} {{ documents }}", "True None None"),
        ("{% if tools %}T{% endif %}{{ thinking | default('off') }}", "off"),
        ("{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}", "1"),
        ("{% macro f(x, y=2) %}[{{ x }}|{{ y }}]{% endmacro %}{{ f(1) }}{{ f(1, y=3) }}", "[1|2][1|3]"),
        ("{{ messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | join(', ') }}", "Hi"),
        ("{{ 'a,b'.split(',') }} {{ 'ab'[::-1] }} {{ ' x '.strip() }} {{ 'a' ~ 1 ~ none }}", "['a', 'b'] ba x a1None"),
        ("{{ '%s is %05.1f' % ('x', 2.5) }} {{ '{:>4}|{a}'.format(1, a=2) }}", "x is 002.5    1|2"),
        ("{% for k, v in {'a': 1}.items() %}{{ k }}={{ v }}{% endfor %}", "a=1"),
        ("{% set x %}in{% endset %}{{ x | upper }}{{ ('a', 'b') }}{{ ['a'] + ['b'] }}", "IN('a', 'b')['a', 'b']"),
        ("{{ 'a' * 3 }}{{ 2 ** 10 }}{{ 7 % 4 }}{{ 1 + 2.5 }}{{ undefined_thing }}", "aaa102433.5"),
        ("{{ 'x' | indent(2, first=true) }}{{ 'aba' | replace('a', 'c') }}{{ [1, 2] | sum }}", "  xcbc3"),
    ],
)
def test_what_templates_are_given(source: str, expected: str) -> None:
    assert render(source) == expected


def test_variables_of_the_caller() -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]
    source = "{{ tools[0].function.name }} {{ enable_thinking }} {{ bos_token }}"
    assert render(source, tools=tools, enable_thinking=False, bos_token="!") == "f False !"


def test_attributes_of_python_are_empty() -> None:
    assert render("{{ ''['__class__'] }}{{ '{0.__class__}'.format(1) }}") == ""


def test_the_date() -> None:
    assert render("{{ strftime_now('%Y') }}") in {str(datetime.now().year), str(datetime.now().year - 1)}


def test_refusal() -> None:
    with pytest.raises(WgmlError, match=r"refuses this conversation: Roles must\s+alternate"):
        render("{{ raise_exception('Roles must\n alternate') }}")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("a\nb{% if %}", "error in line 2"),
        ("{% endfor %}", "error in line 1"),
        ("{{ 'a' | nonesuch }}", "nonesuch"),
        ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "can't be compiled"),
        ("{{ 1" + " + 1" * 5000 + " }}", "more than 1000 parts"),
        ("{{ x" + " | upper" * 5000 + " }}", "more than 1000 parts"),
        ("{% if true %}" * 2000 + "{% endif %}" * 2000, "can't be compiled"),
        ("x" * (1 << 19), "too long"),
    ],
)
def test_bad_template_is_refused_at_once(source: str, message: str) -> None:
    with pytest.raises(WgmlError, match=message):
        ChatTemplate(source)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ 'a b a' | replace(new='c', old='a') }}{{ 'aaa' | replace('a', count=2, new='c') }}", "c b ccca"),
        ("{{ 'a\\r\\nb' | indent(first=true, width=2) }}", "  a\n  b"),
        ("{{ '{0[}]}{{{1:>3}}}'.format({'}': 'x'}, 2) }}", "x{  2}"),
        ("{{ ('a b\\n' * 50000).split(none, 2) | length }}{{ ' a b '.split() }}", "3['a', 'b']"),
        ("{{ 'abab'.split('b') }}", "['a', 'a', '']"),
        ("{{ {'a': 9**20, 'b': [9**30]} }}", str({"a": 9**20, "b": [9**30]})),
        ("{{ [1, 2, 3, 4] | batch(2) | list }}", "[[1, 2], [3, 4]]"),
        ("{{ ['b', 'a'] | map('upper') | sort | join(',') }}", "A,B"),
        ("{{ messages | selectattr('role', 'equalto', 'user') | list | length }}", "1"),
        ("{{ messages | rejectattr('role', 'in', ['user']) | list }}", "[]"),
        ("{{ 'a,b'.split(',') | last }}{{ ' x '.strip() }}{{ 'ab'.rfind('b') }}{{ 'x'.zfill(3) }}", "bx100x"),
        ("{{ {'a': 1}.items() | list }}{{ {'a': 1}.get('b', 2) }}", "[('a', 1)]2"),
        ("{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.current }}", "aba"),
        ("{% for k, v in {'a': 1} | items %}{{ k }}{{ v }}{% endfor %}", "a1"),
    ],
)
def test_what_templates_use_works(source: str, text: str) -> None:
    assert render(source) == text


@pytest.mark.parametrize(
    ("given", "says"),
    [
        *(({"source": source}, "the chat template is .*, not text") for source in (None, b"x", 5, ["x"])),
        ({"bos_token": None}, "bos_token is None, not text"),
        ({"eos_token": 5}, "eos_token is the int 5, not text"),
        *(({"named": named}, "named is .*, not an object with names") for named in (["a"], "a", 5, {1: "a"})),
        ({"named": {"a": 5}}, "the chat template 'a' is the int 5, not text"),
        *(({"max_seconds": seconds}, "max_seconds is") for seconds in (math.nan, -1, None, "5", True)),
    ],
)
def test_what_makes_no_template(given: dict[str, Any], says: str) -> None:
    with pytest.raises(WgmlError, match=says):
        ChatTemplate(**{"source": "x", **given})
