"""What a GGUF file says of itself, for people to read."""

from collections import Counter
from collections.abc import Sized
from math import prod
from typing import Any

import numpy as np

from ..facts import FileFacts
from ..metadata import Metadata, readable
from .header import Header

_SHOWN = 8  # elements of an array
_LONGEST = 10_000  # characters of a text (licences come in full)
_TEMPLATE = "tokenizer.chat_template"


def card(header: Header) -> FileFacts:
    """Lists, strings and numbers only.

    The metadata in the file's order, arrays by their length and first elements; the tensors, and how many of them,
    parameters and bytes there are of each type, the most bytes first; the chat template, and those that have names; the
    vocabulary.
    """
    metadata, tensors = header.metadata, header.tensors.values()
    parameters, nbytes, counts = Counter[str](), Counter[str](), Counter[str]()
    for tensor in tensors:
        counts[tensor.type.name] += 1
        parameters[tensor.type.name] += prod(tensor.shape)
        nbytes[tensor.type.name] += tensor.nbytes
    view = Metadata(metadata)
    named = view.texts_below(_TEMPLATE)
    told_apart = {_TEMPLATE, *(f"{_TEMPLATE}.{name}" for name in named)}
    return {
        "version": header.version,
        "parameters": parameters.total(),
        "bytes": nbytes.total(),
        "metadata": [
            {"key": readable(key), "value": _shown(value)} for key, value in metadata.items() if key not in told_apart
        ],
        "tensors": [
            {
                "name": readable(tensor.name),
                "type": tensor.type.name,
                "shape": list(tensor.shape),
                "bytes": tensor.nbytes,
            }
            for tensor in tensors
        ],
        "types": [
            {"type": type, "tensors": counts[type], "parameters": parameters[type], "bytes": size}
            for type, size in nbytes.most_common()
        ],
        "template": view.text(_TEMPLATE),
        "templates": [{"name": name, "template": text} for name, text in named.items()],
        "vocabulary": {
            "model": view.text("tokenizer.ggml.model"),
            "tokens": len(view.strings("tokenizer.ggml.tokens") or ()),
        },
    }


def _shown(value: Any) -> str | int | float | bool:
    if isinstance(value, str):
        return readable(value[:_LONGEST]) + "…" * (len(value) > _LONGEST)
    if not isinstance(value, list | np.ndarray):
        return value  # type: ignore[no-any-return]
    first = ", ".join(_element(element) for element in value[:_SHOWN])
    return f"{_counted(value)}: {first}{', …' if len(value) > _SHOWN else ''}"


def _element(value: Any) -> str:
    return f"[{_counted(value)}]" if isinstance(value, list | np.ndarray) else str(_shown(value))


def _counted(array: Sized) -> str:
    return "1 element" if len(array) == 1 else f"{len(array):,} elements"
