"""Strict templates take every conversation, and nothing of it is lost; what a template takes as it is, stays so."""
# ruff: noqa: E501  (templates and prompts are lines)

from __future__ import annotations

import itertools
import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
import scripted
from work import counted

from py_wgml.chat import ChatTemplate
from py_wgml.chat.limits import MAX_FUEL
from py_wgml.chat.turns import fitted
from py_wgml.errors import WgmlError

TRUTH = Path(__file__).parents[3] / "shared" / "truth" / "templates.json"
ALTERNATES = (
    "{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}"
)
# Turns that alternate; a system message in front; and one that refuses it.
STRICT = (
    "{% set s = messages[0].role == 'system' %}{% if s %}<{{ messages[0].content }}>{% endif %}"
    "{% for m in (messages[1:] if s else messages) %}"
    + ALTERNATES
    + "[{{ m.role }}|{{ m.content | trim }}]{% endfor %}"
)
NO_SYSTEM = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for m in messages %}" + ALTERNATES + "[{{ m.role }}|{{ m.content }}]{% endfor %}"
)
LENIENT = "{% for m in messages %}[{{ m.role }}|{{ m.content }}]{% endfor %}"
FIRST_SYSTEM_ONLY = (
    "{% for m in messages %}{% if m.role == 'system' and not loop.first %}{{ raise_exception('System message must be at the beginning.') }}{% endif %}"
    "[{{ m.role }}|{{ m.content }}]{% endfor %}"
)
# As Mistral's: ids of nine letters, and turns that alternate but for calls and results.
MISTRAL = (
    "{% set ns = namespace(n=0) %}{% for m in messages %}{% if m.role == 'user' or (m.role == 'assistant' and not m.tool_calls) %}"
    "{% if (m.role == 'user') != (ns.n % 2 == 0) %}{{ raise_exception('roles must alternate but for calls') }}{% endif %}{% set ns.n = ns.n + 1 %}{% endif %}"
    "{% if m.role == 'assistant' and not m.tool_calls and not m.content %}{{ raise_exception('content or tool calls') }}{% endif %}"
    "{% if m.tool_calls %}{% for c in m.tool_calls %}{% if c.id is not defined or c.id | length != 9 %}{{ raise_exception('ids must have length 9') }}{% endif %}"
    "({{ c.function.name }} {{ c.function.arguments | tojson }} {{ c.id }}){% endfor %}"
    "{% elif m.role == 'tool' %}{% if m.tool_call_id is not defined or m.tool_call_id | length != 9 %}{{ raise_exception('ids must have length 9') }}{% endif %}"
    "{{ '{' }}{{ m.content }} {{ m.tool_call_id }}}{% else %}[{{ m.role }}|{{ m.content }}]{% endif %}{% endfor %}"
)
# As DeepSeek's of R1: calls only without content, and arguments as text.
DEEPSEEK = (
    "{% for m in messages %}{% if m.role == 'assistant' and m.content is none %}{% for c in m.tool_calls %}"
    "{{ '(' + c.function.name + ' ' + c.function.arguments + ')' }}{% endfor %}{% elif m.role == 'tool' %}{{ '{' + m.content + '}' }}"
    "{% else %}{{ '[' + m.role + '|' + m.content + ']' }}{% endif %}{% endfor %}"
)
# As Llama 3.1's: one call at a time.
ONE_CALL = (
    "{% for m in messages %}{% if 'tool_calls' in m %}{% if m.tool_calls | length != 1 %}{{ raise_exception('single tool-calls at once') }}{% endif %}"
    "({{ m.tool_calls[0].function.arguments | tojson }}){% else %}[{{ m.role }}|{{ m.content }}]{% endif %}{% endfor %}"
)
# As FunctionGemma's: results by name.
NAMED = (
    "{% for m in messages %}{% if m.role == 'tool' %}{{ '{' + m.name + ': ' + m.content + '}' }}{% elif m.tool_calls %}"
    "{% for c in m.tool_calls %}({{ c.function.name }} {{ c.function.arguments.at }}){% endfor %}{% else %}[{{ m.role }}|{{ m.content }}]{% endif %}{% endfor %}"
)
IN_PARTS = "{% for m in messages %}[{{ m.role }}|{% for part in m.content %}{% if part.type == 'text' %}{{ part.text }}{% endif %}{% endfor %}]{% endfor %}"
BOTH = (
    "{% for m in messages %}[{{ m.role }}|{% if m.content is string %}{{ m.content }}{% else %}"
    "{% for part in m.content %}+{{ part.text }}{% endfor %}{% endif %}]{% endfor %}"
)
FIRST_PART_OF_SYSTEM = (  # as Gemma 3's
    "{% if messages[0].role == 'system' %}<{% if messages[0].content is string %}{{ messages[0].content }}{% else %}{{ messages[0].content[0].text }}{% endif %}>{% endif %}"
    "{% for m in messages if m.role != 'system' %}[{{ m.role }}|{% if m.content is string %}{{ m.content }}{% else %}{% for p in m.content %}{{ p.text }}{% endfor %}{% endif %}]{% endfor %}"
)


