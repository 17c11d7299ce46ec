"""Conversations to prompts, and answers to what was thought and what was said."""

from .reasoning import ReasoningSplitter, as_generated
from .template import ChatTemplate

__all__ = ["ChatTemplate", "ReasoningSplitter", "as_generated"]
