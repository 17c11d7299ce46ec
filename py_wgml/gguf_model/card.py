"""What a GGUF file says of itself, for people to read."""

from collections import Counter
from math import prod
from typing import Any

import numpy as np

from .header import Header

_SHOWN = 8  # elements of an array
_TEMPLATE = "tokenizer.chat_template"


def card(header: Header) -> dict[str, Any]:
    """Lists, strings and numbers only, as web/protocol.d.ts describes them (`Card`).

    The metadata in the file's order, arrays by their length and first elements; the tensors, and how many of them,
    parameters and bytes there are of each type, the most bytes first; the chat template; the vocabulary.
    """
    metadata, tensors = header.metadata, header.tensors.values()
    parameters, nbytes, counts = Counter[str](), Counter[str](), Counter[str]()
    for tensor in tensors:
        counts[tensor.type.name] += 1
        parameters[tensor.type.name] += prod(tensor.shape)
        nbytes[tensor.type.name] += tensor.nbytes
    tokens = metadata.get("tokenizer.ggml.tokens")
    return {
        "version": header.version,
        "parameters": parameters.total(),
        "bytes": nbytes.total(),
        "metadata": [{"key": key, "value": _shown(value)} for key, value in metadata.items() if key != _TEMPLATE],
        "tensors": [
            {"name": tensor.name, "type": tensor.type.name, "shape": list(tensor.shape), "bytes": tensor.nbytes}
            for tensor in tensors
        ],
        "types": [
            {"type": type, "tensors": counts[type], "parameters": parameters[type], "bytes": size}
            for type, size in nbytes.most_common()
        ],
        "template": str(metadata.get(_TEMPLATE, "")),
        "vocabulary": {
            "model": str(metadata.get("tokenizer.ggml.model", "")),
            "tokens": len(tokens) if isinstance(tokens, list) else 0,
        },
    }


def _shown(value: Any) -> str | int | float | bool:
    if not isinstance(value, list | np.ndarray):
        return value  # type: ignore[no-any-return]
    first = ", ".join(str(element) for element in value[:_SHOWN])
    return f"{len(value):,} elements: {first}{', …' if len(value) > _SHOWN else ''}"
