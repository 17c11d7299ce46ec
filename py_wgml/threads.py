"""Work beside the event loop, where there are threads."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def aside(function: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    """What a function returns that takes long: in a thread, while the loop goes on; in a browser here and now."""
    if sys.platform == "emscripten":
        return function(*given, **named)
    return await asyncio.to_thread(function, *given, **named)
