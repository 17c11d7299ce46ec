"""Quantized rows to test with, for every type that kernels read."""

from typing import Any

import numpy as np
from gguf import GGML_QUANT_SIZES, quants
from gguf import GGMLQuantizationType as T

from py_wgml.ops.lib.array import Array


class Q8_K(quants.__Quant, qtype=T.Q8_K):
    """The one type that the gguf package does not read: float32 d, 256 signed bytes, 16 sums of them (int16)."""

    @classmethod
    def dequantize_blocks(cls, blocks: Array) -> Array:
        d = blocks[:, :4].copy().view(np.float32)
        return d * blocks[:, 4:260].view(np.int8).astype(np.float32)


# Byte offsets of the half-precision scales of a block; Q8_K, MXFP4 and IQ1_M keep theirs otherwise.
_SCALES = {
    **dict.fromkeys((T.Q4_0, T.Q5_0, T.Q8_0, T.IQ4_NL, T.IQ4_XS), (0,)),
    **dict.fromkeys((T.Q4_1, T.Q5_1, T.Q4_K, T.Q5_K), (0, 2)),
    **dict.fromkeys((T.IQ1_S, T.IQ2_XXS, T.IQ2_XS, T.IQ2_S, T.IQ3_XXS, T.IQ3_S), (0,)),
    T.Q2_K: (80, 82),
    T.Q3_K: (108,),
    T.Q6_K: (208,),
    T.TQ1_0: (52,),
    T.TQ2_0: (64,),
    T.Q8_K: (),
    T.MXFP4: (),
    T.IQ1_M: (),
}


def random_blocks(random: np.random.Generator, type: T, rows: int, columns: int, scales: Any) -> Any:
    """Rows of blocks of random bytes [rows, bytes], their scales drawn from `scales` (finite, and as a type keeps them:
    rounded to half precision or to a power of two)."""
    elements, nbytes = GGML_QUANT_SIZES[type]
    blocks = random.integers(0, 256, (rows, columns // elements, nbytes), dtype=np.uint8)

    def drawn(dtype: Any) -> Any:
        return random.choice(np.asarray(scales, dtype), (*blocks.shape[:2], 1))

    for at in _SCALES[type]:
        blocks[..., at : at + 2] = drawn(np.float16).view(np.uint8)
    if type == T.Q8_K:
        blocks[..., :4] = drawn(np.float32).view(np.uint8)
    elif type == T.MXFP4:
        with np.errstate(divide="ignore"):
            exponents = np.log2(np.abs(drawn(np.float32)))
        blocks[..., :1] = np.clip(np.floor(exponents) + 128, 0, 250)
    elif type == T.IQ1_M:
        nibbles = drawn(np.float16).view(np.uint16) >> np.array([0, 4, 8, 12], np.uint16) & 15
        blocks[..., 49::2] = (blocks[..., 49::2] & 15) | (nibbles << 4).astype(np.uint8)
    return blocks.reshape(rows, -1)


def quantize(values: Any, type: T) -> Any:
    """`values` float32 [rows, columns] as rows of bytes. Types the gguf package cannot write get random blocks of about
    the same size of values: any bytes are a block, only the scales must be finite."""
    try:
        return quants.quantize(values, type).view(np.uint8).reshape(len(values), -1)
    except NotImplementedError:
        random = np.random.default_rng(int(values.size))
        unscaled = quants.dequantize(random_blocks(random, type, 1, 8192, scales=(1.0,)), type)
        scales = values.std() / unscaled.std() * random.uniform(0.5, 1.5, 64)
        rows, columns = values.shape
        return random_blocks(random, type, rows, columns, scales)