def said(role: str, content: Any = "", **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def user(content: Any) -> dict[str, Any]:
    return said("user", content)


def assistant(content: Any, **more: Any) -> dict[str, Any]:
    return said("assistant", content, **more)


def system(content: Any) -> dict[str, Any]:
    return said("system", content)


def calls(*places: str, **more: Any) -> dict[str, Any]:
    made = [
        {
            "id": f"call_{place}",
            "type": "function",
            "function": {"name": "look", "arguments": json.dumps({"at": place})},
        }
        for place in places
    ]
    return assistant(None, tool_calls=made, **more)


def result(place: str, content: Any) -> dict[str, Any]:
    return said("tool", content, tool_call_id=f"call_{place}")


def prompt(source: str, *messages: Any) -> str:
    return ChatTemplate(source).prompt(messages)


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([user("a"), user("b")], "[user|a\n\nb]"),
        ([user("a"), assistant(""), user("b")], "[user|a\n\nb]"),
        ([user("a"), assistant(None), user("b"), assistant("x"), user("c")], "[user|a\n\nb][assistant|x][user|c]"),
        ([user("a"), assistant(" \n"), user("b")], "[user|a\n\nb]"),
        ([user("a"), assistant("x"), assistant("y"), user("b")], "[user|a][assistant|x\n\ny][user|b]"),
        ([user(""), user("b")], "[user|b]"),
        ([assistant("hi"), user("a")], "[user|][assistant|hi][user|a]"),
        ([system("s"), assistant("hi"), user("a")], "<s>[user|][assistant|hi][user|a]"),
        ([system("s"), system("t"), user("a")], "<s\n\nt>[user|a]"),
        ([user("a"), assistant("x"), system("s"), user("b")], "[user|a][assistant|x][user|s\n\nb]"),
        ([system("s"), user("a"), assistant("x"), user("b"), system("t")], "<s>[user|a][assistant|x][user|b\n\nt]"),
        ([user([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])], "[user|a\nb]"),
        ([said("developer", "s"), said("human", "a"), said("gpt", "x"), said("USER", "b")], "<s>[user|a][assistant|x][user|b]"),
        ([user("a"), calls("Rome", "Paris"), result("Paris", "21"), result("Rome", "25"), user("b")],
         '[user|a][assistant|{"name": "look", "arguments": {"at": "Rome"}}\n{"name": "look", "arguments": {"at": "Paris"}}]'
         '[user|{"tool_response": {"name": "look", "content": "25"}}\n\n{"tool_response": {"name": "look", "content": "21"}}\n\nb]'),
        ([], "[user|]"),
    ],
)  # fmt: skip
def test_turns_that_alternate(messages: list[Any], expected: str) -> None:
    assert prompt(STRICT, *messages) == expected
    without = expected.replace("<s>[user|]", "[user|s]").replace("<s>[user|", "[user|s\n\n")
    assert prompt(NO_SYSTEM, *messages) == without.replace("<s\n\nt>[user|", "[user|s\n\nt\n\n")


