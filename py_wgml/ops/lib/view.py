"""Strided views of float32 buffers: what the ops of linear algebra take, so that none needs a transposed copy; and
columns of rows, which those of a model's step take where several read one product."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from types import EllipsisType
from typing import Any

from ...errors import WgmlError
from ...gpu import Buffer

__all__ = ["Columns", "View"]

_RANK = 4  # dimensions that the kernels know

Index = int | slice | EllipsisType


@dataclass(frozen=True)
class View:
    """A tensor of at most 4 dimensions in a float32 buffer, laid out as NumPy's strided arrays are.

    Element (i, j, ..) is number offset + i strides[0] + j strides[1] + .. of the buffer; strides are not negative, and
    0 repeats. Like an array of NumPy it can be indexed (by numbers, slices of positive step and `...`), permuted and
    broadcast; none of that moves data.
    Raises WgmlError when it has no elements, too many dimensions, or reaches beyond its buffer.
    """

    buffer: Buffer
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int = 0

    def __post_init__(self) -> None:
        if len(self.shape) > _RANK or len(self.shape) != len(self.strides) or min(self.shape, default=1) < 1:
            raise WgmlError(f"a view of shape {self.shape} with strides {self.strides} is not supported")
        last = self.offset + sum((n - 1) * stride for n, stride in zip(self.shape, self.strides, strict=True))
        if min(self.strides, default=0) < 0 or self.offset < 0 or 4 * (last + 1) > self.buffer.nbytes:
            raise WgmlError(f"a view of shape {self.shape}, strides {self.strides}, leaves {self.buffer}")

    @classmethod
    def of(cls, buffer: Buffer, *shape: int) -> "View":
        """A view of a buffer's first elements, rows one after the other."""
        return cls(buffer, shape, tuple(prod(shape[i + 1 :]) for i in range(len(shape))))

    @property
    def size(self) -> int:
        """How many elements it has."""
        return prod(self.shape)

    def __getitem__(self, index: Index | tuple[Index, ...]) -> "View":
        indices = index if isinstance(index, tuple) else (index,)
        indices = indices if ... in indices else (*indices, ...)
        whole, ellipsis = len(self.shape) - len(indices) + 1, indices.index(...)
        if whole < 0:
            raise WgmlError(f"too many indices for a view of shape {self.shape}")
        every: list[Index] = [*indices[:ellipsis], *(slice(None),) * whole, *indices[ellipsis + 1 :]]
        offset, shape, strides = self.offset, [], []
        for index, n, stride in zip(every, self.shape, self.strides, strict=True):
            if isinstance(index, int):
                if not -n <= index < n:
                    raise WgmlError(f"index {index} is out of bounds for a dimension of {n}")
                offset += index % n * stride
            elif isinstance(index, slice):
                taken = range(*index.indices(n))
                if taken.step < 0:
                    raise WgmlError("a view cannot run backwards")
                offset += taken.start * stride
                shape.append(len(taken))
                strides.append(taken.step * stride)
            else:
                raise WgmlError("a view is indexed by numbers, slices and one `...`")
        return View(self.buffer, tuple(shape), tuple(strides), offset)

    def permute(self, *order: int) -> "View":
        """Dimension i of the result is dimension order[i] of this view."""
        if sorted(order) != list(range(len(self.shape))):
            raise WgmlError(f"{order} does not permute the dimensions of {self.shape}")
        return View(
            self.buffer, tuple(self.shape[i] for i in order), tuple(self.strides[i] for i in order), self.offset
        )

    @property
    def T(self) -> "View":
        """The last two dimensions swapped."""
        first = range(len(self.shape) - 2)
        return self.permute(*first, len(self.shape) - 1, len(self.shape) - 2)

    def broadcast(self, *shape: int) -> "View":
        """Repeated to `shape` by NumPy's rules. Raises WgmlError when they don't allow it."""
        missing = len(shape) - len(self.shape)
        own = (1,) * missing + self.shape
        if missing < 0 or any(n not in (1, wanted) for n, wanted in zip(own, shape, strict=True)):
            raise WgmlError(f"a view of shape {self.shape} cannot be broadcast to {shape}")
        strides = (0,) * missing + self.strides
        repeated = tuple(0 if n == 1 else stride for n, stride in zip(own, strides, strict=True))
        return View(self.buffer, shape, repeated, self.offset)

    def unsqueeze(self) -> "View":
        """The view with a last dimension of 1."""
        return View(self.buffer, (*self.shape, 1), (*self.strides, 0), self.offset)


@dataclass(frozen=True)
class Columns:
    """Of rows of `stride` float32 elements those from `first` on; whoever reads them knows how many."""

    buffer: Buffer
    stride: int
    first: int = 0

    def params(self, name: str) -> dict[str, int]:
        """What the kernels are told of the input `name`."""
        return {f"{name}_first": self.first, f"{name}_stride": self.stride}


def require_apart(out: View, *inputs: View) -> None:
    """Refuse buffers. Raises WgmlError when an input lies in the buffer of `out`: a dispatch cannot read what it
    writes."""
    if any(view.buffer is out.buffer for view in inputs):
        raise WgmlError("the output must be in another buffer than the inputs")


def require_distinct(out: View) -> None:
    """Refuse views. Raises WgmlError when elements of `out` repeat: each must be written once."""
    if any(stride == 0 and n > 1 for n, stride in zip(out.shape, out.strides, strict=True)):
        raise WgmlError("an output cannot be a broadcast view")


def is_in_place(out: View, x: View) -> bool:
    """Whether the output is the input. Raises WgmlError where it is another view of the same buffer."""
    if x.buffer is out.buffer and x != out:
        raise WgmlError("the output must be the input itself or in another buffer")
    return x == out


def strided(shape: Sequence[int], views: Mapping[str, View], rows: bool = False) -> tuple[int, dict[str, Any]]:
    """The rank, and the fields of a uniform buffer, for a kernel over elements: `shape`, and each `View` by its name.

    views have this shape. Neighbouring dimensions that all of them step through as if they were one are made one, so
    that the kernel has fewer coordinates to find: one, when all is contiguous. rows: the last dimension is left alone.
    """
    dims: list[tuple[int, list[int]]] = []
    for i, n in enumerate(shape):
        strides = [view.strides[i] for view in views.values()]
        row = rows and i == len(shape) - 1
        if dims and not row and dims[-1][1] == [n * stride for stride in strides]:
            dims[-1] = dims[-1][0] * n, strides
        elif n > 1 or row:
            dims.append((n, strides))
    fields: dict[str, Any] = {"shape": [1] * (_RANK - len(dims)) + [n for n, _ in dims]}
    for i, (name, view) in enumerate(views.items()):
        fields[name] = _fields([strides[i] for _, strides in dims], view.offset)
    return max(1, len(dims)), fields


def strided_rows(shape: Sequence[int], views: Mapping[str, View]) -> tuple[int, int, dict[str, Any]]:
    """The count of rows, and `strided`, for a kernel with a workgroup a row. views may differ in row length."""
    return (prod(shape[:-1]), *strided(shape, views, rows=True))


def full(views: Mapping[str, View]) -> dict[str, Any]:
    """Each `View` as a field of a uniform buffer, its dimensions as they are."""
    return {name: _fields(view.strides, view.offset) for name, view in views.items()}


def _fields(strides: Sequence[int], offset: int) -> dict[str, Any]:
    """A `View` (lib/place.wgsl); missing dimensions stand in front."""
    return {"strides": [0] * (_RANK - len(strides)) + [*strides], "offset": offset}
