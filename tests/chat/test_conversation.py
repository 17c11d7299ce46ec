"""Conversations in every form that programs have them: read without loss, or refused by number."""
# ruff: noqa: E501  (messages and what becomes of them are lines)

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from py_wgml.chat import read, text_of
from py_wgml.errors import WgmlError


def said(role: str, content: Any = None, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def text(*texts: str, type: str = "text") -> list[dict[str, str]]:
    return [{"type": type, "text": text} for text in texts]


def function(arguments: Any, name: str = "weather") -> dict[str, Any]:
    return {"id": "1", "type": "function", "function": {"name": name, "arguments": arguments}}


def doubled(times: int = 60) -> Any:
    """A list that holds the one before twice, `times` times over: no more than that in memory."""
    value: Any = []
    for _ in range(times):
        value = [value, value]
    return value


def calling(arguments: Any) -> dict[str, Any]:
    return said("assistant", None, tool_calls=[function(arguments)])


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (said("user", "a"), said("user", "a")),
        (said("user", text("a", "b")), said("user", text("a", "b"))),
        (said("user", text("a", type="input_text")), said("user", text("a"))),
        (said("assistant", text("a", type="output_text")), said("assistant", text("a"))),
        (said("user", ["a", {"text": "b"}, {"type": "text", "text": "c", "cache_control": {"type": "ephemeral"}}]), said("user", text("a", "b", "c"))),
        (said("user", tuple(text("a"))), said("user", text("a"))),
        (said("user", {"type": "text", "text": "a"}), said("user", text("a"))),
        (said("user", []), said("user", "")),
        ({"role": "user"}, said("user", "")),
        (said("developer", "a"), said("system", "a")),
        (said(" System ", "a"), said("system", "a")),
        (said("human", "a"), said("user", "a")),
        *((said(role, "a"), said("assistant", "a")) for role in ("gpt", "model", "ai", "Assistant")),
        (said("function", "21", name="weather"), said("tool", "21", name="weather")),
        (said("tool", 21), said("tool", "21")),
        (said("tool", True), said("tool", "true")),
        (said("tool", {"t": 21, "place": "Köln"}), said("tool", '{"t": 21, "place": "Köln"}')),
        (said("tool", [1, None]), said("tool", "[1, null]")),
        (said("tool", []), said("tool", "[]")),
        (said("tool", None), said("tool", "")),
        (said("tool", text("a")), said("tool", text("a"))),
        (said("assistant", None, refusal="No."), said("assistant", "No.")),
        (said("assistant", "a", refusal=None, annotations=[], audio=None, function_call=None, tool_calls=None, name=None), said("assistant", "a")),
        (said("assistant", "a", tool_calls=[]), said("assistant", "a")),
        (said("assistant", None, function_call={"name": "f", "arguments": "{}"}), said("assistant", "", tool_calls=[{"type": "function", "function": {"name": "f", "arguments": {}}}])),
        (calling('{"at": null}'), said("assistant", "", tool_calls=[function({"at": None})])),
        (calling({"at": None}), said("assistant", "", tool_calls=[function({"at": None})])),
        (calling(""), said("assistant", "", tool_calls=[function({})])),
        (calling(" "), said("assistant", "", tool_calls=[function({})])),
        (calling(None), said("assistant", "", tool_calls=[function({})])),
        (said("assistant", "a", reasoning_content="b", own={"x": [1]}), said("assistant", "a", reasoning_content="b", own={"x": [1]})),
        (said("narrator", "a"), said("narrator", "a")),  # a template may know it
    ],
)  # fmt: skip
def test_what_a_message_is_read_as(message: Any, expected: Any) -> None:
    assert read([message]) == [expected]
    assert read(read([message])) == [expected]


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ("hello", "messages is the str 'hello', not a list"),
        (None, "messages is None, not a list"),
        (5, "messages is the int 5"),
        (said("user", "a"), "messages is the dict"),
        (["hello"], r"messages\[0\] is the str 'hello', not an object"),
        ([("user", "hello")], r"messages\[0\] is the tuple"),
        ([said("user", "a"), None], r"messages\[1\] is None"),
        ([{"content": "a"}], r"messages\[0\] has no role"),
        ([said(" ", "a")], r"messages\[0\] has no role"),
        ([said("user", "a"), {"role": 5, "content": "a"}], r"messages\[1\] has no role"),
        ([{1: 2, "role": "user", "content": "a"}], r"a key of messages\[0\] is the int 1, not text"),
        ([said("user", 5)], r"the content of messages\[0\] is the int 5, not text"),
        ([said("user", 0)], "is the int 0"),
        ([said("user", False)], "is the bool False"),
        ([said("user", {"text": "a"})], "is the dict"),
        ([said("user", b"a")], r"messages\[0\].content is a bytes"),
        ([said("user", "a"), said("user", [*text("a"), 5])], r"content\[1\] of messages\[1\] is the int 5"),
        ([said("user", [None])], r"content\[0\] of messages\[0\] is None"),
        *(([said("user", [{"type": kind, kind: {}}])], rf"content\[0\] of messages\[0\] is of the type '{kind}'; this model takes text alone")
          for kind in ("image_url", "input_audio", "file", "refusal", "video_url", "odd")),
        ([said("user", [{}])], "of the type 'None'"),
        ([said("user", [{"type": "text"}])], r"the text of content\[0\] of messages\[0\] is None, not text"),
        ([said("user", [{"type": "text", "text": 5}])], "is the int 5, not text"),
        ([said("assistant", None, audio={"id": "1"})], r"messages\[0\] has audio"),
        ([said("assistant", "a", reasoning_content=5)], r"the reasoning_content of messages\[0\] is the int 5"),
        ([said("user", "a", name=5)], r"the name of messages\[0\]"),
        ([said("tool", "a", tool_call_id=5)], r"the tool_call_id of messages\[0\]"),
        ([said("user", "a", tool_calls=[function({})])], "they are the assistant's to make"),
        ([said("assistant", None, tool_calls="weather")], r"the tool_calls of messages\[0\] are not a list"),
        ([said("assistant", None, tool_calls=[5])], "are not a list of calls"),
        ([said("assistant", None, tool_calls=[{"function": 5}])], "does not name its function"),
        ([said("assistant", None, tool_calls=[{"type": "custom", "custom": {"name": "x"}}])], "does not name its function"),
        ([calling("{")], r"the arguments of the call of 'weather' in messages\[0\] are not a JSON object"),
        ([calling("[" * 100_000)], "are not a JSON object"),
        ([calling([1])], "are not a JSON object"),
        ([calling({"at": object()})], "not plain data"),
    ],
)  # fmt: skip
def test_what_is_no_conversation_is_refused_by_number(messages: Any, says: str) -> None:
    with pytest.raises(WgmlError, match=says) as error:
        read(messages)
    assert "\n" not in str(error.value) and len(str(error.value)) < 300


