"""Passages of texts that are longer than a model's context: cut, counted, and the best for a question found."""

from .library import Document, Found, Library
from .passages import Passage, cut
from .scores import Words, blended, terms

__all__ = ["Document", "Found", "Library", "Passage", "Words", "blended", "cut", "terms"]