@pytest.mark.parametrize(
    ("source", "messages", "expected"),
    [
        (LENIENT, [user("a"), user("b")], "[user|a][user|b]"),
        (LENIENT, [assistant("x"), user("b"), assistant("y"), assistant("z"), user("c")], "[assistant|x][user|b][assistant|y][assistant|z][user|c]"),
        (LENIENT, [system("s"), system("t"), user("a"), assistant("x"), system("u"), user("b")], "[system|s][system|t][user|a][assistant|x][system|u][user|b]"),
        (FIRST_SYSTEM_ONLY, [system("s"), system("t"), user("a"), assistant("x"), system("u"), user("b")], "[system|s\n\nt][user|a][assistant|x][user|u][user|b]"),
        (LENIENT, [user("a"), said("tool", "21")], "[user|a][tool|21]"),
        (LENIENT, [user("a"), calls("Rome"), result("Rome", "25")], '[user|a][assistant|{"name": "look", "arguments": {"at": "Rome"}}][tool|25]'),
        (LENIENT, [user("a"), calls("Rome") | {"content": "Let me see."}, result("Rome", 25)], '[user|a][assistant|Let me see.\n{"name": "look", "arguments": {"at": "Rome"}}][tool|25]'),
        (LENIENT, [], ""),
        (STRICT, [system("s")], "<s>"),
        (IN_PARTS, [system("s"), user("a"), assistant("x"), user([{"type": "text", "text": "b"}, "c"])], "[system|s][user|a][assistant|x][user|bc]"),
        (BOTH, [system("s"), user("a"), assistant("x"), user([{"type": "text", "text": "b"}, "c"])], "[system|s][user|a][assistant|x][user|+b+c]"),
        (LENIENT, [user([{"type": "text", "text": "b"}, "c"])], "[user|b\nc]"),
        (FIRST_PART_OF_SYSTEM, [system(["s", "t"]), user(["a", "b"])], "<s\nt>[user|ab]"),
    ],
)  # fmt: skip
def test_what_a_template_takes_stays_as_it_is(source: str, messages: list[Any], expected: str) -> None:
    assert prompt(source, *messages) == expected
    assert ChatTemplate(source).render(messages) == expected


def test_ids_of_calls_as_the_template_wants_them() -> None:
    text = prompt(MISTRAL, user("a"), calls("Rome"), result("Rome", "25"), assistant("warm"), user("b"))
    id = text.split('"} ')[1][:9]
    assert id.isalnum()
    assert text == f'[user|a](look {{"at": "Rome"}} {id}){{25 {id}}}[assistant|warm][user|b]'
    # A question behind a result that was never answered: something must stand for the answer.
    text = prompt(MISTRAL, user("a"), calls("Rome"), result("Rome", "25"), user("b"))
    assert text.endswith(f"{{25 {id}}}[assistant|…][user|b]")
    # Those of the right form stay; those that are missing are made.
    call = {"id": "abcdefghi", "type": "function", "function": {"name": "look", "arguments": {}}}
    answer = said("tool", "25", tool_call_id="abcdefghi")
    assert (
        prompt(MISTRAL, user("a"), assistant(None, tool_calls=[call]), answer)
        == "[user|a](look {} abcdefghi){25 abcdefghi}"
    )
    del call["id"], answer["tool_call_id"]
    text = prompt(MISTRAL, user("a"), assistant(None, tool_calls=[call]), answer)
    id = text.split("{} ")[1][:9]
    assert text == f"[user|a](look {{}} {id}){{25 {id}}}"

    # Words beside a call, which it would leave out.
    text = prompt(
        MISTRAL,
        user("a"),
        calls("Rome") | {"content": "Let me see."},
        result("Rome", "25"),
        assistant("warm"),
        user("b"),
    )
    assert text.startswith("[user|a][assistant|Let me see.][user|](look") and text.endswith("[assistant|warm][user|b]")


