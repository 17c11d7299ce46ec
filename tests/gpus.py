"""The software adapters that kernels are tested on, one for each WGSL compiler."""

import os
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from py_wgml import wgsl
from py_wgml.errors import WgmlError
from py_wgml.gpu import Device
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


class SharedDevice(NativeDevice):
    """One of several devices that are one underneath, so that WGSL which they have in common is compiled once.

    Each has its own features; code that needs others does not compile on it.
    """

    def __init__(self, opened: NativeDevice, subgroups: bool, software: bool, compiled: dict[str, Any]) -> None:
        self.__dict__.update(opened.__dict__)
        features = opened.features if subgroups else opened.features - {"subgroups"}
        info = replace(opened.info, software=software)
        if vector := re.search(r"(\d+) bits", info.device):  # llvmpipe tells how long its vectors are: a subgroup's
            info = replace(info, subgroup_min_size=int(vector[1]) // 32)
        Device.__init__(self, info, features, opened.limits)
        self.timed = {"floats": 1.0, "two bytes": 2.0}  # a GPU that does floats sooner: it gives the same each time
        self._compiled = compiled

    def _create_pipeline(self, name: str, code: str, bindings: tuple[wgsl.Binding, ...]) -> Any:
        if wgsl.uses_subgroups(code) and "subgroups" not in self.features:
            raise WgmlError(f"kernel {name} uses subgroups on a device without")
        if code not in self._compiled:
            self._compiled[code] = super()._create_pipeline(name, code, bindings)
        return self._compiled[code]


@cache
def _opened(compiler: str, timestamps: bool) -> tuple[NativeDevice, dict[str, Any]]:
    """What the devices of `compiler` share."""
    add_swiftshader()
    backend, adapter = ADAPTERS[compiler]
    features = ("subgroups",) + ("timestamp-query",) * timestamps
    return open_native_device(backend, default_limits=True, features=features, adapter_name=adapter), {}


@cache
def device(compiler: str, subgroups: bool = False, timestamps: bool = False, software: bool = False) -> NativeDevice:
    """A device at default limits for `compiler` ("naga" or "tint"), with or without subgroups and timestamp queries.

    It is used as a GPU would be; software: as the software adapter that it may be.
    """
    opened, compiled = _opened(compiler, timestamps)
    return SharedDevice(opened, subgroups, software, compiled)
