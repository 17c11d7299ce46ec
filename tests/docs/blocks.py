"""The fenced blocks of the project's Markdown."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from web.build import paths
from web.build.docs import PAGES as AT_THE_TOP

PAGES = [*(paths.ROOT / name for name in AT_THE_TOP), *sorted((paths.ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^( *)(`{3,})([^`\n]*)\n(.*?)^\1\2 *$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """What stands between two fences. place: file and line, for messages; language: of its info string."""

    place: str
    language: str
    code: str


def blocks(page: Path, language: str | None = None) -> list[Block]:
    """Those of a page, in order; of one language or all."""
    text = page.read_text()
    name = page.relative_to(paths.ROOT).as_posix()
    return [
        Block(f"{name}:{text.count(chr(10), 0, found.start()) + 1}", found[3].strip(), found[4])
        for found in FENCE.finditer(text)
        if language in (None, found[3].strip())
    ]


def commands(block: Block) -> Iterator[list[str]]:
    """The words of each command of a block in a shell's language, of those that a pipe joins each."""
    for line in block.code.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        ends = [place for place, word in enumerate(words) if word == "|"]
        for start, end in zip([0, *(place + 1 for place in ends)], [*ends, len(words)], strict=True):
            if words:
                yield words[start:end]
