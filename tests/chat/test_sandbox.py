"""Templates nobody vouches for: what they may not do, and where they are stopped."""

from __future__ import annotations

import re
import sys
import tracemalloc
from typing import Any

import pytest
from chat.hostile import HOSTILE, each_after_another
from chat.rendering import USER, render

from py_wgml.chat import ChatTemplate, sandbox
from py_wgml.chat.limits import MAX_FUEL, MAX_HELD, MAX_SIZE, STEP
from py_wgml.errors import ContextError, WgmlError

GROW = "{%% set ns = namespace(s=%s) %%}{%% for i in range(60) %%}{%% set ns.s = %s %%}{%% endfor %%}{{ ns.s %s }}"
HARMFUL = {
    "nested loops": "{% for i in range(100000) %}{% for j in range(100000) %}{% set x = i %}{% endfor %}{% endfor %}",
    "loops that only filter": "{% for i in range(99999) %}{% for j in range(99999) if 0 %}{% endfor %}{% endfor %}",
    "endless recursion": "{% macro f(n) %}{{ f(n) }}{% endmacro %}{{ f(1) }}",
    "branching recursion": "{% macro f(n) %}{% if n %}{{ f(n-1) }}{{ f(n-1) }}{% endif %}{% endmacro %}{{ f(90) }}",
    "a recursive loop": "{% for x in y recursive %}{{ loop(y) }}{% endfor %}",
    "containers in containers": GROW.replace("60", "50000") % ("['a']", "[ns.s]", ""),
    "a huge range": "{{ range(10**9) | list }}",
    "a string times": "{{ 'a' * 10**9 }}",
    "times a string": "{{ 10**9 * 'a' }}",
    "a list times": "{{ [1] * 10**9 }}",
    "bytes times": "{{ 'x'.encode() * 10**9 }}",
    "powers": "{{ (10**1000)**1000 }}",
    "big powers": "{{ 9**(9**9) }}",
    "products": "{% set ns = namespace(n=9**999) %}{% for i in range(99) %}{% set ns.n = ns.n * ns.n %}{% endfor %}",
    "a width in %": "{{ '%1000000000d' % 1 }}",
    "a precision in %": "{{ '%.1000000000f' % 1 }}",
    "a computed width in %": "{{ '%*d' % (10**9, 1) }}",
    "many wide fields": "{{ ('%9999d' * 100000) % ((1,) * 100000) }}",
    "a width in format": "{{ '{:1000000000}'.format(1) }}",
    "a computed width in format": "{{ '{:{}}'.format(1, 10**9) }}",
    "a computed width behind a brace": """{{ '{0[}]:{1}}'.format({'}': 'x'}, 10**9) }}""",
    "a computed width behind an escape": "{{ '{{{:{}}}}'.format(1, 10**9) }}",
    "long numbers, written": "{{ ([9**1000] * 50000) | string }}",
    "long numbers in other digits": "{{ ('{0:_b}' * 1000).format(9**999) }}",
    "a width in format_map": "{{ '{a:1000000000}'.format_map({'a': 1}) }}",
    "a value in many fields": "{{ ('{0}' * 100000).format('a' * 100000) }}",
    "the filter format": "{{ '%1000000000d' | format(1) }}",
    "the filter center": "{{ 'a' | center(10**9) }}",
    "the filter center, of constants": "{{ 'a' | center(1000000000) }}",
    "the filter indent": "{{ ('a\n' * 100000) | indent(1000) }}",
    "the filter indent, of other ends of lines": "{{ ('\r' * 1000) | indent(300000, blank=true) }}",
    "the filter indent, of lines of Unicode": "{{ ('\u2028\x1c\x85' * 300) | indent(300000, true, true) }}",
    "the filter replace, by names": "{{ ('a' * 100000) | replace(new='b' * 2000, old='') }}",
    "the filter replace, a count before": "{{ ('a' * 100000) | replace('', count=100000, new='b' * 2000) }}",
    "the filter replace, of none": "{{ ('None' * 100000) | replace(none, 'b' * 2000) }}",
    "the filter replace, mapped": "{{ ['a' * 100000] | map('replace', new='b' * 2000, old='') | list }}",
    "the filter list, of wide text": "{{ ('😀' * 2000000) | list }}",
    "the filter sort, of wide text": "{{ ('😀' * 2000000) | sort }}",
    "the filter join, of wide text": "{{ ('😀' * 2000000) | join }}",
    "str.join, of wide text": "{{ ''.join('😀' * 2000000) }}",
    "str.split, of wide text": "{{ ('😀b' * 1000000).split('b') }}",
    "str.split, into words": "{{ ('😀 ' * 1000000).split() }}",
    "str.rsplit, into words": "{{ ('😀 ' * 1000000).rsplit(none) }}",
    "str.splitlines": "{{ ('😀\r' * 1000000).splitlines() }}",
    "the filter replace": "{{ ('a' * 100000) | replace('a', 'b' * 100000) }}",
    "the filter round": "{{ 9 | round(100000000) }}",
    "the filter batch": "{{ [1] | batch(10**9, 0) | list }}",
    "the filter slice": "{{ [1] | slice(10**9) | list }}",
    "the filter tojson": "{{ [1] | tojson(indent=10**9) }}",
    "the filter join": "{{ ['a', 'a', 'a'] | join('b' * 1000000) }}",
    "the filter join, of an iterator": "{{ range(100000) | map('string') | map('center', 1000) | join }}",
    "the filter sum": "{{ ([[1]] * 100000) | sum(start=[]) }}",
    "str.ljust": "{{ 'a'.ljust(10**9) }}",
    "str.zfill": "{{ 'a'.zfill(10**9) }}",
    "str.expandtabs": "{{ ('\t' * 1000).expandtabs(10**6) }}",
    "str.replace": "{{ ('a' * 100000).replace('a', 'b' * 100000) }}",
    "str.join": "{{ ('b' * 1000000).join(['a', 'a', 'a', 'a']) }}",
    "str.join, of an iterator": "{{ ''.join(range(100000) | map('string') | map('center', 1000)) }}",
    "str.translate": "{{ ('a' * 100000).translate({97: 'b' * 100000}) }}",
    "a string that doubles with ~": GROW % ("'aa'", "ns.s ~ ns.s", ""),
    "a string that doubles with +": GROW % ("'aa'", "ns.s + ns.s", ""),
    "a list that doubles": GROW % ("['a']", "ns.s + ns.s", ""),
    "lists of lists": GROW % ("['a']", "[ns.s, ns.s]", ""),
    "tuples of tuples": GROW % ("('a',)", "(ns.s, ns.s)", "| string"),
    "objects of objects": GROW % ("{'a': 1}", "{'a': ns.s, 'b': ns.s}", "| tojson"),
    "objects by dict()": GROW % ("{'a': 1}", "dict(a=ns.s, b=ns.s)", ""),
    "a block that is kept": "{% set s %}{% for i in range(100000) %}{{ 'a' * 1000000 }}{% endfor %}{% endset %}",
    "slices": "{% set b = 'a' * 1000000 %}{% set s %}{% for i in range(100000) %}{{ b[i:] }}{% endfor %}{% endset %}",
    "much output": "{% for i in range(100000) %}{{ 'x' * 100 }}{% endfor %}",
    "much text": "{% for i in range(100000) %}" + "x" * 100 + "{% endfor %}",
    "lipsum": "{{ lipsum(10**9) }}",
}


