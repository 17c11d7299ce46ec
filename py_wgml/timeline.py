"""When what the first token of an answer waits for was done, for those who want to know."""

import time
from contextvars import ContextVar

_marks: ContextVar[dict[str, float] | None] = ContextVar("marks", default=None)


def keep() -> dict[str, float]:
    """Keep the marks that are made from now on by this task, and those that it begins: name to `time.perf_counter()`.

    Each is kept as it is made first.
    """
    marks: dict[str, float] = {}
    _marks.set(marks)
    return marks


def mark(name: str) -> None:
    """Something is done now."""
    marks = _marks.get()
    if marks is not None:
        marks.setdefault(name, time.perf_counter())
