"""WebGPU as the layers above see it: one Device interface over `navigator.gpu` (Pyodide) and native wgpu / wgpudawn."""

import logging
import sys
from functools import cache
from typing import Literal

from ..threads import aside
from .device import (
    INTEGER_PRODUCTS,
    MAX_STORAGE_BINDINGS,
    MAX_WORKGROUP_BYTES,
    OPTIONAL_FEATURES,
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

Backend = Literal["wgpu", "wgpudawn"]

_log = logging.getLogger("py_wgml")


async def open_device(
    *,
    default_limits: bool = False,
    features: tuple[str, ...] = OPTIONAL_FEATURES,
    backend: Backend | None = None,
    adapter_name: str = "",
) -> Device:
    """The GPU of this machine: the browser's under Pyodide, else a native one. One that is none, but computes on the
    CPU, is warned of once.

    default_limits: ask for no more than the limits that every WebGPU device has. features: those that kernels have
    variants for, and may use; () turns them off. Of native ones only: backend: "wgpu" (naga), "wgpudawn" (Tint) or,
    None, the first of these that is there; adapter_name: a part of the adapter's name.
    Raises WgmlError when there is no WebGPU, no adapter, or no device.
    """
    device: Device
    if sys.platform == "emscripten":
        from .browser import open_browser_device

        device = await open_browser_device(default_limits, features)
    else:
        from .native import open_native_device

        device = await aside(open_native_device, backend, default_limits, features, adapter_name)
    _log.debug("opened %s", device.info.name)
    if device.info.software:
        _warn(device.info.name)
    return device


@cache
def _warn(name: str) -> None:
    _log.warning("there is no GPU: %s computes on the CPU, which takes long", name or "a software adapter")
