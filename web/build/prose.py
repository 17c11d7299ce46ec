"""Docstrings here are prose: in the reference, the arguments and members that they speak of stand out.

MkDocs loads it into Griffe, which reads the sources.
"""

import re
from collections.abc import Iterable
from typing import Any

import griffe


def marked(text: str, names: Iterable[str]) -> str:
    """Markdown in which each of `names` is marked where it is told of: `device: ...`, `top_k, top_p: ...`."""
    one = "|".join(map(re.escape, names))
    told = re.compile(rf"(?<![\w`.])(?:{one})(?=(?:, (?:{one}))*:\s)")
    lines = text.split("\n") if one else []
    return "\n".join(line if line.startswith("    ") else told.sub(r"**\g<0>**", line) for line in lines) or text


class Prose(griffe.Extension):  # type: ignore[misc, unused-ignore]  # it may not be there when types are checked
    """Griffe calls it for each function and each class."""

    def on_function_instance(self, *, func: griffe.Function, **_: Any) -> None:
        """Mark its arguments."""
        if func.docstring:
            func.docstring.value = marked(func.docstring.value, [parameter.name for parameter in func.parameters])

    def on_class_members(self, *, cls: griffe.Class, **_: Any) -> None:
        """Mark its members, and what it is made from."""
        if cls.docstring:
            made_from = [parameter.name for parameter in cls.parameters] if "__init__" in cls.members else []
            cls.docstring.value = marked(cls.docstring.value, {*cls.attributes, *made_from})
