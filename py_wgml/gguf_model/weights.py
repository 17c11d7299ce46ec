"""Weights on the GPU: matrices in their own quantized form, cut into stripes that fit a binding."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import WgmlError
from ..gpu import Buffer, Device
from .codebooks import codebook
from .ggml import GGML_QUANT_SIZES, NOT_READ, GGMLQuantizationType
from .header import TensorInfo
from .rows import Names

# The types of matrices that kernels read: one file each in wgsl/quant/.
TYPES = tuple(
    GGMLQuantizationType[name]
    for name in (
        *("F32", "F16", "BF16"),
        *("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q1_0", "Q2_0", "MXFP4", "NVFP4", "IQ4_NL"),
        *("Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "Q8_K", "IQ4_XS", "TQ1_0", "TQ2_0"),
        *("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S"),
    )
)

# Those that products of bytes can make: their elements are bytes, but for scales that several share, and are not looked
# up one by one, which takes longer than what is gained.
BYTE_TYPES = frozenset(TYPES) - {
    GGMLQuantizationType[name] for name in ("F32", "F16", "BF16", "IQ1_M", "IQ4_NL", "IQ4_XS", "MXFP4", "NVFP4")
}


def row_bytes(type: GGMLQuantizationType, columns: int) -> int:
    """Bytes of a row of `columns` elements. Raises WgmlError when they are no whole number of blocks."""
    elements, nbytes = GGML_QUANT_SIZES[type]
    if columns % elements:
        raise WgmlError(f"rows of {columns} elements: {type.name} takes multiples of {elements}")
    return columns // elements * nbytes


@dataclass(frozen=True)
class Stripe:
    """Rows `first` .. `first + rows` of a matrix, as blocks of `type` in a buffer of their own."""

    buffer: Buffer
    type: GGMLQuantizationType
    first: int
    rows: int

    def template(self, columns: int) -> dict[str, Any]:
        """The parameters of wgsl/lib/octets.wgsl for rows of `columns` elements."""
        return {"type": self.type.name.lower(), "tail": columns % 8 != 0, "shared_tables": False}

    @property
    def tables(self) -> dict[str, bytes]:
        """What a kernel that reads the stripe binds beside its own buffers: the type's codebook, if it has one."""
        table = codebook(self.type)
        return {} if table is None else {"grid": table}


@dataclass(frozen=True)
class Matrix:
    """A matrix [rows, columns] made of stripes, one below the other. Stripes may differ in type.

    A tensor above the binding limit has several; so have matrices put together to be multiplied at once
    (queries, keys and values), where they could not share a buffer.
    """

    stripes: tuple[Stripe, ...]
    columns: int

    @cached_property
    def rows(self) -> int:
        return sum(stripe.rows for stripe in self.stripes)

    def __iter__(self) -> Iterator[Stripe]:
        return iter(self.stripes)


@dataclass(frozen=True)
class Segment:
    """`nbytes` bytes of the file from `offset` on, which go to `buffer` at byte `buffer_offset` (a multiple of 4)."""

    offset: int
    nbytes: int
    buffer: Buffer
    buffer_offset: int


def require_types(
    matrices: Mapping[Names, Sequence[TensorInfo]], vectors: Mapping[Names, Sequence[TensorInfo]]
) -> None:
    """Refuse types. Raises WgmlError for a matrix of a type that no kernel reads, and a vector that is not F32."""
    for tensor in itertools.chain(*matrices.values()):
        if tensor.type not in TYPES:
            supported = ", ".join(type.name for type in TYPES)
            reason = NOT_READ.get(tensor.type.name, "newer than py_wgml")
            raise WgmlError(f"tensor {tensor.name} is of type {tensor.type.name} ({reason}); supported: {supported}")
    for tensor in itertools.chain(*vectors.values()):
        if tensor.type != GGMLQuantizationType.F32:
            raise WgmlError(f"tensor {tensor.name} is of type {tensor.type.name}; vectors must be F32")


class Weights:
    """GPU memory for the tensors of a model, by the names under which they are used together.

    scaled: rows of each of the matrices under some names, whose products are multiplied by `scales`, float32 [rows]:
    all 1 as long as nobody has filled them (models/scales.py). `segments` says which bytes of the file belong where;
    nothing is uploaded here.
    Raises WgmlError, before it allocates anything, for a type that no kernel reads or a row longer than a binding.
    """

    def __init__(
        self,
        device: Device,
        matrices: Mapping[Names, Sequence[TensorInfo]],
        vectors: Mapping[Names, Sequence[TensorInfo]],
        scaled: Mapping[Names, Sequence[int]],
    ) -> None:
        self._device = device
        require_types(matrices, vectors)
        for tensor in itertools.chain(*matrices.values()):
            stride = row_bytes(tensor.type, tensor.shape[1])
            if stride > device.max_tensor_bytes:
                raise WgmlError(f"tensor {tensor.name}: a row of {stride} bytes is more than this GPU can bind")
        self.segments: list[Segment] = []
        self.matrices = {names: self._matrix(tensors) for names, tensors in matrices.items()}
        self.vectors = {names: self._vector(tensors) for names, tensors in vectors.items()}
        self.scales = {names: device.upload(np.ones(sum(rows), np.float32), "scales") for names, rows in scaled.items()}
        self.segments.sort(key=lambda segment: segment.offset)

    def destroy(self) -> None:
        """Give the memory back."""
        for buffer in {segment.buffer for segment in self.segments}.union(self.scales.values()):
            buffer.destroy()

    def _matrix(self, tensors: Sequence[TensorInfo]) -> Matrix:
        columns = tensors[0].shape[1]
        # Runs of rows that will share a buffer: (tensor, first row, rows) in turn.
        runs: list[list[tuple[TensorInfo, int, int]]] = []
        room = 0
        for tensor in tensors:
            stride = row_bytes(tensor.type, columns)
            taken = 0
            while taken < tensor.shape[0]:
                previous = runs[-1][-1] if runs else None
                if previous is None or previous[0].type != tensor.type or room < stride or room % 4:
                    runs.append([])
                    room = self._device.max_tensor_bytes
                rows = min(room // stride, tensor.shape[0] - taken)
                runs[-1].append((tensor, taken, rows))
                taken += rows
                room -= rows * stride
        stripes: list[Stripe] = []
        first = 0
        for run in runs:
            rows = sum(rows for _, _, rows in run)
            type = run[0][0].type
            stride = row_bytes(type, columns)
            buffer = self._device.buffer(rows * stride, run[0][0].name)
            stripes.append(Stripe(buffer, type, first, rows))
            first += rows
            offset = 0
            for tensor, row, count in run:
                self.segments.append(Segment(tensor.offset + row * stride, count * stride, buffer, offset))
                offset += count * stride
        return Matrix(tuple(stripes), columns)

    def _vector(self, tensors: Sequence[TensorInfo]) -> Buffer:
        buffer = self._device.buffer(sum(tensor.nbytes for tensor in tensors), tensors[0].name)
        offset = 0
        for tensor in tensors:
            self.segments.append(Segment(tensor.offset, tensor.nbytes, buffer, offset))
            offset += tensor.nbytes
        return buffer
