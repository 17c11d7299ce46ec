"""What the `gguf` package knows of GGML's types, without the price of `import gguf`.

`gguf/__init__.py` pulls in readers, writers, vocabularies, YAML, HTTP and progress bars; a model in a web page needs
a few tables of it. So single modules of it are loaded alone, under their own names: if something else imports the whole
package (the tests do), it finds these very modules and the enums are the same objects.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import TYPE_CHECKING, Any


def _module(name: str) -> Any:
    """The module `gguf.<name>`, loaded alone if nothing has loaded it yet."""
    full_name = f"gguf.{name}"
    if full_name not in sys.modules:
        package = find_spec("gguf")
        spec = package and PathFinder.find_spec(full_name, package.submodule_search_locations)
        if spec is None or spec.loader is None:
            raise ModuleNotFoundError("py_wgml needs the package gguf", name="gguf")
        module = module_from_spec(spec)
        sys.modules[full_name] = module
        spec.loader.exec_module(module)
    return sys.modules[full_name]


def quant_class(type: GGMLQuantizationType) -> Any:
    """The class of `gguf.quants` that knows how blocks of `type` are laid out. Loads that module when first asked."""
    _module("lazy")  # which it imports
    return getattr(_module("quants"), type.name)


if TYPE_CHECKING:
    from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFValueType
else:
    _constants = _module("constants")
    GGML_QUANT_SIZES = _constants.GGML_QUANT_SIZES
    GGMLQuantizationType = _constants.GGMLQuantizationType
    GGUFValueType = _constants.GGUFValueType

__all__ = ["GGML_QUANT_SIZES", "GGMLQuantizationType", "GGUFValueType", "quant_class"]
