"""py_wgml: GGUF language models on WebGPU, from Python (CPython and Pyodide).

What it offers is imported when it is first asked for, so that build.py can take `py_wgml.reference` where nothing is
installed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import ContextError, WgmlError
    from .generate import Generation, TokenProbability, Usage, arguments_of
    from .gpu import open_device
    from .model import Chat, Model
    from .ops import Sampling
    from .options import LoadOptions, Options
    from .sync import SyncChat, SyncGeneration, SyncModel, load

    __version__: str

__all__ = [
    "Chat",
    "ContextError",
    "Generation",
    "LoadOptions",
    "Model",
    "Options",
    "Sampling",
    "SyncChat",
    "SyncGeneration",
    "SyncModel",
    "TokenProbability",
    "Usage",
    "WgmlError",
    "__version__",
    "arguments_of",
    "load",
    "open_device",
]

_PLACES = {
    "Chat": "model",
    "ContextError": "errors",
    "Generation": "generate",
    "LoadOptions": "options",
    "Model": "model",
    "Options": "options",
    "Sampling": "ops",
    "SyncChat": "sync",
    "SyncGeneration": "sync",
    "SyncModel": "sync",
    "TokenProbability": "generate",
    "Usage": "generate",
    "WgmlError": "errors",
    "arguments_of": "generate",
    "load": "sync",
    "open_device": "gpu",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return _version()
    if name not in _PLACES:
        raise AttributeError(f"module 'py_wgml' has no attribute {name!r}")
    return getattr(import_module(f".{_PLACES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("py-wgml")
    except PackageNotFoundError:  # a checkout
        import tomllib
        from pathlib import Path

        project = Path(__file__).parents[1] / "pyproject.toml"
        return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])
