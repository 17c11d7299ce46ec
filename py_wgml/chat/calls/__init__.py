"""Calls of functions: how models write them, how they are told from what is said, and what they are held to."""

from .forced import forced
from .form import ARGUMENTS, BARE, NAME, Form
from .rows import ROWS, Row
from .splitter import CallSplitter

__all__ = ["ARGUMENTS", "BARE", "NAME", "ROWS", "CallSplitter", "Form", "Row", "forced"]
