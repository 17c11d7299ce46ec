"""Conversations to prompts, and answers to what was thought and what was said."""

from .answers import AnswerFormat
from .conversation import leading, read, size_of, text_of
from .template import ChatTemplate
from .tools import Choice, chosen

__all__ = ["AnswerFormat", "ChatTemplate", "Choice", "chosen", "leading", "read", "size_of", "text_of"]
