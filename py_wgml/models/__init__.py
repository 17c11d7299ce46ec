"""Model families. A new one is one file with `ARCHITECTURES` and `forward`, and one row in `_FAMILIES`."""

from collections.abc import Callable
from typing import Any

from ..errors import WgmlError
from . import llama
from .config import Config
from .gpu_graph import Cache, GpuGraph, Pool, Tensor
from .graph import Graph, Plan

__all__ = ["Cache", "Config", "GpuGraph", "Graph", "Plan", "Pool", "Tensor", "family_of"]

Forward = Callable[[Graph[Any], Config], Any]

_FAMILIES: tuple[tuple[tuple[str, ...], Forward], ...] = ((llama.ARCHITECTURES, llama.forward),)


def family_of(architecture: str) -> Forward:
    """The forward function of the family that `architecture` (GGUF's general.architecture) belongs to.

    Raises WgmlError, naming what is supported, when there is none.
    """
    for architectures, forward in _FAMILIES:
        if architecture in architectures:
            return forward
    supported = ", ".join(name for architectures, _ in _FAMILIES for name in architectures)
    raise WgmlError(f"models of the architecture {architecture!r} are not supported; supported: {supported}")
