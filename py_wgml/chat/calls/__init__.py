"""Calls of functions: how models write them, and how they are told from what is said."""

from .splitter import CallSplitter

__all__ = ["CallSplitter"]
