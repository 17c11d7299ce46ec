"""The command `py_wgml`: chat with a model, ask it, measure it, look into its file, make a page of it."""

from .main import main

__all__ = ["main"]
