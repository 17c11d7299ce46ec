"""What ends build.py: one line that a person understands, and an exit code."""

from __future__ import annotations

import sys

FAILED, USAGE, NETWORK, MISMATCH, NO_BROWSER, NO_PORT, NO_TOOL = 1, 2, 3, 4, 5, 6, 7


class Stop(Exception):
    """Ends the program with one line that a person understands, and an exit code."""

    def __init__(self, message: str, code: int = FAILED):
        super().__init__(message)
        self.code = code


def say(text: str) -> None:
    """A line about what is going on, on stderr: stdout is for answers."""
    print(text, file=sys.stderr, flush=True)
