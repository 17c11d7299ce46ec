"""Quantized rows to test with, for every type that kernels read."""

from typing import Any

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, quants

# Byte offsets of the half-precision scales of a block, for the types that the gguf package reads but does not write.
_SCALES = {
    GGMLQuantizationType.Q4_K: (0, 2),
    GGMLQuantizationType.Q5_K: (0, 2),
    GGMLQuantizationType.Q6_K: (208,),
}


def quantize(values: Any, type: GGMLQuantizationType) -> Any:
    """`values` float32 [rows, columns] as rows of bytes. Types the gguf package cannot write get random blocks of about
    the same size of values: any bytes are a block, only the scales must be finite."""
    if type not in _SCALES:
        return quants.quantize(values, type).view(np.uint8).reshape(len(values), -1)
    elements, nbytes = GGML_QUANT_SIZES[type]
    random = np.random.default_rng(int(values.size))
    blocks = random.integers(0, 256, (len(values), values.shape[1] // elements, nbytes), dtype=np.uint8)
    for at in _SCALES[type]:
        scale = random.uniform(0.5e-3, 2e-3, blocks.shape[:2]).astype(np.float16)
        blocks[:, :, at : at + 2] = scale[..., None].view(np.uint8)
    return blocks.reshape(len(values), -1)
