"""Conversations as a Model is sent them: too long ones, strict templates over several turns, templates by name."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import scripted
from tiny import CHATML

from py_wgml import Model
from py_wgml.chat import ChatTemplate
from py_wgml.errors import ContextError, WgmlError
from py_wgml.tokenizer import Tokenizer

ALTERNATES = (
    "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('roles must alternate') }}{% endif %}[{{ m.role }}|{{ m.content }}]{% endfor %}[assistant|"
)
ADDS_UP = "{% set ns = namespace(t='') %}{% for m in messages %}{% set ns.t = ns.t + m.content %}{% endfor %}{{ ns.t }}"
TOOLS = [{"type": "function", "function": {"name": "weather"}}]


def said(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


def talk(count: int, text: str) -> list[dict[str, Any]]:
    """Messages of both sides in turn, the user's first and last."""
    return [said(("user", "assistant")[i % 2], text) for i in range(2 * (count // 2) + 1)]


def model(template: str = CHATML, context: int = 2048, answers: tuple[str, ...] = ()) -> Model:
    made = scripted.model(scripted.byte_level(), template, *answers)
    made.runner.context = context
    return made


class Counted:
    """What a model has its template write and its tokenizer encode, in characters."""

    def __init__(self, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
        self.written = self.encoded = 0
        render, encode = model.template._render, Tokenizer.encode

        def counted_render(*args: Any) -> str:
            text = render(*args)
            self.written += len(text)
            return text

        def counted_encode(tokenizer: Tokenizer, text: str, *args: Any, **options: Any) -> list[int]:
            self.encoded += len(text)
            return encode(tokenizer, text, *args, **options)

        monkeypatch.setattr(model.template, "_render", counted_render)
        monkeypatch.setattr(Tokenizer, "encode", counted_encode)


TOO_LONG = {
    "1 MB": [said("user", "word " * 200_000)],
    "10 MB": [said("user", "word " * 2_000_000)],
    "white space": [said("user", "a" + " " * 5_000_000 + "b")],
    "in parts": [said("user", [{"type": "text", "text": "word " * 1000}] * 200)],
    "10,000 messages": talk(10_000, "hello"),
    "10,000 longer ones": talk(10_000, "hello " * 200),
    "10,000 empty ones": [said("user", "")] * 10_000,
    "the system": [said("system", "word " * 500_000), said("user", "hello")],
    "to go on with": [said("user", "hello"), said("assistant", "word " * 500_000)],
}


@pytest.mark.parametrize("template", [CHATML, ALTERNATES, ADDS_UP])
@pytest.mark.parametrize("name", TOO_LONG)
def test_what_can_not_fit_is_too_long_for_the_context(
    name: str, template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told as that, and no template has to write it all, nor is more encoded than the context takes."""
    made = model(template)
    counted = Counted(made, monkeypatch)
    for ask in (made.generate, made.prompt_text):
        with pytest.raises(ContextError, match="the context only") as error:
            ask(TOO_LONG[name])
        assert "\n" not in str(error.value)
    assert counted.written < 10_000
    assert counted.encoded < 100_000


def called(size: int) -> list[dict[str, Any]]:
    call = {"id": "1", "function": {"name": "f", "arguments": {"a": "x" * size}}}
    return [{"role": "assistant", "content": None, "tool_calls": [call]}, said("tool", "25") | {"tool_call_id": "1"}]


HEAVY = {
    "thoughts": (8192, [said("user", "q"), said("assistant", "a") | {"reasoning_content": "hm " * 700}] * 1000),
    "calls": (8192, [said("user", "q"), *called(30_000)] * 70),
    "short ones": (32_768, talk(25_000, "word " * 6)),
    "parts": (131_072, [said("user", ["a"] * 29_000), said("assistant", "a")]),
}


@pytest.mark.parametrize("name", HEAVY)
def test_what_is_heavy_beside_its_words_is_too_long_too(name: str) -> None:
    context, messages = HEAVY[name]
    made = model(CHATML, context)
    messages = [*messages, said("user", "q")]
    with pytest.raises(ContextError, match="the context only"):
        made.generate(messages)
    left = messages[made.overflow(messages) :]
    assert len(left) < len(messages)
    assert len(made.prompt(left)) <= context // 2


def test_room_can_not_be_made_where_a_message_is_wrong() -> None:
    """It has its number among all of them."""
    with pytest.raises(WgmlError, match=r"messages\[301\] has the role 'critic'"):
        model().overflow([*talk(300, "hello " * 20), said("critic", "no"), said("user", "b")])


def test_what_fits_is_never_refused() -> None:
    """Not by an estimate: text of many characters a token."""
    tokenizer = scripted.byte_level(user_defined=["=" * 64])
    made = scripted.model(tokenizer, CHATML)
    made.runner.context = 2048
    assert len(made.prompt([said("user", "=" * 64 * 2000)])) == 2000 + len(made.prompt([said("user", "")]))
    with pytest.raises(ContextError):
        made.generate([said("user", "=" * 64 * 2048)])


def test_a_template_that_adds_up_one_text_takes_long_conversations() -> None:
    for count, text in ((200, "x" * 2000), (2000, "x" * 200), (4, "x" * 300_000)):
        messages = talk(count, text)
        assert ChatTemplate(ADDS_UP).render(messages) == text * len(messages)


@pytest.mark.parametrize("template", [CHATML, ALTERNATES, ADDS_UP])
@pytest.mark.parametrize(("count", "text"), [(10_000, "hello"), (10_000, "hello " * 200), (301, "hello " * 20)])
def test_room_is_made_without_writing_all_over_and_over(
    template: str, count: int, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = model(template, 2048)
    messages = [said("system", "Be brief."), *talk(count, text)]
    counted = Counted(made, monkeypatch)
    dropped = made.overflow(messages)
    assert counted.written + counted.encoded < 30 * 2048 + 300_000
    monkeypatch.undo()
    left = [messages[0], *messages[1 + dropped :]]
    assert left[1]["role"] == "user"
    assert len(made.prompt(left)) <= 1024 or len(left) == 2
    try:
        before = len(made.prompt([messages[0], *messages[dropped - 1 :]]))
    except ContextError:
        return
    assert before > 1024  # no more was left out than need be


@pytest.mark.parametrize(("count", "writes"), [(3, 1), (301, 8)])
def test_a_question_is_written_once(count: int, writes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its room is made by what it is sent as."""
    made = model()
    messages = talk(count, "hello " * 20)
    dropped = made.overflow(messages)
    written = []
    prompt = made.template.prompt

    def noted(*given: Any, **names: Any) -> Any:
        written.append(1)
        return prompt(*given, **names)

    monkeypatch.setattr(made.template, "prompt", noted)
    assert made.generate(messages, drop_oldest=True).dropped == dropped
    assert 1 <= len(written) <= writes
    if dropped:
        with pytest.raises(ContextError):
            made.generate(messages)


def test_room_is_made_in_whole_turns() -> None:
    """Calls stay with their results, and roles are looked at as they are meant."""
    made = model(context=400)
    call = {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "function": {"name": "f"}}]}
    turn = [said("human", "hello " * 5), call, {"role": "tool", "content": "25"}, said("model", "warm")]
    messages = [said("developer", "Be brief."), *turn * 5, said("USER", "and now?")]
    dropped = made.overflow(messages)
    assert dropped and dropped % 4 == 0
    assert made.prompt([messages[0], *messages[1 + dropped :]])
    assert made.overflow(message for message in messages) == dropped


def test_a_question_that_was_not_answered_goes_along_with_the_next() -> None:
    async def scenario() -> None:
        made = model(ALTERNATES, answers=("", "Yes.", "No."))
        chat = made.chat()
        assert [piece async for piece in chat.send("one?")] == []  # it ended before the first word
        assert "".join([piece async for piece in chat.send("two?")]) == "Yes."
        assert "".join([piece async for piece in chat.send("three?")]) == "No."
        asked = [made.tokenizer.decode(ids) for ids in made.runner.asked]  # type: ignore[attr-defined]
        assert asked[1] == "[user|one?\n\ntwo?][assistant|"
        assert asked[2] == "[user|one?\n\ntwo?][assistant|Yes.][user|three?][assistant|"

    asyncio.run(scenario())


def test_an_answer_that_failed_stops_no_later_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        made = model(ALTERNATES, answers=("Yes.", "No."))
        chat = made.chat()
        generate = made.runner.generate

        def fails(*args: Any, **named: Any) -> Any:
            raise RuntimeError("lost")

        monkeypatch.setattr(made.runner, "generate", fails)
        with pytest.raises(RuntimeError):
            assert [piece async for piece in chat.send("one?")]
        monkeypatch.setattr(made.runner, "generate", generate)
        with pytest.raises(ContextError):
            assert [piece async for piece in chat.send("long " * 2000)]
        answer = chat.send("two?")
        assert await anext(answer)
        await answer.aclose()  # nobody listens any more
        assert [piece async for piece in chat.send([{"type": "text", "text": "three?"}])]
        asked = made.tokenizer.decode(made.runner.asked[-1])  # type: ignore[attr-defined]
        assert asked.startswith("[user|one?\n\ntwo?][assistant|Y") and asked.endswith("][user|three?][assistant|")

    asyncio.run(scenario())


def test_two_messages_at_once_lose_nothing() -> None:
    async def scenario() -> None:
        made = model(ALTERNATES, answers=("Yes.", "No."))
        chat = made.chat()
        one, two = chat.send("one?"), chat.send("two?")
        assert await anext(one) == "Y"
        assert await anext(two) == "N"
        assert "".join([piece async for piece in one]) == "es."
        assert "".join([piece async for piece in two]) == "o."
        texts = ["one?", "Yes.", "two?", "No."]
        assert chat.messages == [said(("user", "assistant")[i % 2], text) for i, text in enumerate(texts)]
        asked = made.tokenizer.decode(made.runner.asked[-1])  # type: ignore[attr-defined]
        assert asked == "[user|one?][assistant|Y][user|two?][assistant|"

    asyncio.run(scenario())


def test_all_answers_under_way_are_stopped() -> None:
    async def scenario() -> None:
        made = model(ALTERNATES, answers=("Yes.", "No.", "Why?"))
        chat = made.chat()
        one, two = chat.send("one?"), chat.send("two?")
        assert (await anext(one), await anext(two)) == ("Y", "N")
        chat.stop()
        assert [piece async for piece in one] == [piece async for piece in two] == []
        assert "".join([piece async for piece in chat.send("three?")]) == "Why?"

    asyncio.run(scenario())


def test_an_answer_that_was_left_is_part_of_the_conversation() -> None:
    """However its iterator is kept: what has come of it is in the messages, and more as it comes."""

    async def scenario() -> None:
        made = model(ALTERNATES, answers=("<think>Hm</think>Yes.", "No."))
        chat = made.chat()
        left = chat.send("one?")
        async for _ in left:
            break
        assert chat.messages == [said("user", "one?"), said("assistant", "Y") | {"reasoning_content": "Hm"}]
        assert "".join([piece async for piece in chat.send("two?")]) == "No."
        asked = made.tokenizer.decode(made.runner.asked[-1])  # type: ignore[attr-defined]
        assert asked == "[user|one?][assistant|Y][user|two?][assistant|"
        assert await anext(left) == "e"
        assert [message["content"] for message in chat.messages] == ["one?", "Ye", "two?", "No."]

    asyncio.run(scenario())


def test_variables_of_any_name() -> None:
    """Those of Python's own parameters too, but not the conversation's."""
    made = model("{{ self is defined }} {{ message }}|{{ messages[0].content }}", answers=("Yes.",) * 4)
    hello = [said("user", "hello")]
    odd: dict[str, Any] = {"self": 1, "message": "m", "variables": 2, "source": 3, "begun": 4}
    made.generate(hello, chat_template_kwargs=odd)
    assert made.prompt_text(hello, **odd) == "True m|hello"
    assert made.overflow(hello, **odd) == 0
    empty: list[Any] = []
    for variables in ({"messages": empty}, {"messages": hello}):
        with pytest.raises(WgmlError, match="messages is no variable"):
            made.generate(hello, chat_template_kwargs=variables)
        with pytest.raises(WgmlError, match="messages is no variable"):
            made.prompt(hello, **variables)
    assert made.generate(messages=hello).usage.prompt_tokens > 0


METADATA = {
    "tokenizer.chat_template": "main {{ messages[0].content }}",
    "tokenizer.chat_template.tool_use": "with {{ tools[0].function.name }}",
    "tokenizer.chat_template.rag": "{{ bos_token }}rag {{ documents[0] }}",
    "tokenizer.chat_template.broken": "{% if",
    "tokenizer.chat_template.endless": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "tokenizer.chat_template.long": "x" * (1 << 19),
    "tokenizer.chat_template.number": 5,
    "tokenizer.chat_template.": "nameless",
    "tokenizer.chat_template.blank": " ",
    "tokenizer.chat_templates": ["tool_use", "rag", "absent"],
}


def test_templates_by_name() -> None:
    template = ChatTemplate.from_metadata(METADATA, "<s>")
    hello = [said("user", "hello")]
    assert template.render(hello) == template.render(hello, chat_template="default") == "main hello"
    assert template.render(hello, tools=TOOLS) == "with weather"
    assert template.render(hello, chat_template="rag", documents=["d"]) == "<s>rag d"
    for name, says in (
        ("broken", "has an error in line 1.*'broken'"),
        ("endless", "takes too (long|many steps)"),
        ("long", "too long"),
        ("number", "the file has no chat template 'number'; it has 'default', 'tool_use', 'rag'"),
        ("absent", "no chat template 'absent'"),
        ("", "no chat template ''"),
        (5, "chat_template is the int 5, not text"),
    ):
        quick = ChatTemplate(template.source, max_seconds=0.5, named=template.named)
        with pytest.raises(WgmlError, match=says):
            quick.render(hello, chat_template=name)  # type: ignore[arg-type]
        assert quick.render(hello) == "main hello"


def test_a_broken_template_for_tools() -> None:
    """The main one is taken where it knows of tools; else it is told what is wrong, and only where there are tools."""
    broken = {"tokenizer.chat_template.tool_use": "{% if"}
    knows = ChatTemplate.from_metadata({"tokenizer.chat_template": "{{ tools | length if tools }} tools"} | broken)
    assert knows.render([said("user", "a")], tools=TOOLS) == "1 tools"
    without = ChatTemplate.from_metadata({"tokenizer.chat_template": "plain{# #}"} | broken)
    assert without.render([said("user", "a")]) == "plain"
    with pytest.raises(WgmlError, match="error in line 1"):
        without.render([said("user", "a")], tools=TOOLS)


def test_a_model_chooses_the_template() -> None:
    made = model()
    made.template = ChatTemplate.from_metadata(METADATA)
    hello = [said("user", "hello")]
    assert made.prompt_text(hello) == "main hello"
    assert made.prompt_text(hello, TOOLS) == "with weather"
    assert made.prompt_text(hello, chat_template="rag", documents=["d"]) == "rag d"
    options: dict[str, Any] = {"chat_template": "rag", "chat_template_kwargs": {"documents": ["d"]}}
    assert made.generate(hello, **options).usage.prompt_tokens == len("rag d")
    with pytest.raises(WgmlError, match="no chat template 'x'"):
        made.generate(hello, chat_template="x")
