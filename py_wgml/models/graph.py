"""What a family is written in: the layers of a transformer, by the names of their GGUF tensors.

A family is one function `forward(g, config)` over a Graph. There are three: `Plan` finds out which tensors are used,
and how; `GpuGraph` records a Program; `NumpyGraph` computes. So a family's GPU form and its reference are one text.
"""

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Generic, TypeVar

from ..errors import WgmlError, quoted
from ..gguf_model.header import Header, TensorInfo
from ..gguf_model.weights import require_types
from ..ops.attention import require_heads
from ..ops.gated import Activation
from ..ops.group_experts import require_experts
from ..ops.rope import require_rotary
from ..ops.route import Gating
from ..ops.unary import Function
from .config import NO_ROPE, Config, Rope

A = TypeVar("A")


class Graph(ABC, Generic[A]):
    """One step of T tokens; A is an activation [T, width]. Weight names are GGUF's, without the suffix `.weight`;
    biases (`.bias`) join in where the file has them."""

    @abstractmethod
    def embed(self, name: str, scale: float = 1.0) -> A:
        """The step's tokens -> rows of the matrix `name`, times scale."""

    @abstractmethod
    def add_positions(self, x: A, name: str) -> A:
        """x plus the rows of the matrix `name` that the step's positions pick."""

    @abstractmethod
    def rms_norm(self, x: A, name: str, last: bool = False, add_to: A | None = None) -> A:
        """x scaled to a root mean square of 1, times the vector `name`; or `add_to` plus that.

        last: of the step's last token alone.
        """

    @abstractmethod
    def layer_norm(self, x: A, name: str, last: bool = False) -> A:
        """x shifted to a mean of 0 and scaled to a variance of 1, times the vector `name`. last: as for `rms_norm`."""

    @abstractmethod
    def linear(self, x: A, *names: str, add_to: A | None = None) -> A:
        """x times the matrices `names`, their results side by side; or `add_to` plus that."""

    @abstractmethod
    def qk_norm(self, qkv: A, q: str, k: str, whole: bool = False) -> A:
        """qkv, its queries and keys scaled to a root mean square of 1, times the vectors `q` and `k`: each head by
        itself, or all heads of a token as a whole."""

    @abstractmethod
    def attention(
        self,
        qkv: A,
        layer: int,
        rope: Rope = NO_ROPE,
        scale: float | None = None,
        window: int | None = None,
        soft_cap: float | None = None,
        sinks: str | None = None,
        norms: tuple[str, str] | None = None,
    ) -> A:
        """Rotate queries and keys, append keys and values to the layer's cache, attend: [T, heads head_dim].

        scale: of the scores (default: the config's). window, soft_cap, sinks (name of a vector [heads]): see
        ops/attention.py. norms: names of vectors [head_dim] that the heads of queries and those of keys are normed with
        after the rotation.
        """

    @abstractmethod
    def short_conv(self, x: A, layer: int, name: str) -> A:
        """The gated short convolution of ops/short_conv.py with the taps `name`, which keeps the layer's state in the
        cache: [T, 3 width] -> [T, width]."""

    @abstractmethod
    def gated(self, x: A, activation: Activation) -> A:
        """activation(first half of x) * second half."""

    @abstractmethod
    def experts(
        self,
        x: A,
        name: str,
        activation: Activation,
        add_to: A,
        normalise: bool = True,
        gating: Gating = "softmax",
        bias: str | None = None,
    ) -> A:
        """`add_to` plus a mixture of experts (ops/route.py): the `expert_used_count` of them with the largest gates, by
        x times the matrix `name`_gate_inp, each `name`_down_exps times the gated product with `name`_gate_exps and
        `name`_up_exps (or both in one, `name`_gate_up_exps). normalise: a token's gates add up to 1. bias: name of a
        vector [experts] that is added to the gates to choose by.
        """

    @abstractmethod
    def add_gated(self, x: A, name: str, value: A, add_to: A) -> A:
        """`add_to` plus each token's `value` times the sigmoid of the product of its x and the vector `name`."""

    @abstractmethod
    def unary(self, x: A, function: Function, a: float = 0.0) -> A:
        """function(x), of ops/unary.py, with its parameter `a`."""


