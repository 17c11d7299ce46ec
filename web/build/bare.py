"""What visitors download of the page's own scripts and styles: what a browser reads, nothing for who reads the source.

terser makes the scripts short: bundlers use it, and it knows JavaScript. Nothing is bundled: a module stays one.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from . import paths
from .cache import alone
from .errors import FAILED, Stop
from .pins import node, node_modules

PROGRAM = Path(__file__).with_name("bare.mjs")
_COMMENT = re.compile(r"^[ \t]*/\*(?:(?!\*/).)*\*/[ \t]*\n", re.MULTILINE | re.DOTALL)
_INDENT = re.compile(r"^[ \t\n]+", re.MULTILINE)


@alone()
def bare(files: Mapping[str, Path]) -> dict[str, Path]:
    """Scripts and styles (place in the site -> file) as visitors get them, made once for each content.

    Returns place in the site -> file. Raises Stop where a script is none.
    """
    folder = paths.CACHE / "bare"
    folder.mkdir(parents=True, exist_ok=True)
    recipe = PROGRAM.read_bytes() + (paths.WEB / "package-lock.json").read_bytes() + Path(__file__).read_bytes()
    done: dict[str, Path] = {}
    jobs: list[dict[str, str]] = []
    for name, path in files.items():
        made = folder / f"{Path(name).name}-{hashlib.sha256(recipe + path.read_bytes()).hexdigest()[:16]}"
        done[name] = made
        if made.exists():
            continue
        if path.suffix == ".css":
            new = made.with_name(f"{made.name}.new")
            new.write_text(bare_style(path.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
            new.rename(made)
        else:
            jobs.append({"input": str(path), "output": str(made)})
    if jobs:
        command = [str(node()[0]), str(PROGRAM), str(node_modules())]
        result = subprocess.run(command, input=json.dumps(jobs), text=True, capture_output=True, check=False)
        if result.returncode:
            raise Stop(f"scripts could not be made short: {result.stderr.strip()}", FAILED)
    return done


def bare_style(text: str) -> str:
    """A stylesheet without the comments that have lines to themselves, and without indentation."""
    return _INDENT.sub("", _COMMENT.sub("", text))
