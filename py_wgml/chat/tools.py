"""Functions that a model may call, in the form that chat templates read.

The form is that of OpenAI's interface and of Hugging Face's `apply_chat_template`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import WgmlError, quoted
from ..values import plain, wrong


def has_tools(tools: Sequence[Mapping[str, Any]] | None) -> bool:
    """Whether there are any. Raises WgmlError for what is no list."""
    if tools is None:
        return False
    if not isinstance(tools, Sequence) or isinstance(tools, str | bytes | bytearray | memoryview):
        raise wrong("tools", tools, "a list of functions")
    return len(tools) > 0


def checked_tools(tools: Sequence[Mapping[str, Any]] | None) -> list[Mapping[str, Any]] | None:
    """`tools`, each {"type": "function", "function": {"name": text, "parameters": JSON schema, ...}}; None for none.

    Raises WgmlError for anything else.
    """
    if tools is None or not has_tools(tools):
        return None
    found: list[Mapping[str, Any]] = plain(list(tools), "tools")
    for i, tool in enumerate(found):
        function = tool.get("function") if isinstance(tool, Mapping) and tool.get("type") == "function" else None
        if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
            raise WgmlError(f'tools[{i}] is not of the form {{"type": "function", "function": {{"name": ...}}}}')
        if not isinstance(function.get("parameters", {}), Mapping):
            raise WgmlError(f"the parameters of the tool {quoted(function['name'])} are not a JSON schema")
    return found


def told(tools: Sequence[Mapping[str, Any]]) -> str:
    """The tools in words of the system's, for a model whose chat template knows of none."""
    functions = (json.dumps(tool["function"], ensure_ascii=False) for tool in tools)
    listed = "\n".join(functions)
    return (
        f"You can call these functions, of which each is described in JSON:\n{listed}\n"
        'To call one, answer with nothing but JSON: {"name": the function\'s name, "arguments": an object}. '
        "Its result comes in the next message."
    )


@dataclass(frozen=True)
class Choice:
    """The tools that the model is told of, and those of which it must call one (none: it need not call)."""

    tools: list[Mapping[str, Any]] | None
    required: tuple[Mapping[str, Any], ...] = ()
    several: bool = False
    """More than one call may be made where one is required."""


def chosen(
    tools: Sequence[Mapping[str, Any]] | None, choice: str | Mapping[str, Any] | None, several: bool = False
) -> Choice:
    """What a `tool_choice`, in the form of OpenAI's interface, makes of `tools`. Raises WgmlError where it is none, or
    asks for a call of what is not among them."""
    found = checked_tools(tools)
    if choice is None or choice == "auto":
        return Choice(found)
    if choice == "none":
        return Choice(None)
    named = choice.get("function") if isinstance(choice, Mapping) and choice.get("type") == "function" else None
    name = named.get("name") if isinstance(named, Mapping) else None
    if choice != "required" and not isinstance(name, str):
        form = '"auto", "none", "required" or {"type": "function", "function": {"name": ...}}'
        raise wrong("tool_choice", choice, form)
    required = [tool for tool in found or () if name in (None, tool["function"]["name"])]
    if not required:
        missing = "" if name is None else f" of the name {quoted(name)}"
        raise WgmlError(f"tool_choice asks for a call, but there is no tool{missing}")
    return Choice(found, tuple(required), several and name is None)
