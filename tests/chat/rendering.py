"""What the tests of templates have in common."""

from typing import Any

from py_wgml.chat import ChatTemplate

USER = [{"role": "user", "content": "Hi"}]


def render(source: str, messages: list[dict[str, str]] = USER, **variables: Any) -> str:
    """What a template makes of a conversation, in at most a second."""
    return ChatTemplate(source, "<BOS>", "<EOS>", max_seconds=1.0).render(messages, **variables)
