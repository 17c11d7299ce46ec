"""What becomes of the tokens of an answer: thoughts, text and calls, in pieces, in conversations and going on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import scripted

from py_wgml import WgmlError
from py_wgml.generate import Part

QUESTION = [{"role": "user", "content": "Hi"}]
HARMONY = ("<|start|>", "<|channel|>", "<|message|>", "<|constrain|>", "<|end|>", "<|call|>", "<|return|>")
# gpt-oss's template does the same: marks in what was said are refused.
HARMONY_TEMPLATE = (
    "{% for m in messages %}{% if '<|channel|>analysis<|message|>' in m.content or '<|channel|>final<|message|>' in "
    "m.content %}{{ raise_exception('marks in the content') }}{% endif %}<|start|>{{ m.role }}"
    "{{ '<|channel|>final' if m.role == 'assistant' }}<|message|>{{ m.content }}<|end|>{% endfor %}<|start|>assistant"
)
CALL = (
    '<|start|>assistant<|channel|>commentary to=functions.weather <|constrain|>json<|message|>{"city": "Rome"}<|call|>'
)

CALLED = '@weather{"city": "Rome"}'


def answered(model: Any, messages: Any = QUESTION, **options: Any) -> tuple[str, str, str]:
    """Thoughts and text of an answer, and why it ended; pieces and the sum of parts say the same."""
    generation = model.generate(messages, **options)

    async def main() -> Part:
        whole = Part()
        async for part in generation.parts():
            assert part
            whole += part
        return whole

    whole = asyncio.run(main())
    assert (whole.reasoning, whole.text) == (generation.reasoning, generation.text)
    assert [(call.id, call.name, call.arguments) for call in whole.calls] == [
        (call["id"], call["function"]["name"], call["function"]["arguments"]) for call in generation.tool_calls
    ]
    called = "".join(f"@{call.name}{call.arguments}" for call in whole.calls)
    return generation.reasoning, generation.text + called, generation.reason


TURNS = "{% for m in messages %}[INST]{{ m.content }}[/INST]{% endfor %}"
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}<|im_start|>assistant\n"
)


@pytest.mark.parametrize(
    ("template", "control", "answer", "reasoning", "text"),
    [
        (TURNS, "[INST] [/INST] [THINK] [/THINK]", "[THINK]17*23: 391.[/THINK]It is 391.", "17*23: 391.", "It is 391."),
        (
            CHATML,
            "<|im_start|> <|tool_call_start|> <|tool_call_end|>",
            "<|tool_call_start|>[weather(city='Rome')]<|tool_call_end|>Looking.",
            "",
            "<|tool_call_start|>[weather(city='Rome')]<|tool_call_end|>Looking.",
        ),
        (CHATML + "<thought>\n", "<|im_start|>", "why</thought>so", "why", "so"),
        (CHATML, "<|im_start|>", "<thought>why</thought>so", "why", "so"),
        (CHATML, "<|im_start|> <think> </think>", "<think>why</think>so", "why", "so"),
        (CHATML, "<|im_start|> <think> </think>", "why</think>so", "why", "so"),
        (CHATML, "<|im_start|> <think> </think>", "<think>a</think>b<think>c</think>d", "ac", "bd"),
        (CHATML, "<|im_start|>", "why</think>so", "why", "so"),
        (CHATML, "<|im_start|>", "a<|im_start|>b", "", "ab"),
        (
            CHATML,
            "<|START_THINKING|> <|END_THINKING|> <|START_RESPONSE|> <|END_RESPONSE|>",
            "<|START_THINKING|>why<|END_THINKING|><|START_RESPONSE|>so<|END_RESPONSE|>",
            "why",
            "so",
        ),
        (
            CHATML,
            "<|START_THINKING|> <|END_THINKING|> <|START_ACTION|> <|END_ACTION|>",
            "<|START_THINKING|>why<|END_THINKING|><|START_ACTION|>[]<|END_ACTION|>",
            "why",
            "<|START_ACTION|>[]<|END_ACTION|>",
        ),
        (CHATML, "<|channel> <channel|>", "<|channel>thought\nwhy<channel|>so", "\nwhy", "so"),
        (CHATML, "[TOOL_CALLS] [ARGS]", "[TOOL_CALLS]weather[ARGS]{}", "", "[TOOL_CALLS]weather[ARGS]{}"),
        (CHATML, "<|python_tag|>", "<|python_tag|>1 + 1", "", "<|python_tag|>1 + 1"),
    ],
)
@pytest.mark.parametrize("end", ["", "</s>"])
def test_parts_of_an_answer(template: str, control: str, answer: str, reasoning: str, text: str, end: str) -> None:
    model = scripted.model(scripted.byte_level(control.split()), template, answer + end)
    reason = "stop" if end else "context"
    assert answered(model) == (reasoning, text, reason)


@pytest.mark.parametrize("kind", ["user_defined", "plain"])
def test_thoughts_in_marks_of_other_kinds_of_tokens(kind: str) -> None:
    marks = ("<think>", "</think>") if kind == "user_defined" else ()
    model = scripted.model(scripted.byte_level(user_defined=marks), CHATML, "<think>why</think>so</s>")
    assert answered(model) == ("why", "so", "stop")


@pytest.mark.parametrize(
    ("answer", "reasoning", "text", "reason"),
    [
        ("<|channel|>analysis<|message|>why<|end|>" + CALL, "why", CALLED, "tool_calls"),
        (
            "<|channel|>analysis<|message|>why<|end|><|start|>assistant<|channel|>final<|message|>so<|return|>",
            "why",
            "so",
            "stop",
        ),
        (CALL.removeprefix("<|start|>assistant"), "", CALLED, "tool_calls"),
    ],
)
def test_gpt_oss(answer: str, reasoning: str, text: str, reason: str) -> None:
    model = scripted.model(scripted.byte_level(HARMONY), HARMONY_TEMPLATE, answer)
    assert answered(model) == (reasoning, text, reason)


def test_conversations_keep_thoughts_apart() -> None:
    thought = "<|channel|>analysis<|message|>why<|end|><|start|>assistant"
    answer = thought + "<|channel|>final<|message|>so<|return|>"
    model = scripted.model(scripted.byte_level(HARMONY), HARMONY_TEMPLATE, answer, thought[:-19] + CALL, answer)
    chat = model.chat()

    async def ask(said: Any) -> str:
        return "".join(await scripted.pieces(chat.send(said)))

    assert asyncio.run(ask("Hi")) == "so"
    assert chat.last and chat.last.reasoning == "why"
    assert chat.messages[-1] == {"role": "assistant", "content": "so", "reasoning_content": "why"}
    assert asyncio.run(ask("And?")) == ""
    [call] = chat.messages[-1]["tool_calls"]
    assert (call["function"], chat.last.tool_calls) == ({"name": "weather", "arguments": '{"city": "Rome"}'}, [call])
    with pytest.raises(WgmlError, match="their results must come"):
        asyncio.run(ask("And?"))
    assert asyncio.run(ask([{"role": "tool", "tool_call_id": call["id"], "content": "21"}])) == "so"
    assert len(chat.messages) == 6


def test_a_conversation_holds_what_thoughts_turned_out_to_be() -> None:
    model = scripted.model(scripted.byte_level(), CHATML, "Hm.\n</think>\nFour</s>")
    chat = model.chat()
    assert "".join(asyncio.run(scripted.pieces(chat.send("2 + 2?")))) == "Hm.\n\nFour"  # what was shown was shown
    assert chat.messages[-1] == {"role": "assistant", "content": "\nFour", "reasoning_content": "Hm.\n"}


def test_stopped_within_thoughts() -> None:
    model = scripted.model(scripted.byte_level(), CHATML, "<think>why</think>so", "</think>so</s>")
    reasoning, text, reason = answered(model, max_tokens=9)
    assert (reasoning, text, reason) == ("wh", "", "length")
    begun = {"role": "assistant", "content": "", "reasoning_content": "wh"}
    assert model.prompt_text([*QUESTION, begun]).endswith("assistant<think>wh")
    assert answered(model, [*QUESTION, begun]) == ("", "so", "stop")


@pytest.mark.parametrize(
    ("stop", "reasoning", "text"),
    [
        (["\n\n"], "a\n\nb", "c"),  # not in thoughts
        (["bc"], "a\n\nb", "c\n\nd"),  # nor over their end
        (["think"], "a\n\nb", "c\n\nd"),  # nor in a mark
        (["d"], "a\n\nb", "c\n\n"),
        (["never", "c"], "a\n\nb", ""),
    ],
)
def test_stop_strings_are_of_the_text(stop: list[str], reasoning: str, text: str) -> None:
    model = scripted.model(scripted.byte_level(), CHATML, "<think>a\n\nb</think>c\n\nd</s>")
    assert answered(model, stop=stop) == (reasoning, text, "stop")


def test_a_stop_string_does_not_begin_in_the_prompt() -> None:
    model = scripted.model(scripted.byte_level(), CHATML, "en tea</s>")
    assert answered(model, [*QUESTION, {"role": "assistant", "content": "gre"}], stop=["green"])[1] == "en tea"


def going_on(tokenizer: Any, template: str, begun: str, ids: list[int], **message: Any) -> str:
    model = scripted.model(tokenizer, template, ids)
    return answered(model, [*QUESTION, {"role": "assistant", "content": begun, **message}])[1]


PLAIN_TURNS = "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}{% endfor %}<|assistant|>\n"


@pytest.mark.parametrize("variant", ["bytes", "unknown", "bytes, no prefix"])
def test_going_on_keeps_the_space(variant: str) -> None:
    tokenizer = scripted.sentencepiece(variant)
    # What follows "the": a token that begins with a space.
    lamp = tokenizer.encode("the lamp", add_special=False)[len(tokenizer.encode("the", add_special=False)) :]
    assert tokenizer.token_bytes(lamp[0]).startswith(b" ")
    assert going_on(tokenizer, PLAIN_TURNS, "the", lamp) == " lamp"
    assert going_on(tokenizer, PLAIN_TURNS, "the ", lamp) == " lamp"  # as the model said it
    # A turn's first space is the vocabulary's, and goes away; where it has none it stays.
    first = answered(scripted.model(tokenizer, PLAIN_TURNS, lamp))[1]
    assert first == ("lamp" if tokenizer.space_prefix else " lamp")
    # Text that ends with a special token is followed by text that is encoded anew.
    after = going_on(tokenizer, PLAIN_TURNS, "the<tool>", lamp)
    assert after == ("lamp" if tokenizer.space_prefix else " lamp")
    # After thoughts, and within them.
    assert going_on(tokenizer, PLAIN_TURNS, "the", lamp, reasoning_content="a") == " lamp"
    within = scripted.model(tokenizer, PLAIN_TURNS, lamp)
    begun = {"role": "assistant", "content": "", "reasoning_content": "the"}
    assert answered(within, [*QUESTION, begun])[0] == " lamp"


def test_text_goes_on_behind_a_token_that_is_not_shown() -> None:
    tokenizer = scripted.sentencepiece("bytes")
    the, end = tokenizer.encode("the", add_special=False), tokenizer.encode("<s>", False, True)
    model = scripted.model(tokenizer, PLAIN_TURNS, [*the, *end, *the])
    assert answered(model)[1] == "the the"


def test_a_character_that_is_cut_off_comes_whole_when_the_answer_goes_on() -> None:
    tokenizer = scripted.byte_level()
    model = scripted.model(tokenizer, CHATML, "a🙂b", "🙂b</s>", [*tokenizer.encode("a🙂")[:-1], 0])
    assert answered(model, max_tokens=3) == ("", "a", "length")
    assert answered(model, [*QUESTION, {"role": "assistant", "content": "a"}])[1] == "🙂b"
    assert answered(model)[1] == "a\ufffd"  # the model itself ends there


def test_leaving_early_ends_the_engine_s_work() -> None:
    model = scripted.model(scripted.byte_level(), CHATML, "abc")
    ended = []
    generate = model.runner.generate

    async def watched(*given: Any, **named: Any) -> Any:
        try:
            async for id in generate(*given, **named):
                yield id
        finally:
            ended.append(True)

    model.runner.generate = watched  # type: ignore[method-assign]

    async def main() -> None:
        answer = aiter(model.generate(QUESTION))
        await anext(answer)
        await answer.aclose()
        assert ended

    asyncio.run(main())


def test_bad_templates_do_not_hinder_the_format() -> None:
    model = scripted.model(scripted.byte_level(["[THINK]", "[/THINK]"]), "{{ raise_exception('no') }}")
    assert len(model.answer_format.shown) == 2
    with pytest.raises(WgmlError, match="no"):
        model.generate(QUESTION)
