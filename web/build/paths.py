"""Where things lie: the sources, of a checkout or an installed package, and the cache of what is fetched and packed."""

from __future__ import annotations

import importlib.metadata
import os
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

WEB = Path(__file__).resolve().parents[1]
INSTALLED_PACKAGE = WEB.name == "_web"  # a wheel has web/ within py_wgml
ROOT = WEB.parent  # of a checkout
PACKAGE = WEB.parent if INSTALLED_PACKAGE else ROOT / "py_wgml"
LOCK = WEB / "lock.json"
WINDOWS = os.name == "nt"


def _own_cache() -> Path:
    """Beside build.py; an installed package has a folder among the user's caches."""
    if not INSTALLED_PACKAGE:
        return ROOT / ".cache"
    home = {"win32": "~/AppData/Local", "darwin": "~/Library/Caches"}.get(sys.platform, "~/.cache")
    named = os.environ.get("LOCALAPPDATA" if WINDOWS else "XDG_CACHE_HOME")
    return Path(named or home).expanduser() / "py_wgml"


CACHE = Path(os.environ.get("PY_WGML_CACHE") or _own_cache()).resolve()
VENV = CACHE / "venv"
# The pins that are installed there; written last, so that without it nothing is whole.
INSTALLED = VENV / "installed.json"
REQUIREMENTS = ROOT / "tests" / "requirements"


def project() -> dict[str, Any]:
    """The [project] table of pyproject.toml; of an installed package its name, version and dependencies."""
    if not INSTALLED_PACKAGE:
        text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        table: dict[str, Any] = tomllib.loads(text)["project"]
        return table
    told = importlib.metadata.metadata("py-wgml")
    needs = [need for need in told.get_all("Requires-Dist") or [] if not re.search(r";.*\bextra\b", need)]
    return {"name": told["Name"], "version": told["Version"], "dependencies": needs}