def test_thoughts_without_an_answer() -> None:
    """They stay where the template takes them; else the question was not answered."""
    thinking = assistant("", reasoning_content="hm")
    assert prompt(MISTRAL, user("a"), thinking, user("b")) == "[user|a\n\nb]"
    shows = LENIENT.replace("[", "[{{ m.reasoning_content }}")
    assert prompt(shows, user("a"), thinking, user("b")) == "[user|a][hmassistant|][user|b]"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (DEEPSEEK, '[user|a](look {"at": "Rome"})(look {"at": "Bonn"}){25}{18}[user|b]'),
        (ONE_CALL, '[user|a]({"at": "Rome"})[tool|25]({"at": "Bonn"})[tool|18][user|b]'),
        (NAMED, "[user|a](look Rome)(look Bonn){look: 25}{look: 18}[user|b]"),
    ],
)
def test_calls_as_the_template_takes_them(source: str, expected: str) -> None:
    """In the order of the calls, by which some models tell results apart."""
    messages = [user("a"), calls("Rome", "Bonn"), result("Bonn", "18"), result("Rome", "25"), user("b")]
    assert prompt(source, *messages) == expected


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ([user("a"), said("narrator", "b")], r"messages\[1\] has the role 'narrator'; there are system, user, assistant, tool"),
        ([user("a"), calls("Rome"), user("b")], r"after the tool_calls of messages\[1\] their results must come"),
        ([user("a"), calls("Rome"), result("Bonn", "18")], r"messages\[2\] answers the call 'call_Bonn', which messages\[1\] does not make"),
        ([user("a"), calls("Rome", "Bonn"), result("Bonn", "18")], r"the call 'call_Rome' of messages\[1\] has no result"),
        ([user("a"), calls("Rome", "Bonn"), said("tool", "18")], r"messages\[1\] makes 2 calls, but 1 results follow"),
        ([user("a"), calls("Rome", "Rome"), result("Rome", "18")], r"the call 'call_Rome' of messages\[1\] has no result"),
        # Their numbers are the caller's, where something is put before them too.
        ([assistant("x"), user("a"), said("critic", "b")], r"messages\[2\] has the role 'critic'"),
        ([assistant("x"), user("a"), calls("Rome"), result("Bonn", "18")], r"messages\[3\] answers the call 'call_Bonn', which messages\[2\] does not make"),
    ],
)  # fmt: skip
def test_what_does_not_belong_together_is_refused_by_number(messages: list[Any], says: str) -> None:
    for source in (STRICT, LENIENT, MISTRAL):
        with pytest.raises(WgmlError, match=says):
            prompt(source, *messages)


def made_calls(ids: list[Any]) -> list[dict[str, Any]]:
    """A question, calls with these ids, and their results, the last first."""
    made = [{"id": id, "function": {"name": "look", "arguments": {"at": f"place{n}."}}} for n, id in enumerate(ids)]
    results = [said("tool", f"result{n}.", tool_call_id=id) for n, id in enumerate(ids)]
    return [user("a"), assistant(None, tool_calls=made), *results[::-1]]


@pytest.mark.parametrize("source", [STRICT, LENIENT, MISTRAL, ONE_CALL])
def test_many_calls_at_once(source: str) -> None:
    """With work that grows with their number, not with its square."""
    template = ChatTemplate(source, max_seconds=30)
    template.prompt(made_calls(["a", "b"]))  # which finds out what it takes

    def work(count: int) -> int:
        messages = made_calls([f"call_{n}" for n in range(count)])
        turns, work = counted(lambda: fitted(template.checked(messages), template._can))
        assert json.dumps(turns).count("result") == count
        return work

    assert work(4000) < 5 * work(1000)


def test_many_turns_become_one_in_one_go() -> None:
    template = ChatTemplate(STRICT)
    template.prompt([user("a"), user("b")])

    def work(count: int) -> int:
        [one], work = counted(lambda: fitted(template.checked([user("word " * 20)] * count), template._can))
        assert one["content"].count("word") == 20 * count
        return work

    assert work(15_000) < 15 * work(1_500)


@pytest.mark.parametrize("source", [STRICT, LENIENT, MISTRAL, DEEPSEEK])
def test_ids_of_calls_are_text(source: str) -> None:
    text = prompt(source, *made_calls(["\ud800", "\ud800", "x"]))
    results = re.findall(r"result\d", text)
    assert sorted(results) == ["result0", "result1", "result2"]
    for id in (10**500, 5, ["a"]):
        with pytest.raises(WgmlError, match=r"the id of a call in messages\[1\] is .*, not text"):
            prompt(source, *made_calls([id])[:2])
    without = made_calls([None])
    assert "result0." in prompt(source, *without)


