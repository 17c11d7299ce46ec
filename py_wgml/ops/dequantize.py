"""A quantized matrix, or some rows of it, as plain numbers."""

import numpy as np

from ..errors import WgmlError
from ..gguf_model.ggml import GGML_QUANT_SIZES, GGMLQuantizationType, quants
from ..gguf_model.weights import Matrix, row_bytes
from ..gpu import Buffer, Program
from .lib.array import Array

__all__ = ["dequantize", "dequantize_numpy"]

_WORKGROUP_SIZE = 64


def dequantize(program: Program, weights: Matrix, out: Buffer, first: int = 0, rows: int | None = None) -> None:
    """out[n] = weights[first + n] for n < rows (all that follow, if None).

    weights: [.., columns] of any supported type. out: float32 [rows, columns]. A matrix whose numbers don't fit one
    binding is to be dequantized some rows at a time.
    Raises WgmlError when the rows are not in `weights`, don't fit `out` or a binding, or columns is no whole number of
    blocks of the type.
    """
    columns = weights.columns
    end = weights.rows if rows is None else first + rows
    if not 0 <= first < end <= weights.rows:
        raise WgmlError(f"rows {first} to {end} of a matrix of {weights.rows} rows")
    nbytes = 4 * (end - first) * columns
    room = min(out.nbytes, program.device.max_tensor_bytes)
    if nbytes > room:
        raise WgmlError(f"{end - first} rows of {columns} numbers are {nbytes} bytes; the output takes {room}")
    for stripe in weights:
        begin, stop = max(first, stripe.first), min(end, stripe.first + stripe.rows)
        if begin < stop:
            program.dispatch(
                "dequantize",
                [{"weights": stripe.buffer, "out": out}, stripe.tables],
                -(-(stop - begin) * -(-columns // 8) // _WORKGROUP_SIZE),
                {
                    "columns": columns,
                    "row_bytes": row_bytes(stripe.type, columns),
                    "rows": stop - begin,
                    "first": begin - stripe.first,
                    "first_out": begin - first,
                },
                **stripe.template(columns),
                workgroup_size=_WORKGROUP_SIZE,
            )


def dequantize_numpy(rows: Array, type: GGMLQuantizationType) -> Array:
    """rows uint8 [.., bytes], each of whole blocks of `type` -> float32 [.., columns]: what the gguf package reads, or
    what ggml does where that doesn't know the type."""
    if type.name not in _BLOCKS:
        numbers: Array = quants().dequantize(rows, type)
        return numbers
    blocks = rows.reshape(-1, GGML_QUANT_SIZES[type][1])
    return _BLOCKS[type.name](blocks).reshape(*rows.shape[:-1], -1)


def _q8_k(blocks: Array) -> Array:
    d = blocks[:, :4].copy().view(np.float32)
    return d * blocks[:, 4:260].view(np.int8).astype(np.float32)


def _q1_0(blocks: Array) -> Array:
    d = blocks[:, :2].copy().view(np.float16).astype(np.float32)
    bits = np.unpackbits(blocks[:, 2:], axis=1, bitorder="little")
    return np.where(bits, d, -d)


def _q2_0(blocks: Array) -> Array:
    d = blocks[:, :2].copy().view(np.float16).astype(np.float32)
    pairs = blocks[:, 2:, None] >> np.arange(0, 8, 2, dtype=np.uint8) & 3
    return d * (pairs.reshape(len(blocks), -1).astype(np.float32) - 1)


# Those that the gguf package does not read. How a block is laid out is said in wgsl/quant/.
_BLOCKS = {"Q8_K": _q8_k, "Q1_0": _q1_0, "Q2_0": _q2_0}
