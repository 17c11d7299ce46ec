"""Whose turn it is, where many ask of something that does one thing at a time."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

PATIENCE = 1.0  # seconds

READER: ContextVar[Any] = ContextVar("READER", default=None)
"""Who reads, where that is not the task: a thread, say, that has a task of its own for each piece of an answer."""


class Turns:
    """Who asks gets a turn in the order of asking. A holder that rests (its reader does not come back) for longer than
    PATIENCE while others wait loses its turn, and asks for another one if it goes on after all: so nobody waits for an
    answer that its reader has left and not closed. Where its very reader asks for something else, it loses it at once.
    """

    def __init__(self) -> None:
        self._holder: object | None = None
        self._resting: float | None = None  # since when the holder rests
        self._reader: object | None = None  # who reads what rests
        self._waiting: deque[tuple[object, asyncio.Future[None]]] = deque()

    def has(self, who: object) -> bool:
        """Whether it is the turn of `who`."""
        return self._holder is who

    async def take(self, who: object) -> bool:
        """Wait for a turn. False: `leave` came first."""
        if self._resting is not None and self._reader == _reader():
            self._next()
        if self._holder is None:
            self._holder = who
            return True
        granted = asyncio.get_running_loop().create_future()
        self._waiting.append((who, granted))
        try:
            while not granted.done():
                await asyncio.wait([granted], timeout=PATIENCE)
                rested = self._resting is not None and time.monotonic() - self._resting >= PATIENCE
                if rested and not granted.done() and self._waiting[0][0] is who:
                    self._next()
        except BaseException:
            self._waiting = deque(entry for entry in self._waiting if entry[0] is not who)
            self.give(who)
            raise
        return not granted.cancelled()

    def leave(self, who: object) -> None:
        """End the waiting of `who`, if it waits."""
        for waiting, granted in self._waiting:
            if waiting is who:
                granted.cancel()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """A turn, waited for and given back."""
        who = object()
        try:
            await self.take(who)
            yield
        finally:
            self.give(who)

    def give(self, who: object) -> None:
        """End the turn of `who`, if it is."""
        if self._holder is who:
            self._next()

    def rest(self, is_resting: bool) -> None:
        """Say that the holder waits for its reader, or goes on."""
        self._resting, self._reader = (time.monotonic(), _reader()) if is_resting else (None, None)

    def _next(self) -> None:
        self._holder, self._resting, self._reader = None, None, None
        while self._waiting and self._holder is None:
            who, granted = self._waiting.popleft()
            if not granted.get_loop().is_closed() and not granted.done():
                self._holder = who
                granted.set_result(None)


def _reader() -> object:
    return READER.get() or asyncio.current_task()
