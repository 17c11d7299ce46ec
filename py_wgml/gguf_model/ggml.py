"""What the `gguf` package knows of GGML's types, without the price of `import gguf`.

`gguf/__init__.py` pulls in readers, writers, vocabularies, YAML, HTTP and progress bars; a model in a web page needs
two tables of it. So `gguf.constants` is loaded alone, under its own name: if something else imports the whole package
(the tests do), it finds this very module and the enums are the same objects.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFValueType
else:
    if "gguf.constants" not in sys.modules:
        _package = find_spec("gguf")
        if (
            _package is None
            or (_spec := PathFinder.find_spec("gguf.constants", _package.submodule_search_locations)) is None
        ):
            raise ModuleNotFoundError("py_wgml needs the package gguf", name="gguf")
        _module = module_from_spec(_spec)
        sys.modules["gguf.constants"] = _module
        _spec.loader.exec_module(_module)
    _constants = sys.modules["gguf.constants"]
    GGML_QUANT_SIZES = _constants.GGML_QUANT_SIZES
    GGMLQuantizationType = _constants.GGMLQuantizationType
    GGUFValueType = _constants.GGUFValueType

__all__ = ["GGML_QUANT_SIZES", "GGMLQuantizationType", "GGUFValueType"]
