"""The rooms of web/build, which fetch what is pinned and make the page: an installed package has them within itself."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).resolve().parents[1]


def room(name: str) -> Any:
    """The module `name` of web/build."""
    if (_PACKAGE / "_web").is_dir():
        return import_module(f"py_wgml._web.build.{name}")
    checkout = str(_PACKAGE.parent)
    if checkout not in sys.path:
        sys.path.insert(0, checkout)
    return import_module(f"web.build.{name}")


def default_model() -> str:
    """The path of SmolLM2 135M, which the page has too, fetched if need be (98 MB)."""
    return str(room("models").default_model().path)
