"""Any conversation as one that a strict template takes: roles that it knows, text in messages, turns that alternate.

Callers send what OpenAI's clients and other programs keep: calls without content, content in parts, questions that were
never answered, several system messages. Nothing of it is lost: what can't be said in a template's terms is refused.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import WgmlError, quoted, shown

Message = Mapping[str, Any]

_CALLED = {
    "system": "system developer",
    "user": "user human",
    "assistant": "assistant model ai gpt bot",
    "tool": "tool function ipython",
}
ROLES = {name: role for role, names in _CALLED.items() for name in names.split()}
"""What the roles of a message are called, here and elsewhere."""
_TEXTS = ("text", "input_text", "output_text")
"""Types of parts that hold text, in OpenAI's two interfaces."""
_BETWEEN = "\n\n"
"""Between texts of one role that follow one another."""


def normalised(messages: Iterable[Any]) -> list[Message]:
    """A conversation with one system message at most, in front; then turns of user and assistant, the user's first.

    Messages may be mappings, dataclasses or pydantic models. Keys that say nothing (None, no calls) are left out; an
    assistant's message without text, thoughts or calls is; what one side says twice in a row becomes one message; what
    the system says later stands in front of what the user says next. Raises WgmlError, which numbers the message, for
    anything that is no conversation. What is normalised stays as it is.
    """
    system: list[str] = []
    turns: list[dict[str, Any]] = []
    for message in checked(messages):
        last = turns[-1] if turns else {"role": None}
        if message["role"] == "system":
            if not turns:
                system.append(message["content"])
                continue
            message = {**message, "role": "user"}
        if message["role"] == "assistant" and not _says(message):
            continue
        if message["role"] == last["role"] and _can_be_joined(last) and _can_be_joined(message):
            turns[-1] = _joined(last, message)
        else:
            turns.append(message)
    if turns and turns[0]["role"] == "assistant":
        turns.insert(0, {"role": "user", "content": ""})
    first = [{"role": "system", "content": _BETWEEN.join(filter(None, system))}] if any(system) else []
    return [*first, *turns]


def checked(messages: Iterable[Any]) -> list[dict[str, Any]]:
    """The same messages, each by itself as templates read them; errors as of `normalised`."""
    if isinstance(messages, str | bytes | Mapping) or not isinstance(messages, Iterable):
        raise WgmlError(f"messages is a {type(messages).__name__}, not a list of messages")
    return [_message(i, message) for i, message in enumerate(messages)]


def system_count(messages: Sequence[Any]) -> int:
    """How many messages at the beginning are the system's."""
    roles = [_message(i, message)["role"] for i, message in enumerate(messages)]
    return next((i for i, role in enumerate(roles) if role != "system"), len(roles))


def user_turns(messages: Sequence[Any]) -> list[int]:
    """Where messages of the user's stand."""
    return [i for i, message in enumerate(messages) if _message(i, message)["role"] == "user"]


def characters(messages: Iterable[Message]) -> int:
    """How long a conversation's texts are, together."""
    return sum(len(str(message.get(key) or "")) for message in messages for key in ("content", "reasoning_content"))


def in_parts(messages: Sequence[Message]) -> list[Message]:
    """The same conversation for templates that take content in parts alone."""
    return [{**message, "content": [{"type": "text", "text": message["content"]}]} for message in messages]


def _message(i: int, message: Any) -> dict[str, Any]:
    """One message: its role one of four, its content text, its calls with objects for arguments."""
    if hasattr(message, "model_dump"):
        message = message.model_dump()
    elif dataclasses.is_dataclass(message) and not isinstance(message, type):
        message = dataclasses.asdict(message)
    if not isinstance(message, Mapping):
        raise WgmlError(f"messages[{i}] is a {type(message).__name__}, not a message with a role and content")
    role = message.get("role")
    if not isinstance(role, str):
        raise WgmlError(f"messages[{i}] has no role")
    known = ROLES.get(role.strip().lower())
    if known is None:
        raise WgmlError(f"messages[{i}] has the role {quoted(role)}; there are system, user, assistant and tool")
    kept = {key: value for key, value in message.items() if value is not None and value != []}
    kept |= {"role": known, "content": _text(i, message.get("content"))}
    if "reasoning_content" in kept and not isinstance(kept["reasoning_content"], str):
        raise WgmlError(f"the reasoning_content of messages[{i}] is not text")
    if calls := kept.get("tool_calls"):
        if not isinstance(calls, Sequence) or not all(isinstance(call, Mapping) for call in calls):
            raise WgmlError(f"the tool_calls of messages[{i}] are not a list of calls")
        kept["tool_calls"] = [{**call, "function": _function(i, call)} for call in calls]
    return kept


def _text(i: int, content: Any) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list | tuple):
        raise WgmlError(f"the content of messages[{i}] is a {type(content).__name__}, not text")
    return "\n".join(_part(i, part) for part in content)


def _part(i: int, part: Any) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, Mapping):
        raise WgmlError(f"the content of messages[{i}] holds a {type(part).__name__}, not text")
    kind = part.get("type", "text")
    if kind not in _TEXTS:
        raise WgmlError(f"the content of messages[{i}] holds {shown(str(kind))}; this model takes text alone")
    if not isinstance(part.get("text"), str):
        raise WgmlError(f"the content of messages[{i}] holds a part without text")
    return str(part["text"])


def _function(i: int, call: Message) -> Message:
    function = call.get("function")
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise WgmlError(f"a call in messages[{i}] does not name its function")
    arguments = function.get("arguments") or {}
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except (ValueError, RecursionError):
            arguments = None
    if not isinstance(arguments, Mapping):
        name = quoted(function["name"])
        raise WgmlError(f"the arguments of the call of {name} in messages[{i}] are not a JSON object")
    return {**function, "arguments": arguments}


def _says(message: Message) -> bool:
    return any(message.get(key) for key in ("content", "reasoning_content", "tool_calls"))


def _can_be_joined(message: Message) -> bool:
    return message["role"] in ("user", "assistant") and not message.get("tool_calls")


def _joined(first: Message, second: Message) -> dict[str, Any]:
    """One message of two of the same role."""
    both = {**first, **second}
    for key in ("content", "reasoning_content"):
        texts = [text for message in (first, second) if (text := message.get(key))]
        if key in both:
            both[key] = _BETWEEN.join(texts)
    return both