def test_a_conversation_that_contains_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(WgmlError, match="nested"):
        read([calling({"at": endless})])


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (lambda: calling({"at": 10**5000}), r"messages\[0\]\.tool_calls.* is a number of 16610 bits"),
        (lambda: calling(f'{{"at": {10**4000}}}'), r"of 'weather' in messages\[0\]\.at is a number of 13288 bits"),
        (lambda: said("tool", 10**5000), r"messages\[0\]\.content is a number of 16610 bits"),
        (lambda: said("tool", doubled()), r"messages\[0\]\.content.* goes beyond the \d+ values"),
        (lambda: said("tool", [[0] * 1000] * 1000), r"messages\[0\]\.content.* goes beyond the \d+ values"),
        (lambda: said("user", doubled()), r"messages\[0\]\.content.* goes beyond the \d+ values"),
        (doubled, "messages.0. is the list .*, not an object"),
    ],
)
def test_what_is_too_large_is_refused(message: Callable[[], Any], says: str) -> None:
    """Made by a function: pytest writes parameters out."""
    with pytest.raises(WgmlError, match=says) as error:
        read([message()])
    assert len(str(error.value)) < 300


def test_halves_of_surrogate_pairs_in_json_become_characters() -> None:
    [message] = read([calling('{"at": "\\ud800"}')])
    assert message["tool_calls"][0]["function"]["arguments"] == {"at": "\ufffd"}


def test_objects_that_fail_are_told() -> None:
    class Said:
        def model_dump(self) -> Any:
            raise RuntimeError("circular\nreference")

    for message in (Said(), said("user", [Said()])):
        with pytest.raises(WgmlError, match="a Said in the messages can't be read: circular reference"):
            read([message])


def test_objects_that_hold_each_other_are_refused() -> None:
    @dataclass
    class Said:
        role: str
        content: Any = None

    endless = Said("tool")
    endless.content = [endless, endless]
    with pytest.raises(WgmlError, match="nested"):
        read([endless])


def test_messages_may_be_objects() -> None:
    @dataclass
    class Call:
        function: dict[str, Any]
        type: str = "function"

    @dataclass
    class Said:
        role: str
        content: Any = None
        tool_calls: list[Call] = field(default_factory=list)

    named = {"name": "f", "arguments": "{}"}
    call = {"type": "function", "function": {"name": "f", "arguments": {}}}
    assert read([Said("assistant", None, [Call(named)])]) == [said("assistant", "", tool_calls=[call])]
    dumped = SimpleNamespace(model_dump=lambda: said("assistant", None, refusal=None, tool_calls=[call]))
    assert read([dumped]) == [said("assistant", "", tool_calls=[call])]
    # As many write it: a message of their own, with calls and parts as a library's objects.
    part = SimpleNamespace(model_dump=lambda: text("a")[0])
    inside = SimpleNamespace(model_dump=lambda: call)
    assert read([said("assistant", [part], tool_calls=[inside])]) == [said("assistant", text("a"), tool_calls=[call])]
    assert read(said("user", letter) for letter in "ab") == [said("user", "a"), said("user", "b")]
    assert read((said("user", "a"),)) == [said("user", "a")]
    assert read([]) == []


def test_what_was_given_stays_as_it_was() -> None:
    given = [calling('{"at": null}'), said("user", text("a"))]
    read(given)
    assert given == [calling('{"at": null}'), said("user", text("a"))]


def test_the_text_of_a_message() -> None:
    assert [text_of(message) for message in read([said("user", text("a", "b")), said("user", "c"), said("user")])] == [
        "a\nb",
        "c",
        "",
    ]
