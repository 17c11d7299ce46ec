"""The tables by which PDFs name Chinese, Japanese and Korean letters: pdf.js has 168 of them, a page asks for few."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

from . import paths
from .cache import alone
from .pins import node_modules

FOLDER = "pdfjs-dist/cmaps"


@alone()
def letter_tables() -> Path:
    """All of them in one zip, as they are, with their licence: one file of the site and of its offline copy."""
    recipe = (paths.WEB / "package-lock.json").read_bytes() + Path(__file__).read_bytes()
    made = paths.CACHE / "letters" / f"cmaps-{hashlib.sha256(recipe).hexdigest()[:16]}.zip"
    if not made.exists():
        made.parent.mkdir(parents=True, exist_ok=True)
        new = made.with_name(f"{made.name}.new")
        with zipfile.ZipFile(new, "w") as archive:
            for path in sorted((node_modules() / FOLDER).iterdir()):
                archive.writestr(zipfile.ZipInfo(path.name), path.read_bytes())
        new.rename(made)
    return made
