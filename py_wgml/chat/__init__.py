"""Conversations to prompts, and answers to what was thought and what was said."""

from .answers import AnswerFormat
from .conversation import characters, normalised, system_count, user_turns
from .template import ChatTemplate

__all__ = ["AnswerFormat", "ChatTemplate", "characters", "normalised", "system_count", "user_turns"]
