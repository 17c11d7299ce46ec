"""Quantized rows to test with, for every type that kernels read."""

from typing import Any

import gguf
import numpy as np
from gguf import quants

from py_wgml.gguf_model.ggml import GGML_QUANT_SIZES
from py_wgml.gguf_model.ggml import GGMLQuantizationType as T
from py_wgml.ops import dequantize_numpy
from py_wgml.ops.lib.array import Array

NVFP4, Q1_0, Q2_0 = T["NVFP4"], T["Q1_0"], T["Q2_0"]
gguf.GGML_QUANT_SIZES.update(GGML_QUANT_SIZES)  # of the writer, which may lack a type


# Byte offsets of the half-precision scales of a block; Q8_K, MXFP4, NVFP4 and IQ1_M keep theirs otherwise.
_SCALES = {
    **dict.fromkeys((T.Q4_0, T.Q5_0, T.Q8_0, T.IQ4_NL, T.IQ4_XS), (0,)),
    **dict.fromkeys((T.Q4_1, T.Q5_1, T.Q4_K, T.Q5_K), (0, 2)),
    **dict.fromkeys((Q1_0, Q2_0), (0,)),
    **dict.fromkeys((T.IQ1_S, T.IQ2_XXS, T.IQ2_XS, T.IQ2_S, T.IQ3_XXS, T.IQ3_S), (0,)),
    T.Q2_K: (80, 82),
    T.Q3_K: (108,),
    T.Q6_K: (208,),
    T.TQ1_0: (52,),
    T.TQ2_0: (64,),
    T.Q8_K: (),
    T.MXFP4: (),
    NVFP4: (),
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
    elif type == NVFP4:
        blocks[..., :4] = _e4m3(np.abs(random.choice(np.asarray(scales, np.float32), (*blocks.shape[:2], 4))))
    elif type == T.IQ1_M:
        nibbles = drawn(np.float16).view(np.uint16) >> np.array([0, 4, 8, 12], np.uint16) & 15
        blocks[..., 49::2] = (blocks[..., 49::2] & 15) | (nibbles << 4).astype(np.uint8)
    return blocks.reshape(rows, -1)


def _e4m3(x: Array) -> Array:
    """x >= 0 -> uint8, the E4M3 numbers that ggml rounds x to: a half upwards, and from 256 on to the largest."""
    bits = x.astype(np.float32).view(np.uint32).astype(np.int64)
    # Exponent and mantissa are neighbours, so what is carried over from the one goes to the other.
    normal = (bits + (1 << 19) >> 20) - (120 << 3)
    normal = np.where(normal < 0x78, normal, 0x7E)
    subnormal = np.minimum(np.floor(x * 512 + 0.5), 7)
    return np.where(bits >> 23 > 120, normal, subnormal).astype(np.uint8)


def _nvfp4(groups: Array) -> Array:
    """By ggml's rule: of equally near values the first."""
    groups = groups.reshape(-1, 4, 16)
    scales = _e4m3(np.abs(groups).max(axis=-1) / np.float32(6))
    numbers = quants.NVFP4.ue4m3_to_fp32(scales).astype(np.float32)[..., None, None]
    steps = np.array(quants.NVFP4.kvalues, np.float32)
    found = np.abs(steps * numbers - groups[..., None]).argmin(axis=-1).astype(np.uint8)
    nibbles = found[..., :8] | found[..., 8:] << 4
    return np.concatenate([scales, nibbles.reshape(-1, 32)], axis=1)


def _q1_0(blocks: Array) -> Array:
    d = np.abs(blocks).mean(axis=1, keepdims=True).astype(np.float16)
    return np.concatenate([d.view(np.uint8), np.packbits(blocks >= 0, axis=1, bitorder="little")], axis=1)


def _q2_0(blocks: Array) -> Array:
    d = np.abs(blocks).max(axis=1, keepdims=True)
    ratios = np.divide(blocks, d, out=np.zeros_like(blocks), where=d > 0)
    pairs = (np.sign(ratios) * np.floor(np.abs(ratios) + 0.5) + 1).astype(np.uint8)
    packed = (pairs.reshape(-1, 16, 4) << np.array([0, 2, 4, 6], np.uint8)).sum(axis=-1, dtype=np.uint8)
    return np.concatenate([d.astype(np.float16).view(np.uint8), packed], axis=1)


# Those of ggml that the gguf package lacks.
_QUANTIZERS = {NVFP4: _nvfp4, Q1_0: _q1_0, Q2_0: _q2_0}


def quantize(values: Any, type: T) -> Any:
    """`values` float32 [rows, columns] as rows of bytes. Types the gguf package cannot write get random blocks of about
    the same size of values: any bytes are a block, only the scales must be finite."""
    if type in _QUANTIZERS:
        blocks = values.astype(np.float32).reshape(-1, GGML_QUANT_SIZES[type][0])
        return _QUANTIZERS[type](blocks).reshape(len(values), -1)
    try:
        return quants.quantize(values, type).view(np.uint8).reshape(len(values), -1)
    except NotImplementedError:
        random = np.random.default_rng(int(values.size))
        unscaled = dequantize_numpy(random_blocks(random, type, 1, 8192, scales=(1.0,)), type)
        scales = values.std() / unscaled.std() * random.uniform(0.5, 1.5, 64)
        rows, columns = values.shape
        return random_blocks(random, type, rows, columns, scales)