@pytest.mark.parametrize("name", HARMFUL)
def test_harmful_template_is_stopped(name: str) -> None:
    tracemalloc.start()
    with pytest.raises(WgmlError) as caught:
        render(HARMFUL[name], y=[1])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * MAX_HELD
    assert "\n" not in str(caught.value)


HOARDS = {
    "texts": "{% set THIS = '😀0' * 500000 %}",
    "texts, added": "{% set THIS = m0 + '😀' %}",
    "texts, joined": "{% set THIS = m0 ~ '😀' %}",
    "texts, sliced": "{% set THIS = (m0 ~ '😀')[1:] %}",
    "texts, replaced": "{% set THIS = m0 | replace('c', '😀') %}",
    "texts of blocks": "{% set THIS %}{{ m0 }}😀{% endset %}",
    "texts of lists": "{% set THIS %}{{ [m0, '😀'] }}{% endset %}",
    "lists": "{% set THIS = (('😀' * 50 ~ 'b') * 9999).split('b') %}",
    "pieces of a block": "{% set x %}{% for i in range(999) %}{{ '😀' * 100000 }}{% endfor %}{% endset %}",
}


@pytest.mark.parametrize("name", HOARDS)
def test_what_is_kept_at_once_is_bounded(name: str) -> None:
    """However much a long conversation lets a template do."""
    source = each_after_another("{% set m0 = 'a' * 900000 ~ 'c' %}", HOARDS[name], 600)
    template = ChatTemplate(source, max_seconds=60.0)
    messages = [{"role": ("user", "assistant")[i % 2], "content": "x" * 2000} for i in range(201)]
    tracemalloc.start()
    with pytest.raises(WgmlError, match="keeps too much"):
        template.render(messages)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * MAX_HELD


