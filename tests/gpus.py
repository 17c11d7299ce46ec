"""The software adapters that kernels are tested on, one for each WGSL compiler."""

import os
from dataclasses import replace
from functools import cache
from pathlib import Path

from py_wgml.gpu.native import NativeDevice, open_native_device

# naga on lavapipe, Tint on SwiftShader: two compilers, two drivers. A machine with a GPU can name its own.
ADAPTERS = {
    "naga": ("wgpu", os.environ.get("PY_WGML_NAGA_ADAPTER", "llvmpipe")),
    "tint": ("wgpudawn", os.environ.get("PY_WGML_TINT_ADAPTER", "SwiftShader")),
}
SWIFTSHADER = (
    Path("/usr/lib/chromium/vk_swiftshader_icd.json"),
    Path("/opt/google/chrome/vk_swiftshader_icd.json"),
    *sorted(Path.home().glob(".cache/ms-playwright/chromium*/*/vk_swiftshader_icd.json")),
)


def add_swiftshader() -> None:
    """Tell the Vulkan loader of SwiftShader, which browsers bring along, beside the drivers it finds itself."""
    found = [str(path) for path in SWIFTSHADER if path.exists()]
    if found:
        os.environ.setdefault("VK_ADD_DRIVER_FILES", found[0])


@cache
def device(compiler: str, subgroups: bool = False, timestamps: bool = False, software: bool = False) -> NativeDevice:
    """A device at default limits for `compiler` ("naga" or "tint"), with or without subgroups and timestamp queries.

    It is used as a GPU would be; software: as the software adapter that it may be.
    """
    add_swiftshader()
    backend, adapter = ADAPTERS[compiler]
    features = ("subgroups",) * subgroups + ("timestamp-query",) * timestamps
    opened = open_native_device(backend, default_limits=True, features=features, adapter_name=adapter)
    opened.info = replace(opened.info, software=software)
    return opened