def test_roles_that_the_template_knows() -> None:
    """As "context" of ChatQA, or "document" of Granite."""
    source = "{% for m in messages %}{% if m.role in ['user', 'assistant', \"document\"] %}[{{ m.role }}|{{ m.content }}]{% endif %}{% endfor %}"
    assert prompt(source, said("document", "d"), user("a")) == "[document|d][user|a]"
    with pytest.raises(WgmlError, match="the role 'narrator'"):
        prompt(source, said("narrator", "d"), user("a"))


@pytest.mark.parametrize("thoughts", [{}, {"reasoning_content": "hm"}])
def test_words_beside_a_call_that_a_template_takes_for_thoughts(thoughts: dict[str, str]) -> None:
    """As gpt-oss's: they go once there is an answer, and so do thoughts."""
    source = (
        "{% for m in messages %}{% set after = messages[loop.index:] | selectattr('role', 'equalto', 'assistant') | list %}"
        "{% if m.tool_calls %}{% if not after %}({{ m.reasoning_content or m.content }}){% endif %}{{ m.tool_calls[0].function.arguments.at }}"
        "{% else %}[{{ m.role }}|{{ m.content }}]{% endif %}{% endfor %}"
    )
    turns = [user("a"), calls("Rome", **thoughts) | {"content": "I look."}, result("Rome", "25")]
    assert prompt(source, *turns) == "[user|a][assistant|I look.]()Rome[tool|25]"
    assert prompt(source, *turns, assistant("Hot."), user("b")) == (
        "[user|a][assistant|I look.]Rome[tool|25][assistant|Hot.][user|b]"
    )


def test_results_of_a_template_that_leaves_them_out() -> None:
    """As Granite 3.0's, which calls their role otherwise."""
    source = "{% for m in messages %}{% if m.role in ['user', 'assistant'] %}[{{ m.role }}|{{ m.content }}]{% endif %}{% endfor %}"
    assert prompt(source, user("a"), calls("Rome"), result("Rome", "25"), user("b")) == (
        '[user|a][assistant|{"name": "look", "arguments": {"at": "Rome"}}]'
        '[user|{"tool_response": {"name": "look", "content": "25"}}][user|b]'
    )


def sources() -> list[Any]:
    named = {"strict": STRICT, "no system": NO_SYSTEM, "lenient": LENIENT, "Mistral": MISTRAL, "parts": IN_PARTS}
    if TRUTH.exists():
        named |= {
            entry["name"]: entry["template"] for entry in json.loads(TRUTH.read_text(encoding="utf-8"))["templates"]
        }
    return [pytest.param(source, id=name) for name, source in named.items()]


def conversation(seed: int, count: int = 9) -> list[dict[str, Any]]:
    """Messages in any order, but for results, which follow their calls."""
    dice, messages = random.Random(seed), []
    for i in range(dice.randint(1, count)):
        word = f"word{seed}x{i}."
        kind = dice.choice(
            ["system", "developer", "user", "user", "assistant", "assistant", "USER", "model", "calls", "empty"]
        )
        if kind == "calls":
            messages += [calls(f"{word}a", f"{word}b"), result(f"{word}b", f"{word}c"), result(f"{word}a", f"{word}d")]
        elif kind == "empty":
            messages.append(assistant(dice.choice(["", None, []])))
        else:
            messages.append(said(kind, dice.choice([word, [word], [{"type": "text", "text": word}]])))
    return [*messages, user(f"word{seed}last.")]


@pytest.mark.parametrize("source", sources())
def test_nothing_is_lost_of_any_conversation(source: str) -> None:
    template = ChatTemplate(source, "<s>", "</s>")
    for seed in range(60):
        messages = conversation(seed)
        text = template.prompt(messages)
        for word in {part for part in json.dumps(messages).replace('\\"', '"').split('"') if part.startswith("word")}:
            assert text.count(word) == 1, (seed, word)


