"""Conversations to prompts."""

from .template import ChatTemplate

__all__ = ["ChatTemplate"]
