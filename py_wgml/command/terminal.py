"""What a terminal is given: nothing that a model or a file says is a command to it."""

import os
import sys
from typing import Any

DIM, BOLD, PLAIN = "\x1b[2m", "\x1b[1m", "\x1b[0m"
_CONTROLS = dict.fromkeys([*range(9), *range(11, 32), *range(127, 160)], "\ufffd")


def harmless(text: str) -> str:
    """A text with signs of the same kind in the place of all control characters but tabs and ends of lines."""
    return text.translate(_CONTROLS)


def coloured(stream: Any) -> bool:
    """Whether whoever looks at the stream wants colours."""
    return bool(stream.isatty()) and not os.environ.get("NO_COLOR")


def say(text: str) -> None:
    """A line about what is going on, on stderr: stdout is for answers."""
    print(harmless(text), file=sys.stderr, flush=True)
