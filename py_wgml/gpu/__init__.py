"""WebGPU as the layers above see it: one Device interface over `navigator.gpu` (Pyodide) and native wgpu / wgpudawn."""

import sys
from typing import Any

from .device import (
    INTEGER_PRODUCTS,
    MAX_STORAGE_BINDINGS,
    MAX_WORKGROUP_BYTES,
    TILES,
    VARIANTS,
    AdapterInfo,
    Buffer,
    CompileError,
    Device,
    Pipeline,
    Program,
)

__all__ = [
    "INTEGER_PRODUCTS",
    "MAX_STORAGE_BINDINGS",
    "MAX_WORKGROUP_BYTES",
    "TILES",
    "VARIANTS",
    "AdapterInfo",
    "Buffer",
    "CompileError",
    "Device",
    "Pipeline",
    "Program",
    "open_device",
]


async def open_device(**options: Any) -> Device:
    """The GPU of this machine: the browser's under Pyodide, else a native one.

    options: `default_limits=True` asks for no more than the limits every WebGPU device has;
    `features=()` turns optional features off; native only: `backend="wgpu"` (naga) or `"wgpudawn"` (Tint).
    Raises WgmlError when there is no WebGPU, no adapter, or no device.
    """
    if sys.platform == "emscripten":
        from .browser import open_browser_device

        return await open_browser_device(**options)
    from .native import open_native_device

    return open_native_device(**options)
