"""Some columns of a buffer of rows: what an op reads of a product that others read too."""

from dataclasses import dataclass

from ...gpu import Buffer

__all__ = ["Columns"]


@dataclass(frozen=True)
class Columns:
    """Of rows of `stride` float32 elements those from `first` on; whoever reads them knows how many."""

    buffer: Buffer
    stride: int
    first: int = 0

    def params(self, name: str) -> dict[str, int]:
        """What the kernels are told of the input `name`."""
        return {f"{name}_first": self.first, f"{name}_stride": self.stride}
