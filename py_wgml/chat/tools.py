"""Functions that a model may call, in the form that chat templates read.

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
