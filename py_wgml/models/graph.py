"""What a family is written in: the layers of a transformer, by the names of their GGUF tensors.

A family is one function `forward(g, config)` over a Graph. There are three: `Plan` finds out which tensors are used,
and how; `GpuGraph` records a Program; `NumpyGraph` computes. So a family's GPU form and its reference are one text.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Generic, TypeVar

from ..errors import WgmlError
from ..gguf_model.header import TensorInfo
from ..ops.gated import Activation
from ..ops.rope import Pairing

A = TypeVar("A")


class Graph(ABC, Generic[A]):
    """One step of T tokens; A is an activation [T, width]. Weight names are GGUF's, without the suffix `.weight`;
    biases (`.bias`) join in where the file has them."""

    @abstractmethod
    def embed(self, name: str) -> A:
        """The step's tokens -> rows of the matrix `name`."""

    @abstractmethod
    def rms_norm(self, x: A, name: str, last: bool = False) -> A:
        """x scaled to a root mean square of 1, times the vector `name`. last: of the step's last token alone."""

    @abstractmethod
    def linear(self, x: A, *names: str, add_to: A | None = None) -> A:
        """x times the matrices `names`, their results side by side; or `add_to` plus that."""

    @abstractmethod
    def attention(self, qkv: A, layer: int, pairing: Pairing) -> A:
        """Rotate queries and keys, append keys and values to the layer's cache, attend: [T, heads head_dim]."""

    @abstractmethod
    def gated(self, x: A, activation: Activation) -> A:
        """activation(first half of x) * second half."""


class Plan(Graph[None]):
    """Which tensors a family uses, and together with which: its `matrices` and `vectors` by name.

    A matrix may be several tensors, to be multiplied at once; a vector likewise (their biases).
    Raises WgmlError for a tensor that is missing or has too many dimensions.
    """

    def __init__(self, tensors: Mapping[str, TensorInfo]) -> None:
        self._tensors = tensors
        self.matrices: dict[tuple[str, ...], list[TensorInfo]] = {}
        self.vectors: dict[tuple[str, ...], list[TensorInfo]] = {}

    def embed(self, name: str) -> None:
        self._use(self.matrices, (name,), ".weight", 2)

    def rms_norm(self, x: None, name: str, last: bool = False) -> None:
        self._use(self.vectors, (name,), ".weight", 1)

    def linear(self, x: None, *names: str, add_to: None = None) -> None:
        self._use(self.matrices, names, ".weight", 2)
        columns = {tensor.shape[1] for tensor in self.matrices[names]}
        if len(columns) > 1:
            raise WgmlError(f"the tensors {', '.join(names)} differ in row length")
        if any(f"{name}.bias" in self._tensors for name in names):
            self._use(self.vectors, tuple(f"{name}.bias" for name in names), "", 1)

    def attention(self, qkv: None, layer: int, pairing: Pairing) -> None:
        pass

    def gated(self, x: None, activation: Activation) -> None:
        pass

    def _use(
        self, uses: dict[tuple[str, ...], list[TensorInfo]], names: tuple[str, ...], suffix: str, dims: int
    ) -> None:
        found = []
        for name in names:
            tensor = self._tensors.get(name + suffix)
            if tensor is None:
                raise WgmlError(f"the file lacks the tensor {name + suffix}")
            if len(tensor.shape) != dims:
                raise WgmlError(f"the tensor {name + suffix} has {len(tensor.shape)} dimensions instead of {dims}")
            found.append(tensor)
        uses[names] = found
