"""Weights on the GPU: matrices in their own quantized form, cut into parts that fit a binding."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..gpu import Buffer
from .ggml import GGML_QUANT_SIZES, GGMLQuantizationType


def row_bytes(type: GGMLQuantizationType, columns: int) -> int:
    """Bytes of a row of `columns` elements, which are a whole number of blocks."""
    elements, nbytes = GGML_QUANT_SIZES[type]
    return columns // elements * nbytes


@dataclass(frozen=True)
class Part:
    """Rows `first` .. `first + rows` of a matrix, as blocks of `type` in a buffer of their own."""

    buffer: Buffer
    type: GGMLQuantizationType
    first: int
    rows: int


@dataclass(frozen=True)
class Matrix:
    """A matrix [rows, columns] made of parts, one below the other. Parts may differ in type.

    A tensor above the binding limit has several; so have matrices put together to be multiplied at once
    (queries, keys and values), where they could not share a buffer.
    """

    parts: tuple[Part, ...]
    columns: int

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)

    def __iter__(self) -> Iterator[Part]:
        return iter(self.parts)