def test_what_is_let_go_is_not_kept() -> None:
    """Texts, lists, and lists of lists: far more than may be kept, one after the other."""
    source = (
        "{% set ns = namespace(t='', l=[], n=0) %}{% for i in range(400) %}{% set ns.t = 'é' * 99999 ~ i %}"
        "{% set ns.l = [[ns.t], [[i], ns.t]] %}{% set ns.n = ns.n + ns.l[0][0] | length %}{% endfor %}{{ ns.n }}"
    )
    messages = [{"role": ("user", "assistant")[i % 2], "content": "x" * 2000} for i in range(201)]
    assert ChatTemplate(source).render(messages) == str(400 * 99999 + 10 + 2 * 90 + 3 * 300)


@pytest.mark.parametrize(
    "source",
    [
        "{{ ().__class__.__base__.__subclasses__() }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ messages.append(1) }}",
        "{{ messages[0].update({'a': 1}) }}",
        "{% include 'x' %}",
        "{% import 'x' as x %}",
        "{{ 1 / 0 }}",
        "{{ nothing.at.all }}",
        "{{ messages['x'].y }}",
        "{{ dict(1, 2, 3) }}",
    ],
)
def test_failing_template_is_one_line(source: str) -> None:
    with pytest.raises(WgmlError) as caught:
        render(source)
    assert "\n" not in str(caught.value)
    assert USER == [{"role": "user", "content": "Hi"}]


def test_a_stopped_template_can_be_used_again() -> None:
    template = ChatTemplate("{% for i in range(n) %}{{ 'x' * n }}{% endfor %}")
    with pytest.raises(WgmlError, match="stopped"):
        template.render(USER, n=10_000)
    assert template.render(USER, n=2) == "xxxx"


