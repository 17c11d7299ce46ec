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
ROOT = WEB.parent  # a checkout; or the folder `_site` of an installed package
_PYPROJECT = ROOT / "pyproject.toml"
INSTALLED_PACKAGE = ROOT.name == "_site"
PACKAGE = ROOT.parent if INSTALLED_PACKAGE else ROOT / "py_wgml"
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
        table: dict[str, Any] = _settings()["project"]
        return table
    told = importlib.metadata.metadata("py-wgml")
    needs = [need for need in told.get_all("Requires-Dist") or [] if not re.search(r";.*\bextra\b", need)]
    return {"name": told["Name"], "version": told["Version"], "dependencies": needs}


def brought() -> dict[str, str]:
    """What the package has beside its own sources once it is a wheel: places in a checkout -> places in the wheel."""
    if INSTALLED_PACKAGE:
        return {}
    table: dict[str, str] = _settings()["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    return table


def _settings() -> dict[str, Any]:
    return tomllib.loads(_PYPROJECT.read_text(encoding="utf-8"))
