"""What the tests of templates have in common."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from py_wgml.chat import ChatTemplate
from py_wgml.chat.template import _Generation

USER = [{"role": "user", "content": "Hi"}]


def render(source: str, messages: list[dict[str, str]] = USER, **variables: Any) -> str:
    """What a template makes of a conversation, in at most a second."""
    return ChatTemplate(source, "<BOS>", "<EOS>", max_seconds=1.0).render(messages, **variables)


def _refuse(message: str) -> None:
    raise TemplateError(message)


def unbounded(source: str, messages: list[Any], variables: dict[str, Any]) -> str | None:
    """What jinja2 makes of a conversation without our bounds, as transformers calls it; None where it fails."""
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", _Generation]
    )
    environment.filters["tojson"] = lambda value, ensure_ascii=False, **options: json.dumps(
        value, ensure_ascii=ensure_ascii, **options
    )
    environment.globals |= {"raise_exception": _refuse, "strftime_now": lambda format: datetime.now().strftime(format)}
    names = {"messages": messages, "bos_token": "<s>", "eos_token": "</s>", "add_generation_prompt": True}
    try:
        return environment.from_string(source).render(names | {"tools": None, "documents": None} | variables)
    except Exception:  # whatever a template does with what it did not expect
        return None