@pytest.mark.parametrize("source", sources())
def test_the_beginning_stays_as_the_conversation_grows(source: str) -> None:
    """What was processed of a conversation is good for its next turn: up to an answer that did not come."""
    template = ChatTemplate(source, "<s>", "</s>")
    for seed in range(30):
        messages: list[dict[str, Any]] = [system("word.")] if seed % 2 else []
        before = ""
        for i, answer in enumerate(random.Random(seed).choices(["yes.", ""], k=5)):
            messages.append(user(f"word{i}."))
            text = template.prompt(messages)
            kept = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(before, text, strict=False)))
            assert kept >= before.rfind(f"word{i - 1}.") + 6 if i else True
            messages.append(assistant(answer))
            before = text


def test_turns_alternate_whatever_comes() -> None:
    template = ChatTemplate(STRICT)
    for seed in range(200):
        text = template.prompt(conversation(seed))
        turns = [part.split("|")[0] for part in text.split("[")[1:]]
        assert turns == (["user", "assistant"] * len(turns))[: len(turns)]


def test_each_question_to_a_template_is_put_once(monkeypatch: pytest.MonkeyPatch) -> None:
    template = ChatTemplate(MISTRAL)
    count = 0
    render = template._render

    def counted(*args: Any) -> str:
        nonlocal count
        count += 1
        return render(*args)

    monkeypatch.setattr(template, "_render", counted)
    messages = [user("a"), calls("Rome"), result("Rome", "25"), user("b"), user("c"), assistant("x"), user("d")]
    template.prompt(messages)
    assert count < 30
    count = 0
    template.prompt([*messages, assistant("y"), user("e")])
    assert count == 1


def test_all_questions_and_the_answer_have_one_time() -> None:
    """And what was not found out for want of time is asked again."""
    template = ChatTemplate(LENIENT)
    messages = [assistant("x"), system("s"), user("a"), user("b"), *made_calls(["x"])]
    expected = ChatTemplate(LENIENT).prompt(messages)
    rendered = []
    render = template._render

    def noted(*args: Any) -> str:
        rendered.append(args)
        return render(*args)

    template._render = noted  # type: ignore[method-assign, assignment]
    template._max_seconds = -1.0
    for _ in range(5):
        with pytest.raises(WgmlError, match="was stopped: it takes too long"):
            template.prompt(messages)
    assert len(rendered) == 5
    template._max_seconds = 5.0
    assert template.prompt(messages) == expected


def test_all_questions_share_their_fuel() -> None:
    """Which is less than that of an answer."""
    template = ChatTemplate(
        "{% for i in range(99999) %}{% for j in range(9) %}{% endfor %}{% endfor %}", max_seconds=60
    )
    left = [template._probing_fuel]
    for roles in (["user"], ["system", "user"], ["user", "user"]):
        template.checked([])
        assert not template._can.takes(*roles)
        left.append(template._probing_fuel)
    assert MAX_FUEL // 2 > left[0] > 0 > max(left[1:])
    assert min(left) > -MAX_FUEL // 1000


def test_an_answer_to_go_on_with() -> None:
    model = scripted.model(scripted.byte_level(), STRICT + "{% if add_generation_prompt %}[assistant|{% endif %}")
    asked = "[user|a][assistant|"
    for begun, expected in (
        (assistant("so "), "so "),
        (assistant(["so", {"type": "text", "text": "far"}]), "so\nfar"),
        (assistant(""), ""),
        (assistant(None), ""),
        (assistant([]), ""),
        (assistant("x", reasoning_content="hm"), "<think>hm</think>x"),
        (assistant("", reasoning_content="hm"), "<think>hm"),
    ):
        assert model.prompt_text([user("a"), begun]) == asked + expected
    assert model.prompt_text([assistant("so")]) == "[user|][assistant|so"
    assert model.prompt_text([system("s"), assistant("so")]) == "<s>[assistant|so"
    with pytest.raises(WgmlError, match="results must come"):
        model.prompt_text([user("a"), calls("Rome")])
    with pytest.raises(WgmlError, match="messages is empty"):
        model.generate([])
