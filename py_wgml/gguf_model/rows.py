"""Some rows of a tensor: files keep rows of different things in turn."""

from dataclasses import dataclass, replace
from typing import Any

import numpy.typing as npt

from ..errors import WgmlError
from .header import TensorInfo


@dataclass(frozen=True)
class Rows:
    """Of every `period` rows of the tensor `name` those from `first` on, `count` of them."""

    name: str
    first: int
    count: int
    period: int

    def pieces(self, tensor: TensorInfo) -> list[TensorInfo]:
        """Where they lie in the file. Raises WgmlError where the tensor's rows are no multiple of `period`."""
        count = tensor.shape[0]
        if count % self.period:
            raise WgmlError(f"the tensor {tensor.name} has {count} rows, not a multiple of {self.period}")
        stride = tensor.nbytes // count
        shape, nbytes = (self.count, *tensor.shape[1:]), self.count * stride
        starts = range(self.first, count, self.period)
        return [replace(tensor, shape=shape, offset=tensor.offset + start * stride, nbytes=nbytes) for start in starts]

    def of(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """These rows of the whole, [rows, ..] -> [rows count / period, ..]."""
        groups = array.reshape(-1, self.period, *array.shape[1:])
        return groups[:, self.first : self.first + self.count].reshape(-1, *array.shape[1:])


Names = tuple[str | Rows, ...]
"""Tensors, or rows of them, that are used together."""


def tensor_of(name: str | Rows) -> str:
    """The name of the tensor that has the rows."""
    return name if isinstance(name, str) else name.name


def suffixed(names: Names, suffix: str) -> Names:
    """The names, each with a suffix behind it."""
    return tuple(
        f"{name}{suffix}" if isinstance(name, str) else replace(name, name=f"{name.name}{suffix}") for name in names
    )
