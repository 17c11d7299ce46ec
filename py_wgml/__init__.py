"""py_wgml: GGUF language models on WebGPU, from Python (CPython and Pyodide).

What it offers is imported when it is first asked for, so that build.py can take `py_wgml.reference` where nothing is
installed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import WgmlError
    from .generate import Generation, TokenProbability, Usage, arguments_of
    from .gpu import open_device
    from .model import Chat, Model
    from .ops import Sampling

__all__ = [
    "Chat",
    "Generation",
    "Model",
    "Sampling",
    "TokenProbability",
    "Usage",
    "WgmlError",
    "arguments_of",
    "open_device",
]

_PLACES = {
    "Chat": "model",
    "Generation": "generate",
    "Model": "model",
    "Sampling": "ops",
    "TokenProbability": "generate",
    "Usage": "generate",
    "WgmlError": "errors",
    "arguments_of": "generate",
    "open_device": "gpu",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'py_wgml' has no attribute {name!r}")
    return getattr(import_module(f".{_PLACES[name]}", __name__), name)
