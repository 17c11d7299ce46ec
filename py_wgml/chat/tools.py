"""Functions that a model may call, and its calls of them, in the form that chat templates read.

The form is that of OpenAI's interface and of Hugging Face's `apply_chat_template`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import WgmlError


def checked_tools(tools: Sequence[Mapping[str, Any]] | None) -> list[Mapping[str, Any]] | None:
    """`tools`, each {"type": "function", "function": {"name": text, "parameters": JSON schema, ...}}; None for none.

    Raises WgmlError for anything else.
    """
    if not tools:
        return None
    if not isinstance(tools, Sequence) or isinstance(tools, str):
        raise WgmlError("tools is not a list of functions")
    for i, tool in enumerate(tools):
        function = tool.get("function") if isinstance(tool, Mapping) and tool.get("type") == "function" else None
        if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
            raise WgmlError(f'tools[{i}] is not of the form {{"type": "function", "function": {{"name": ...}}}}')
        if not isinstance(function.get("parameters", {}), Mapping):
            raise WgmlError(f"the parameters of the tool {function['name']!r} are not a JSON schema")
        try:
            json.dumps(tool)
        except (TypeError, ValueError, RecursionError) as error:
            raise WgmlError(f"the tool {function['name']!r} is not JSON: {error}") from None
    return list(tools)


def as_templates_read(messages: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """A conversation whose every message has text for its content, and every call its arguments as an object: that is
    what templates count on, while OpenAI's interface has calls without content, and arguments in JSON.

    Raises WgmlError for a message without a role, or a call that is not of that form.
    """
    return [_as_read(i, message) for i, message in enumerate(messages)]


def _as_read(i: int, message: Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(message, Mapping) or not isinstance(message.get("role"), str):
        raise WgmlError(f"messages[{i}] has no role")
    if message.get("content") is None:
        message = {**message, "content": ""}
    calls = message.get("tool_calls")
    if not calls:
        return message
    if not isinstance(calls, Sequence) or not all(isinstance(call, Mapping) for call in calls):
        raise WgmlError(f"the tool_calls of messages[{i}] are not a list of calls")
    return {**message, "tool_calls": [{**call, "function": _function(i, call)} for call in calls]}


def _function(i: int, call: Mapping[str, Any]) -> Mapping[str, Any]:
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
        raise WgmlError(f"the arguments of the call of {function['name']!r} in messages[{i}] are not a JSON object")
    return {**function, "arguments": arguments}
