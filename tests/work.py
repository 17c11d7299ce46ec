"""How much work a call is, as a number that is the same on every machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

Result = TypeVar("Result")


def counted(call: Callable[[], Result], limit: int = 20_000_000) -> tuple[Result, int]:
    """What a call returns, and the lines of Python that it runs, its loops' once for each round; what C does within one
    is not seen.

    Raises AssertionError from within the call at the limit: what would take hours ends there.
    """
    count = 0

    def trace(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        assert count <= limit, f"more than {limit:,} lines"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        result = call()
    finally:
        sys.settrace(before)
    return result, count
