"""Conversations as callers have them, read: messages that are objects of some kind or other, content in parts, the role
names of other programs, calls without content.

What is read has the form of OpenAI's interface and of Hugging Face's `apply_chat_template`, with calls' arguments as
objects. What can't be said in it is refused; nothing is left out silently. (turns.py then makes of it what the model's
chat template takes.)
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import WgmlError, quoted, shown
from ..values import listed, plain, read_json, wrong

Message = dict[str, Any]

ROLES = ("system", "user", "assistant", "tool")
_MEANT = {
    "developer": "system",
    "human": "user",
    "function": "tool",
    "ipython": "tool",
    **dict.fromkeys(("model", "ai", "gpt", "bot", "chatbot"), "assistant"),
}
_TEXTS = ("text", "input_text", "output_text")  # types of parts, in both of OpenAI's interfaces
_MEMBERS = 70  # characters that the names and places of a message's members weigh in the sandbox, or of a part's
BETWEEN_PARTS = "\n"
"""Between parts of text, where a template takes content only whole: as llama.cpp and vLLM have it."""


def read(messages: Any) -> list[Message]:
    """A conversation, message by message; reading what was read changes nothing.

    Each message is a mapping, a dataclass or a pydantic model. It has a role, which is one of ROLES or in none of the
    words that mean one of these, and content: text, or a list of {"type": "text", "text": ...}. Keys without a value
    are gone. Raises WgmlError, which numbers the message, for anything else.
    """
    return [_message(f"messages[{i}]", message) for i, message in enumerate(listed("messages", messages))]


def leading(messages: Sequence[Mapping[str, Any]]) -> int:
    """How many of the first messages are the system's."""
    return next((i for i, message in enumerate(messages) if message["role"] != "system"), len(messages))


def text_of(message: Mapping[str, Any]) -> str:
    """What a message that was read says."""
    content = message.get("content") or ""
    return content if isinstance(content, str) else BETWEEN_PARTS.join(part["text"] for part in content)


def size_of(message: Mapping[str, Any]) -> int:
    """Characters of a message that was read: of all that it says, thinks and calls, and about what its members weigh
    where a template is given it."""
    content = message.get("content") or ""
    parts = 0 if isinstance(content, str) else len(content)
    calls = message.get("tool_calls")
    size = len(text_of(message)) + len(message.get("reasoning_content", "")) + _MEMBERS * (1 + parts)
    return size + (len(json.dumps(calls, ensure_ascii=False)) if calls else 0)


def is_blank(message: Mapping[str, Any]) -> bool:
    """Whether a message that was read says nothing and calls nothing, whatever was thought."""
    return not text_of(message).strip() and not message.get("tool_calls")


def _message(where: str, given: Any) -> Message:
    opened = _opened(given)
    if not isinstance(opened, Mapping):
        raise wrong(where, given, 'an object such as {"role": "user", "content": "Hello"}')
    message = {key: value for key, value in plain(opened, where, _opened).items() if value is not None}
    message["role"] = role = _role(where, message.get("role"))
    message["content"] = _content(where, role, message)
    for key in ("reasoning_content", "name", "tool_call_id"):
        if not isinstance(message.get(key, ""), str):
            raise wrong(f"the {key} of {where}", message[key], "text")
    if message.get("audio"):
        raise WgmlError(f"{where} has audio; this model takes text alone")
    calls = _calls(where, message)
    for key in ("tool_calls", "function_call", "refusal", "audio", "annotations"):
        if not message.get(key) or key in ("function_call", "refusal"):
            message.pop(key, None)
    return message | ({"tool_calls": calls} if calls else {})


def _opened(value: Any) -> Any:
    """An object of a client's library as what it holds."""
    if isinstance(value, type):
        return value
    if callable(getattr(value, "model_dump", None)):
        try:
            return value.model_dump()
        except Exception as error:  # it is its class's own
            raise WgmlError(f"a {type(value).__name__} in the messages can't be read: {shown(str(error))}") from error
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return value


def _role(where: str, role: Any) -> str:
    if not isinstance(role, str) or not role.strip():
        raise WgmlError(f"{where} has no role")
    known = role.strip().lower()
    return known if known in ROLES else _MEANT.get(known, role)


def _content(where: str, role: str, message: Mapping[str, Any]) -> str | list[Message]:
    content = message.get("content")
    if isinstance(content, str):
        return content
    if isinstance(content, Mapping) and content.get("type") in _TEXTS:
        content = [content]
    if role == "tool" and not (content and _are_parts(content)):
        return "" if content is None else json.dumps(content, ensure_ascii=False)  # a function gave a value back
    if content is None or content == []:
        refusal = message.get("refusal")
        return refusal if isinstance(refusal, str) else ""
    if not isinstance(content, list):
        raise wrong(f"the content of {where}", content, "text")
    return [_part(f"content[{i}] of {where}", part) for i, part in enumerate(content)]


def _are_parts(content: Any) -> bool:
    return isinstance(content, list) and all(isinstance(part, Mapping) and "type" in part for part in content)


def _part(where: str, part: Any) -> Message:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if not isinstance(part, Mapping):
        raise wrong(where, part, 'a part such as {"type": "text", "text": "Hello"}')
    kind = part.get("type", "text" if "text" in part else None)
    if kind not in _TEXTS:
        raise WgmlError(f"{where} is of the type {quoted(str(kind))}; this model takes text alone")
    if not isinstance(part.get("text"), str):
        raise wrong(f"the text of {where}", part.get("text"), "text")
    return {"type": "text", "text": part["text"]}


def _calls(where: str, message: Mapping[str, Any]) -> list[Message]:
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list) or not all(isinstance(call, Mapping) for call in calls):
        raise WgmlError(f"the tool_calls of {where} are not a list of calls")
    if not calls and message.get("function_call"):  # as OpenAI's interface had it first
        calls = [{"type": "function", "function": message["function_call"]}]
    if calls and message["role"] != "assistant":
        raise WgmlError(f"{where} has tool_calls, but they are the assistant's to make")
    return [_call(where, call) for call in calls]


def _call(where: str, call: Mapping[str, Any]) -> Message:
    read = {**call, "function": _function(where, call)}
    if read.get("id") is None:
        read.pop("id", None)
    elif not isinstance(read["id"], str):
        raise wrong(f"the id of a call in {where}", read["id"], "text")
    return read


def _function(where: str, call: Mapping[str, Any]) -> Message:
    function = call.get("function")
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise WgmlError(f"a call in {where} does not name its function")
    arguments = function.get("arguments") or {}
    if isinstance(arguments, str):
        try:
            arguments = read_json(arguments) if arguments.strip() else {}
        except ValueError:
            arguments = None
        arguments = plain(arguments, f"the arguments of the call of {quoted(function['name'])} in {where}")
    if not isinstance(arguments, Mapping):
        raise WgmlError(f"the arguments of the call of {quoted(function['name'])} in {where} are not a JSON object")
    return {**function, "arguments": arguments}
