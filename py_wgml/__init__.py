"""py_wgml: GGUF language models on WebGPU, from Python (CPython and Pyodide)."""

from .errors import WgmlError
from .generate import Generation, Usage
from .gpu import open_device
from .model import Chat, Model
from .ops import Sampling

__all__ = ["Chat", "Generation", "Model", "Sampling", "Usage", "WgmlError", "open_device"]
