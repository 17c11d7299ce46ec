"""GGUF headers, read from the first bytes of a file as they arrive.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md . A file is magic, version, counts, metadata
(typed key-value pairs), the tensor table, and, aligned, the tensors' bytes. Nothing here reads or keeps the last part.

A header is untrusted: every count and length is checked against what can still fit before anything is done about it, so
that time and memory are bounded by the bytes really received.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from ..errors import WgmlError, quoted
from ..metadata import Metadata, decoded
from ..values import file_path
from .ggml import FORKED, GGML_QUANT_SIZES, NOT_READ, OUTSIDE, GGMLQuantizationType, GGUFValueType

MAX_HEADER_BYTES = 64 << 20
"""No header is read beyond this (the largest vocabularies in use, with their merges, need some 20 MB)."""
MAX_FILE_BYTES = 1 << 42
"""No model is larger, and memory for more need not be asked for."""
MAX_NAME_BYTES = (1 << 16) - 1
MAX_DIMS = 4
MAX_NESTING = 8
MAX_PAIRS = MAX_TENSORS = MAX_NESTED = 1 << 16
"""Of metadata, of tensors, and of arrays within arrays: each costs some microseconds (the largest models have some
2,000 tensors)."""
MAX_STRINGS = 1 << 20
"""Of one array (the largest vocabularies have half a million merges)."""
DEFAULT_ALIGNMENT = 32
MAX_PARTS = 99_999
"""Of a split model: their names number them with five digits."""

_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")
_NUMBERS: dict[int, np.dtype[Any]] = {
    GGUFValueType.UINT8: np.dtype("u1"),
    GGUFValueType.INT8: np.dtype("i1"),
    GGUFValueType.UINT16: np.dtype("<u2"),
    GGUFValueType.INT16: np.dtype("<i2"),
    GGUFValueType.UINT32: np.dtype("<u4"),
    GGUFValueType.INT32: np.dtype("<i4"),
    GGUFValueType.FLOAT32: np.dtype("<f4"),
    GGUFValueType.BOOL: np.dtype("u1"),
    GGUFValueType.UINT64: np.dtype("<u8"),
    GGUFValueType.INT64: np.dtype("<i8"),
    GGUFValueType.FLOAT64: np.dtype("<f8"),
}
_LEAST_BYTES = {kind: dtype.itemsize for kind, dtype in _NUMBERS.items()} | {
    GGUFValueType.STRING: _U64.size,
    GGUFValueType.ARRAY: _U32.size + _U64.size,
}
_LEAST_PAIR_BYTES = 8 + 4 + 1  # empty key, type, one byte of value
_LEAST_TENSOR_BYTES = 8 + 4 + 4 + 8  # empty name, no dimension, type, offset


@dataclass(frozen=True)
class TensorInfo:
    """The place of a tensor, and what it is."""

    name: str
    shape: tuple[int, ...]
    """NumPy order: slowest dimension first, rows (whose elements are packed in blocks) last."""
    type: GGMLQuantizationType
    offset: int
    """Bytes from the start of the file."""
    nbytes: int

    @property
    def size(self) -> int:
        """How many elements it has."""
        return prod(self.shape)


@dataclass(frozen=True)
class Header:
    """Everything a GGUF file says before its tensors' bytes."""

    version: int
    metadata: dict[str, Any]
    """Python values; arrays of numbers are read-only NumPy arrays, other arrays are lists. See metadata.py for strings,
    and for how to read what a stranger wrote."""
    tensors: dict[str, TensorInfo]
    """In the order of the file's table."""
    data_offset: int
    """Where the tensors' bytes begin, from the start of the file."""
    alignment: int

    @property
    def end(self) -> int:
        """The end of the last tensor's bytes, from the start of the file; 0 where there is none."""
        return max((tensor.offset + tensor.nbytes for tensor in self.tensors.values()), default=0)

    @property
    def part(self) -> tuple[int, int]:
        """Which part of a split model the file is, counted from 0, and of how many."""
        metadata = Metadata(self.metadata)
        return metadata.integer("split.no", 0), metadata.integer("split.count", 0) or 1


