"""Where things lie: the sources, and the cache of what is fetched and packed."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
LOCK = WEB / "lock.json"
CACHE = Path(os.environ.get("PY_WGML_CACHE") or ROOT / ".cache").resolve()
VENV = CACHE / "venv"
# The pins that are installed there; written last, so that without it nothing is whole.
INSTALLED = VENV / "installed.json"
REQUIREMENTS = ROOT / "tests" / "requirements"
WINDOWS = os.name == "nt"


def project() -> dict[str, Any]:
    """The [project] table of pyproject.toml."""
    table: dict[str, Any] = _settings()["project"]
    return table


def brought() -> dict[str, str]:
    """What a wheel has beside the package's own files: places here -> places in the wheel."""
    table: dict[str, str] = _settings()["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    return table


def _settings() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())
