"""Conversations to prompts, and answers to what was thought and what was said."""

from .answers import AnswerFormat
from .conversation import leading, read, text_of
from .template import ChatTemplate

__all__ = ["AnswerFormat", "ChatTemplate", "leading", "read", "text_of"]