class HeaderParser:
    """Push parser: give it the first bytes of a file in pieces of any size until it gives back the header.

    It does no I/O and keeps only the bytes that it could not use yet.
    """

    def __init__(self, file_size: int | None = None) -> None:
        """`file_size` in bytes, where known, makes the checks sharper: nothing may lie past the end of the file."""
        self._file_size = file_size
        self._buffer = bytearray()
        self._offset = 0  # next unread byte, in the buffer
        self._dropped = 0  # bytes of the file that came before the buffer
        self._result: Header | WgmlError | None = None
        self._nested = 0  # arrays within arrays so far
        self._steps = self._parse()

    def feed(self, data: bytes | bytearray | memoryview) -> Header | None:
        """Take the next bytes of the file. Returns the header once it is complete, else None; ignores what follows it.

        Raises WgmlError when these bytes can't be the beginning of a GGUF file that py_wgml reads; then, and at each
        later call.
        """
        if self._result is None:
            self._buffer += data
            try:
                next(self._steps)
            except StopIteration as stop:
                self._result = stop.value
            except WgmlError as error:
                self._result = error
            if self._result is not None:
                self._buffer = bytearray()
        if isinstance(self._result, WgmlError):
            raise self._result
        return self._result

    def close(self) -> Header:
        """Say that the input has ended. Returns the header; raises WgmlError if it was not complete."""
        if self._result is None:
            size = self._dropped + len(self._buffer)
            self._result = WgmlError(f"GGUF file truncated: it ends after {size} bytes, in the middle of its header")
        if isinstance(self._result, WgmlError):
            raise self._result
        return self._result

    # The parser is one generator; it yields when it wants more bytes, so that its own local state is the state to go on
    # from.

    def _parse(self) -> Generator[None, None, Header]:
        yield from self._need(4, "the magic")
        magic = bytes(self._buffer[:4])
        if magic != b"GGUF":
            raise WgmlError(f"not a GGUF file: it begins with {magic!r}, not b'GGUF'")
        self._offset = 4
        version = yield from self._u32("the version")
        if version & 0xFFFF == 0 and version:
            raise WgmlError("this GGUF file is big-endian; only little-endian files can be read: convert it")
        if version not in (2, 3):
            raise WgmlError(f"GGUF version {version} can't be read, only versions 2 and 3: convert the model anew")
        tensor_count = yield from self._u64("the tensor count")
        pair_count = yield from self._u64("the metadata count")
        if pair_count > MAX_PAIRS or tensor_count > MAX_TENSORS:
            raise _bad(f"{pair_count} metadata and {tensor_count} tensors, where no model has more than {MAX_TENSORS}")
        self._check_fit(
            tensor_count * _LEAST_TENSOR_BYTES + pair_count * _LEAST_PAIR_BYTES, "counts of metadata and tensors"
        )

        metadata: dict[str, Any] = {}
        for _ in range(pair_count):
            key = yield from self._string("a metadata key", MAX_NAME_BYTES)
            where = f"metadata {quoted(key)}"
            if key in metadata:
                raise _bad(f"{where} appears twice")
            kind = yield from self._u32(where)
            metadata[key] = yield from self._value(kind, where, MAX_NESTING)

        alignment = metadata.get("general.alignment", DEFAULT_ALIGNMENT)
        if type(alignment) is not int or alignment <= 0 or alignment & (alignment - 1):
            raise _bad("general.alignment is not a power of two")
        tensors: dict[str, TensorInfo] = {}
        for _ in range(tensor_count):
            tensor = yield from self._tensor(alignment)
            if tensor.name in tensors:
                raise _bad(f"tensor {quoted(tensor.name)} appears twice")
            tensors[tensor.name] = tensor

        data_offset = -(-(self._dropped + self._offset) // alignment) * alignment
        tensors = {
            name: TensorInfo(name, info.shape, info.type, data_offset + info.offset, info.nbytes)
            for name, info in tensors.items()
        }
        self._check_layout(tensors, alignment)
        return Header(version, metadata, tensors, data_offset, alignment)

    def _tensor(self, alignment: int) -> Generator[None, None, TensorInfo]:
        """One row of the tensor table; its offset is still relative to the data."""
        name = yield from self._string("a tensor name", MAX_NAME_BYTES)
        where = f"tensor {quoted(name)}"
        n_dims = yield from self._u32(where)
        if n_dims > MAX_DIMS:
            raise _bad(f"{where} has {n_dims} dimensions, more than {MAX_DIMS}")
        dims = []
        for _ in range(n_dims):
            dims.append((yield from self._u64(where)))
        number = yield from self._u32(where)
        offset = yield from self._u64(where)
        try:
            kind = GGMLQuantizationType(number)
            block, block_bytes = GGML_QUANT_SIZES[kind]
        except (ValueError, KeyError):
            reason = f"has the unknown type number {number}: newer than py_wgml, or of a fork of llama.cpp"
            if number in OUTSIDE:
                reason = f"is of type {OUTSIDE[number]}: {NOT_READ[OUTSIDE[number]]}"
            raise WgmlError(f"{where} {reason}") from None
        elements = prod(dims)
        if elements >= 1 << 63:
            raise _bad(f"{where} has dimensions whose product overflows")
        if elements == 0:
            raise _bad(f"{where} has a dimension of length 0")
        row = dims[0] if dims else 1
        if row % block:
            raise _bad(f"{where} has rows of {row} elements, not a multiple of {kind.name}'s block of {block}")
        if offset % alignment:
            raise _bad(f"{where} begins at offset {offset}, which is not aligned to {alignment} bytes")
        return TensorInfo(name, tuple(reversed(dims)), kind, offset, elements // block * block_bytes)

    def _check_layout(self, tensors: dict[str, TensorInfo], alignment: int) -> None:
        end, previous = 0, None
        for tensor in sorted(tensors.values(), key=lambda tensor: tensor.offset):
            if previous and tensor.offset < end:
                _refuse_forked(previous, tensor.offset, alignment)
                raise _bad(f"tensors {quoted(previous.name)} and {quoted(tensor.name)} overlap")
            end, previous = tensor.offset + tensor.nbytes, tensor
            if end > MAX_FILE_BYTES:
                raise _bad(f"tensor {quoted(tensor.name)} has an offset that overflows: {end} bytes are no model")
        if previous and self._file_size is not None and end > self._file_size:
            _refuse_forked(previous, self._file_size, alignment)
            raise WgmlError(
                f"GGUF file truncated: tensor {quoted(previous.name)} ends at byte {end}, "
                f"but the file has only {self._file_size}"
            )

    def _value(self, kind: int, where: str, nesting: int) -> Generator[None, None, Any]:
        if kind == GGUFValueType.STRING:
            return (yield from self._string(where, MAX_HEADER_BYTES))
        if kind == GGUFValueType.ARRAY:
            return (yield from self._array(where, nesting))
        return (yield from self._numbers(kind, 1, where)).item()

    def _array(self, where: str, nesting: int) -> Generator[None, None, Any]:
        kind = yield from self._u32(where)
        count = yield from self._u64(where)
        if kind not in _LEAST_BYTES:
            raise _bad(f"{where} has elements of the unknown type number {kind}")
        self._check_fit(count * _LEAST_BYTES[kind], where)
        if kind == GGUFValueType.STRING:
            if count > MAX_STRINGS:
                raise _bad(f"{where} has {count} strings, more than {MAX_STRINGS}")
            return (yield from self._strings(count, where))
        if kind != GGUFValueType.ARRAY:
            return (yield from self._numbers(kind, count, where))
        self._nested += count
        if nesting == 0 or self._nested > MAX_NESTED:
            raise _bad(f"{where} has arrays nested too deep, or too many of them")
        items = []
        for _ in range(count):
            items.append((yield from self._array(where, nesting - 1)))
        return items

    def _numbers(self, kind: int, count: int, where: str) -> Generator[None, None, np.ndarray[Any, Any]]:
        if kind not in _NUMBERS:
            raise _bad(f"{where} has the unknown type number {kind}")
        dtype = _NUMBERS[kind]
        size = count * dtype.itemsize
        yield from self._need(size, where)
        values = np.frombuffer(bytes(self._buffer[self._offset : self._offset + size]), dtype)
        self._offset += size
        if kind == GGUFValueType.BOOL:
            if size and values.max() > 1:
                raise _bad(f"{where} has a boolean that is neither 0 nor 1")
            return values.view(np.bool_)
        return values

    def _strings(self, count: int, where: str) -> Generator[None, None, list[str]]:
        """An array of strings: the one long loop of a header (vocabulary, merges), so without calls of ours."""
        items: list[str] = []
        add, length_at = items.append, _U64.unpack_from
        while True:
            buffer, offset, end = self._buffer, self._offset, len(self._buffer)
            for _ in range(count - len(items)):
                start = offset + 8
                if start > end:
                    break
                stop = start + length_at(buffer, offset)[0]
                if stop > end:
                    break
                add(buffer[start:stop].decode("utf-8", "surrogateescape"))
                offset = stop
            self._offset = offset
            if len(items) == count:
                return items
            add((yield from self._string(where, MAX_HEADER_BYTES)))  # the one that is not all there yet

    def _string(self, where: str, limit: int) -> Generator[None, None, str]:
        length = yield from self._u64(where)
        if length > limit:
            raise _bad(f"{where} has a length of {length} bytes")
        yield from self._need(length, where)
        raw = self._buffer[self._offset : self._offset + length]
        self._offset += length
        return decoded(raw)

    def _u32(self, where: str) -> Generator[None, None, int]:
        yield from self._need(4, where)
        (value,) = _U32.unpack_from(self._buffer, self._offset)
        self._offset += 4
        return int(value)

    def _u64(self, where: str) -> Generator[None, None, int]:
        yield from self._need(8, where)
        (value,) = _U64.unpack_from(self._buffer, self._offset)
        self._offset += 8
        return int(value)

    def _need(self, size: int, where: str) -> Generator[None, None, None]:
        """Wait until `size` unread bytes are in the buffer."""
        if len(self._buffer) - self._offset >= size:
            return
        self._check_fit(size, where)
        del self._buffer[: self._offset]
        self._dropped += self._offset
        self._offset = 0
        while len(self._buffer) < size:
            yield

    def _check_fit(self, size: int, where: str) -> None:
        """Refuse `size` more bytes of header where the file has not so many, or no sane header has."""
        end = self._dropped + self._offset + size
        if self._file_size is not None and end > self._file_size:
            raise _bad(f"{where}: {size} bytes wanted, which the file of {self._file_size} bytes can't hold")
        if end > MAX_HEADER_BYTES:
            raise _bad(f"{where}: {size} bytes wanted, which makes the header longer than {MAX_HEADER_BYTES >> 20} MiB")


def read_header(path: str | os.PathLike[str]) -> Header:
    """The header of the GGUF file at `path`. Raises WgmlError if it can't be read or is not a good one."""
    name = file_path("the path", path)
    try:
        with open(name, "rb") as file:
            parser = HeaderParser(os.fstat(file.fileno()).st_size)
            while (chunk := file.read(1 << 20)) and parser.feed(chunk) is None:
                pass
    except (OSError, ValueError) as error:  # ValueError: of names that no file can have
        raise WgmlError(f"can't read {quoted(name)}: {getattr(error, 'strerror', None) or error}") from None
    return parser.close()


def join_headers(headers: Sequence[Header]) -> Header:
    """The header of a whole model from those of its parts, in any order, as gguf-split writes them.

    Tensors lie as if each part began where the tensors of the one before it end. Raises WgmlError where the parts are
    not those of one model, or some are missing; so it does for one of several parts alone.
    """
    headers = sorted(headers, key=lambda header: header.part[0])
    numbers = [header.part[0] for header in headers]
    counts = {header.part[1] for header in headers}
    if (
        len(counts) > 1
        or len(set(numbers)) < len(numbers)
        or not 0 <= min(numbers) <= max(numbers) < max(counts) <= MAX_PARTS
    ):
        raise WgmlError("these files are not the parts of one split model")
    missing = [f"part {number + 1}" for number in range(*counts) if number not in numbers]
    if missing:
        others = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise WgmlError(f"this model is split into {max(counts)} files; missing: {', '.join(missing[:3])}{others}")
    tensors: dict[str, TensorInfo] = {}
    start = 0
    for header in headers:
        for name, tensor in header.tensors.items():
            if name in tensors:
                raise _bad(f"tensor {quoted(name)} is in two parts of the model")
            tensors[name] = replace(tensor, offset=start + tensor.offset)
        start += header.end
    expected = Metadata(headers[0].metadata).integer("split.tensors.count", len(tensors))
    if expected != len(tensors):
        raise _bad(f"the parts of the model hold {len(tensors)} tensors, not {expected}")
    metadata = {key: value for key, value in headers[0].metadata.items() if not key.startswith("split.")}
    return replace(headers[0], metadata=metadata, tensors=tensors)


def _refuse_forked(tensor: TensorInfo, end: int, alignment: int) -> None:
    """Raises WgmlError where `tensor`, which should not reach beyond byte `end`, is just so long as one of another type
    that once had the same number."""
    elements, nbytes = FORKED.get(tensor.type.name, (1, 0))
    if nbytes and prod(tensor.shape) % elements == 0:
        rest = end - tensor.offset - prod(tensor.shape) // elements * nbytes
        if 0 <= rest < alignment:
            raise WgmlError(
                f"tensor {quoted(tensor.name)} has the number of {tensor.type.name}, but is so short that this is "
                f"probably an early file of PrismML's fork of llama.cpp, with a type of its own: get a newer one"
            )


def _bad(what: str) -> WgmlError:
    return WgmlError(f"bad GGUF file: {what}")
