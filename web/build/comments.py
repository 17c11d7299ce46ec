"""What visitors download of the page's own scripts and styles: all but what is there for who reads the source."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

_COMMENT = re.compile(r"^[ \t]*(?:/\*(?:(?!\*/).)*\*/[ \t]*|//[^\n]*)$", re.MULTILINE | re.DOTALL)
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)


def bare(text: str) -> str:
    """A script or a stylesheet without the comments that have lines to themselves, and without indentation.

    Its lines keep their numbers, so that an error names the line that the source has. Written in the style of web/: no
    line of a template literal begins like a comment. Where one goes over lines, indentation stays.
    """
    text = _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), text)
    return text if any(line.count("`") % 2 for line in text.splitlines()) else _INDENT.sub("", text)


def copy(source: Path, to: Path) -> None:
    """Copy a file of the page, a script or a style bare; its times stay."""
    if source.suffix not in (".js", ".css"):
        shutil.copy2(source, to)
        return
    to.write_text(bare(source.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    shutil.copystat(source, to)