class Plan(Graph[int]):
    """Which tensors a family uses, and together with which: its `matrices` and `vectors` by name; and its `ropes`.

    A matrix may be several tensors, to be multiplied at once; a vector likewise (their biases). An activation is its
    width. Raises WgmlError for a tensor that is missing or does not fit.
    """

    def __init__(self, header: Header, config: Config) -> None:
        self._tensors, self._config = header.tensors, config
        self.matrices: dict[tuple[str, ...], list[TensorInfo]] = {}
        self.vectors: dict[tuple[str, ...], list[TensorInfo]] = {}
        self.ropes: dict[Rope, None] = {}  # in the order of their use

    def embed(self, name: str, scale: float = 1.0) -> int:
        return self._matrix(name)[0].shape[1]

    def add_positions(self, x: int, name: str) -> int:
        (table,) = self._matrix(name)
        if table.shape[0] < self._config.context_length or table.shape[1] != x:
            raise WgmlError(f"the tensor {table.name} {list(table.shape)} is too small for the file's context length")
        return x

    def rms_norm(self, x: int, name: str, last: bool = False, add_to: int | None = None) -> int:
        self._vector(f"{name}.weight", length=x)
        return x

    def layer_norm(self, x: int, name: str, last: bool = False) -> int:
        self._vector(f"{name}.weight", length=x)
        if f"{name}.bias" in self._tensors:
            self._vector(f"{name}.bias", length=x)
        return x

    def linear(self, x: int, *names: str, add_to: int | None = None) -> int:
        tensors = self._matrix(*names)
        for tensor in tensors:
            if tensor.shape[1] != x:
                raise WgmlError(f"the tensor {tensor.name} has rows of {tensor.shape[1]} elements instead of {x}")
        rows = sum(tensor.shape[0] for tensor in tensors)
        if any(f"{name}.bias" in self._tensors for name in names):
            self._vector(*(f"{name}.bias" for name in names), length=rows)
        if add_to not in (None, rows):
            raise WgmlError(f"the tensor {tensors[0].name} has {rows} rows instead of {add_to}")
        return rows

    def qk_norm(self, qkv: int, q: str, k: str, whole: bool = False) -> int:
        c = self._config
        heads = c.head_count + c.head_count_kv if whole else 2
        self._vector(f"{q}.weight", f"{k}.weight", length=heads * c.head_dim)
        return qkv

    def attention(
        self,
        qkv: int,
        layer: int,
        rope: Rope = NO_ROPE,
        scale: float | None = None,
        window: int | None = None,
        soft_cap: float | None = None,
        sinks: str | None = None,
        norms: tuple[str, str] | None = None,
    ) -> int:
        c = self._config
        if qkv != c.heads.qkv_width:
            raise WgmlError(f"layer {layer} has {qkv} elements of queries, keys and values, which don't fit its heads")
        require_heads(c.heads)
        require_rotary(c.head_dim, rope.dim, rope.pairing)
        self.ropes[rope] = None
        if rope.factors is not None:
            self._vector(rope.factors, length=rope.dim // 2)
        if norms is not None:
            self._vector(*(f"{norm}.weight" for norm in norms), length=2 * c.head_dim)
        if sinks is not None:
            self._vector(f"{sinks}.weight", length=c.head_count)
        return c.heads.width

    def short_conv(self, x: int, layer: int, name: str) -> int:
        taps = self._tensor(f"{name}.weight", 2)
        width = self._config.embedding_length
        if taps.shape != (width, self._config.conv_length) or x != 3 * width:
            raise WgmlError(f"the tensor {taps.name} has the shape {list(taps.shape)}")
        self.vectors[taps.name,] = [taps]
        return width

    def gated(self, x: int, activation: Activation) -> int:
        return x // 2

    def experts(
        self,
        x: int,
        name: str,
        activation: Activation,
        add_to: int,
        normalise: bool = True,
        gating: Gating = "softmax",
        bias: str | None = None,
    ) -> int:
        c = self._config
        if self.linear(x, f"{name}_gate_inp") != c.expert_count or not 0 < c.expert_used_count <= c.expert_count:
            raise WgmlError(f"{c.expert_used_count} of {c.expert_count} experts don't fit the tensor {name}_gate_inp")
        require_experts(c.expert_count)
        width = sum(self._experts(part, x) for part in expert_parts(c, name)) // 2
        if self._experts(f"{name}_down_exps", width) != add_to:
            raise WgmlError(f"the tensor {name}_down_exps.weight has not {add_to} rows")
        if bias is not None:
            self._row(bias, c.expert_count)
        return add_to

    def add_gated(self, x: int, name: str, value: int, add_to: int) -> int:
        self._row(f"{name}.weight", x)
        return add_to

    def unary(self, x: int, function: Function, a: float = 0.0) -> int:
        return x

    def check(self) -> None:
        """Raises WgmlError when the file has tensors of types that no kernel reads, or that nothing uses: then it is
        another model than it is taken for."""
        require_types(self.matrices, self.vectors)
        used = {tensor.name for group in (*self.matrices.values(), *self.vectors.values()) for tensor in group}
        unused = [name for name in self._tensors if name not in used and not name.startswith(_IGNORED)]
        if unused:
            more = f" and {len(unused) - 1} more" if len(unused) > 1 else ""
            raise WgmlError(
                f"the file has tensors that models of the architecture {self._config.architecture!r} don't have: "
                f"{quoted(unused[0])}{more}"
            )

    def _experts(self, name: str, columns: int) -> int:
        tensor, experts = self._tensor(f"{name}.weight", 3), self._config.expert_count
        rows = tensor.shape[1]
        if tensor.shape != (experts, rows, columns):
            raise WgmlError(f"the tensor {tensor.name} has the shape {list(tensor.shape)}")
        self.matrices[name,] = [replace(tensor, shape=(experts * rows, columns))]
        if f"{name}.bias" in self._tensors:
            bias = self._tensor(f"{name}.bias", 2)
            if bias.shape != (experts, rows):
                raise WgmlError(f"the tensor {bias.name} has the shape {list(bias.shape)}")
            self.vectors[f"{name}.bias",] = [bias]
        return rows

    def _matrix(self, *names: str) -> list[TensorInfo]:
        self.matrices[names] = [self._tensor(f"{name}.weight", 2) for name in names]
        return self.matrices[names]

    def _vector(self, *names: str, length: int) -> None:
        self.vectors[names] = [self._tensor(name, 1) for name in names]
        if sum(tensor.shape[0] for tensor in self.vectors[names]) != length:
            raise WgmlError(f"the tensor {' and '.join(names)} has not {length} elements")

    def _row(self, name: str, length: int) -> None:
        """A vector that some files have as a matrix of one row."""
        row = self._tensor(name, 1, 2)
        if row.shape not in ((length,), (1, length)):
            raise WgmlError(f"the tensor {name} has the shape {list(row.shape)} instead of [{length}]")
        self.vectors[name,] = [row]

    def _tensor(self, name: str, *dims: int) -> TensorInfo:
        tensor = self._tensors.get(name)
        if tensor is None:
            raise WgmlError(f"the file lacks the tensor {name}")
        if len(tensor.shape) not in dims:
            raise WgmlError(f"the tensor {name} has {len(tensor.shape)} dimensions instead of {dims[0]}")
        return tensor


def expert_parts(c: Config, name: str) -> tuple[str, ...]:
    """The tensors of the experts' gates and values, which files keep in two or in one."""
    fused = f"{name}_gate_up_exps"
    return (fused,) if c.has(fused) else (f"{name}_gate_exps", f"{name}_up_exps")


# Rotary frequencies, which some files repeat, or give for both of two context lengths.
_IGNORED = ("rope_freqs.", "rope_factors_")