@pytest.mark.parametrize("source", ["{{ " + "(" * 40 + "1" + ")" * 40 + " }}", "{{ " + "[" * 39 + "]" * 39 + " }}"])
def test_a_small_stack_is_not_used_up(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ChatTemplate(source)
    monkeypatch.setattr(sandbox, "SMALL_STACK", True)
    limit = sys.getrecursionlimit()
    with pytest.raises(WgmlError, match="recursion"):
        ChatTemplate(source)
    assert sys.getrecursionlimit() == limit
    assert render("{{ messages[0].content }}") == "Hi"


def test_long_conversation_is_no_harm() -> None:
    source = (
        "{% set ns = namespace(t='') %}{% for m in messages %}{% set ns.t = ns.t ~ m.role ~ m.content | trim %}"
        "{{ m.role }}{% endfor %}{{ ns.t }}"
    )
    messages = [{"role": "user", "content": "word " * 100} for _ in range(300)]
    assert len(render(source, messages)) > 100_000


@pytest.mark.parametrize(
    "given",
    [
        {"messages": [{"role": "user", "content": "x" * (MAX_SIZE + 1)}]},
        {"messages": [{"role": role, "content": "x"} for role in ("user", "assistant")] * 20_000},
        {"messages": USER, "documents": ["x" * MAX_SIZE]},
    ],
)
def test_conversation_too_long(given: dict[str, Any]) -> None:
    with pytest.raises(ContextError, match="too long: more than 2000000 characters"):
        render("{{ messages | length }}", **given)


LONG = "{% set x = 'a' * 1000000 %}"
MANY = "{% set x = range(100000) | list %}"
BOMB = "{% set ns = namespace(x=1) %}{% for i in range(30) %}{% set ns.x = PAIR %}{% endfor %}"
NAMESPACES = BOMB.replace("PAIR", "namespace(a=ns.x, b=ns.x)")
CYCLERS = BOMB.replace("PAIR", "cycler(ns.x, ns.x)")
DIGITS = "\u0669" * 9
REPEATED = "{% for i in range(100000) %}BODY{% endfor %}"
REFUSED = {
    # Methods: of text those that take long, of all else those that nobody needs.
    "int.to_bytes": ("{{ (1).to_bytes(1999999999, 'big') }}", "to_bytes"),
    "float.hex": ("{{ (1.5).hex() }}", "hex"),
    "str.encode": ("{{ 'x'.encode() }}", "encode"),
    "bytes.zfill": ("{{ 'x'.encode().zfill(1999999999) }}", "encode"),
    "str.translate": ("{{ 'x'.translate({}) }}", "translate"),
    "str.maketrans": ("{{ 'x'.maketrans('a', 'b') }}", "maketrans"),
    "str.expandtabs": ("{{ '\t'.expandtabs(1999999999) }}", "expandtabs"),
    "str.format_map": ("{{ '{a}'.format_map({'a': 1}) }}", "format_map"),
    "str.rfind": (LONG + "{{ x.rfind('b' + x) }}", "steps"),
    "str.rindex": (LONG + "{{ x.rindex('b' + x) }}", "steps"),
    "str.strip": (LONG + "{{ x.strip('b' * 1000000) }}", "steps"),
    "str.lstrip": (LONG + "{{ x.lstrip('b' * 1000000) }}", "steps"),
    "str.rsplit": (LONG + "{{ x.rsplit('b' * 500000) }}", "steps"),
    "str.rpartition": (LONG + "{{ x.rpartition('b' * 500000) }}", "steps"),
    "the filter trim": (LONG + "{{ x | trim('b' * 500000) }}", "steps"),
    "str.split": (LONG + "{{ x.split('a') }}", "at once"),
    "str.count, again and again": (LONG + REPEATED.replace("BODY", "{% set y = x.count('aab') %}"), "steps"),
    "str.upper, again and again": (LONG + REPEATED.replace("BODY", "{% set y = x.upper() %}"), "steps"),
    "str.isalpha, again and again": (LONG + REPEATED.replace("BODY", "{% set y = x.isalpha() %}"), "steps"),
    "str.center": ("{{ 'a'.center(10**9) }}", "at once"),
    "list.append": ("{{ [].append(1) }}", "append"),
    "list.sort": ("{{ [].sort() }}", "sort"),
    "list.index, again and again": (MANY + REPEATED.replace("BODY", "{% set y = x.index(99999) %}"), "steps"),
    "dict.update": ("{{ {}.update({}) }}", "update"),
    "dict.fromkeys": ("{{ {}.fromkeys([1]) }}", "fromkeys"),
    "cycler.items": ("{{ cycler(1).items.x }}", "items"),
    "loop.changed": ("{% for i in [1] %}{{ loop.changed(i) }}{% endfor %}", "changed"),
    # Formats.
    "a width in Arabic digits": ("{{ '%" + DIGITS + "d' % 1 }}", "at once"),
    "a width in Arabic digits, in format": ("{{ '{:" + DIGITS + "}'.format(1) }}", "at once"),
    "a width in a test": ("{{ '%1000000000d' is divisibleby(1) }}", "divides"),
    "a width in the test odd": ("{{ '%1000000000d' is odd }}", "divides"),
    "a width in the test even": ("{{ ['%1000000000d'] | select('even') | list }}", "divides"),
    "a width by name": ("{{ '%(a)1000000000d' % {'a': 1} }}", "at once"),
    "the filter round, of text": ("{{ 'a' | round(9, 'ceil') }}", "rounds"),
    "the filter round, of many places": ("{{ 1 | round(100000000, 'floor') }}", "number too large"),
    "separators": ("{{ (['ab'] * 100000) | tojson(separators=['x' * 100000, 'y']) }}", "at once"),
    "a date": ("{{ strftime_now('%Y' * 1000000) }}", "date"),
    # Operators, tests and filters that look at much.
    "==, again and again": (
        LONG + "{% set z = x ~ '' %}" + REPEATED.replace("BODY", "{% if x == z %}{% endif %}"),
        "steps",
    ),
    "<, again and again": (
        MANY + "{% set z = x + [] %}" + REPEATED.replace("BODY", "{% if x < z %}{% endif %}"),
        "steps",
    ),
    "in, again and again": (LONG + REPEATED.replace("BODY", "{% if 'b' in x %}{% endif %}"), "steps"),
    "not in, again and again": (MANY + REPEATED.replace("BODY", "{% if 'b' not in x %}{% endif %}"), "steps"),
    "in a range": (REPEATED.replace("BODY", "{% if 'b' in range(100000) %}{% endif %}"), "steps"),
    "select in": ("{% set x = range(99999) | list %}{{ x | select('in', x) | list }}", "steps"),
    "rejectattr eq": (LONG + "{{ ([{'a': x}] * 100000) | rejectattr('a', 'eq', x ~ '') | list }}", "at once"),
    "slices": (LONG + REPEATED.replace("BODY", "{% set y = x[1:] %}"), "steps"),
    "slices of lists": (MANY + REPEATED.replace("BODY", "{% set y = x[::-1] %}"), "steps"),
    "sort, again and again": (MANY + REPEATED.replace("BODY", "{% set y = x | sort %}"), "steps"),
    "unique, of numbers of one hash": (
        "{% set ns = namespace(x=[]) %}{% for i in range(900) %}{% set ns.x = ns.x + [i * (2**61 - 1)] %}{% endfor %}"
        "{{ (ns.x * 50) | unique | list }}",
        "steps",
    ),
    "dict, of many pairs": ("{{ dict([(1, 2)] * 20000) }}", "steps"),
    "namespace, of many pairs": ("{{ namespace([('a', 2)] * 20000) }}", "steps"),
    "differences of views": (
        "{% set x = dict(range(9000) | batch(2)) %}" + REPEATED.replace("BODY", "{% set y = x.keys() - x.keys() %}"),
        "steps",
    ),
    "loops over text": (LONG + "{% for c in x %}{% endfor %}", "steps"),
    "sums of numbers": ("{% set ns = namespace(x=9**999) %}{{ ns.x * ns.x }}", "number too large"),
    "numbers from text": ("{{ ('f' * 100000) | int(0, 16) }}", "number too large"),
    # What holds itself many times.
    "namespaces": (NAMESPACES + "{{ ns.x }}", "at once"),
    "namespaces, compared": (NAMESPACES + "{{ [ns.x] == [ns.x] }}", "at once"),
    "namespaces, as text": (NAMESPACES + "{{ ns.x | string }}", "at once"),
    "cyclers, compared": (CYCLERS + "{{ ns.x.items == ns.x.items }}", "at once"),
    "keys": (BOMB.replace("PAIR", "(ns.x, ns.x)") + "{{ {}[ns.x] }}", "at once"),
    "nests of slice": (
        BOMB.replace("PAIR", "ns.x | list | slice(1)").replace("x=1", "x=[1]").replace("30", "99"),
        "deep",
    ),
    "nests of batch": (BOMB.replace("PAIR", "ns.x | batch(1)").replace("x=1", "x=[1]").replace("30", "99"), "deep"),
    # Python's own, and what no template needs.
    "a class": ("{{ ''.__class__.__mro__ }}", "unsafe"),
    "globals of a class": ("{{ cycler.__init__.__globals__ }}", "unsafe"),
    "globals of a function": ("{{ raise_exception.__globals__.x }}", "unsafe"),
    "the context": ("{{ self._TemplateReference__context.x }}", "unsafe"),
    "what a namespace is": ("{{ namespace()._Namespace__attrs.x }}", "unsafe"),
    "what a macro is": ("{% macro f() %}{% endmacro %}{{ f._func.x }}", "unsafe"),
    "what is missing": ("{{ nothing._undefined_exception.x }}", "undefined"),
    "a function, written": ("{{ range }}", "a function for a value"),
    "a method, written": ("{{ ''.join ~ '' }}", "a function for a value"),
    "a generic class": ("{{ dict['a'].x }}", "no attribute"),
    "include": ("{% include 'x' %}", "Include"),
    "import": ("{% import 'x' as x %}", "Import"),
    "from": ("{% from 'x' import y %}", "FromImport"),
    "extends": ("{% extends 'x' %}", "Extends"),
    "block": ("{% block x %}{% endblock %}", "Block"),
    "autoescape": ("{% autoescape true %}{% endautoescape %}", "EvalContext"),
    "do": ("{% do x %}", "'do'"),
    "lipsum": ("{{ lipsum() }}", "lipsum"),
    "the filter attr": ("{{ x | attr('a') }}", "attr"),
    "the filter urlize": ("{{ 'x' | urlize }}", "urlize"),
    "the filter center": ("{{ 'x' | center(9) }}", "center"),
    "the filter pprint": ("{{ 'x' | pprint }}", "pprint"),
    "a filter by its name": ("{{ ['x'] | map('wordwrap') | list }}", "wordwrap"),
    "the test filter": ("{{ 'upper' is filter }}", "filter"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_template_needs_is_refused(name: str) -> None:
    source, message = REFUSED[name]
    with pytest.raises(WgmlError, match=re.escape(message)) as caught:
        ChatTemplate(source, max_seconds=60.0).render(USER)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_template_is_refused(name: str) -> None:
    with pytest.raises(WgmlError) as caught:
        ChatTemplate(HOSTILE[name], max_seconds=60.0).render(USER)
    assert "\n" not in str(caught.value)


def test_to_look_in_vain_costs_a_step() -> None:
    template = ChatTemplate("{% for i in range(9999) %}{% if messages.x %}{% endif %}{% endfor %}")
    template.render(USER)
    assert MAX_FUEL - template._environment.fuel > 2 * 9999 * STEP


@pytest.mark.parametrize("name", ["title", "max", "min"])
def test_what_is_done_in_python_costs_more(name: str) -> None:
    template = ChatTemplate("{% set x = ('a ' * 50000) | " + name + " %}")
    template.render(USER)
    assert MAX_FUEL - template._environment.fuel > 1_600_000


def test_it_is_stopped_at_the_same_place_each_time() -> None:
    source = "{% for i in range(99999) %}{% for j in range(9) %}{% endfor %}{{ seen(i) }}{% endfor %}"
    places: list[list[int]] = [[], []]
    for seen in places:
        with pytest.raises(WgmlError, match="steps"):
            ChatTemplate(source, max_seconds=60.0).render(USER, seen=seen.append)
    assert places[0] == places[1]
    assert len(places[0]) > 10_000


@pytest.mark.parametrize(("have", "is_taken"), [("3.1.6", True), ("3.2.0rc1", True), ("4.0", True), ("3.1.5", False)])
def test_a_jinja2_whose_sandbox_leaks_is_refused(have: str, is_taken: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "version", lambda _: have)
    if is_taken:
        assert render("{{ messages[0].content }}") == "Hi"
    else:
        with pytest.raises(WgmlError, match=r"^jinja2 3\.1\.5 is too old: .*3\.1\.6 or newer$"):
            render("{{ messages[0].content }}")
