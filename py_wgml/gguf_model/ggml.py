"""What the `gguf` package knows of GGML's types, without the price of `import gguf`.

`gguf/__init__.py` pulls in readers, writers, vocabularies, YAML, HTTP and progress bars; a model in a web page needs
a few tables of it. So single modules of it are loaded alone, under their own names: if something else imports the whole
package (the tests do), it finds these very modules.

Types that are younger than some versions of the package are listed here. So the enum is one of our own; its members
equal those of the package, as numbers do.
"""

from __future__ import annotations

import sys
from enum import IntEnum
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


def quants() -> Any:
    """The module `gguf.quants`, which knows how blocks are laid out. Loads it when first asked."""
    _module("lazy")  # which it imports
    return _module("quants")


# Name -> (number, elements of a block, its bytes).
_YOUNG = {"NVFP4": (40, 64, 36), "Q1_0": (41, 128, 18), "Q2_0": (42, 64, 18)}

if TYPE_CHECKING:
    from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFValueType
else:
    _constants = _module("constants")
    GGMLQuantizationType = IntEnum(
        "GGMLQuantizationType",
        {type.name: type.value for type in _constants.GGMLQuantizationType}
        | {name: number for name, (number, *_) in _YOUNG.items()},
    )
    GGML_QUANT_SIZES = {
        **_constants.GGML_QUANT_SIZES,
        **{GGMLQuantizationType[name]: (elements, nbytes) for name, (_, elements, nbytes) in _YOUNG.items()},
    }
    GGUFValueType = _constants.GGUFValueType

_EARLY = "an early type that llama.cpp no longer reads; convert the model anew"
_REPACKED = "for one kind of CPU, which llama.cpp now makes of {} as it loads; take the file of that type"
_FORK = "a type of PrismML's fork of llama.cpp"
_INTEGERS = "whole numbers, which no weights are"

NOT_READ = {
    **dict.fromkeys(("Q4_2", "Q4_3"), _EARLY),
    **dict.fromkeys(("Q4_0_4_4", "Q4_0_4_8", "Q4_0_8_8"), _REPACKED.format("Q4_0")),
    **dict.fromkeys(("IQ4_NL_4_4", "IQ4_NL_4_8", "IQ4_NL_8_8"), _REPACKED.format("IQ4_NL")),
    **dict.fromkeys(("PQ2_0", "PTQ1_0"), _FORK),
    **dict.fromkeys(("I8", "I16", "I32", "I64"), _INTEGERS),
    "F64": "numbers of twice the precision that weights have; convert the model anew",
    "Q8_1": "what llama.cpp rounds activations to, and no weights",
}
"""The types that a tensor may have and that no kernel reads, by name, and why not."""

OUTSIDE = {
    4: "Q4_2",
    5: "Q4_3",
    31: "Q4_0_4_4",
    32: "Q4_0_4_8",
    33: "Q4_0_8_8",
    36: "IQ4_NL_4_4",
    37: "IQ4_NL_4_8",
    38: "IQ4_NL_8_8",
    142: "PQ2_0",
    143: "PTQ1_0",
}
"""Numbers of types that are no `GGMLQuantizationType`, but were once, or are elsewhere; and their names."""

FORKED = {"Q2_0": (128, 34), "NVFP4": (32, 6)}
"""Types whose numbers PrismML's fork of llama.cpp once gave to others: elements and bytes of a block of theirs."""

__all__ = [
    "FORKED",
    "GGML_QUANT_SIZES",
    "NOT_READ",
    "OUTSIDE",
    "GGMLQuantizationType",
    "GGUFValueType",
    "quants",
]
