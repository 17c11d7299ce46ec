"""What a family is written in: the layers of a transformer, by the names of their GGUF tensors.

A family is one function `forward(g, config)` over a Graph. There are three: `Plan` finds out which tensors are used,
and how; `Recorder` notes the nodes that become a Program; `NumpyGraph` computes. So a family's GPU form and its
reference are one text. An activation never changes: each call gives a new one.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Generic, TypeVar

from ..errors import WgmlError, quoted
from ..gguf_model.header import Header, TensorInfo
from ..gguf_model.weights import require_types
from ..ops import Heads
from ..ops.attention import require_heads
from ..ops.gated import Activation
from ..ops.group_experts import require_experts
from ..ops.rope import require_rotary
from ..ops.route import Gating
from ..ops.unary import Function
from .config import Attention, Config, Rope

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
    def rms_norm(self, x: A, name: str, last: bool = False) -> A:
        """x scaled to a root mean square of 1, times the vector `name`. last: of the step's last token alone."""

    @abstractmethod
    def layer_norm(self, x: A, name: str, last: bool = False) -> A:
        """x shifted to a mean of 0 and scaled to a variance of 1, times the vector `name`. last: as for `rms_norm`."""

    @abstractmethod
    def linear(self, x: A, *names: str) -> A:
        """x times the matrices `names`, their results side by side."""

    @abstractmethod
    def qk_norm(self, qkv: A, q: str, k: str, heads: Heads, whole: bool = False) -> A:
        """qkv, its queries and keys scaled to a root mean square of 1, times the vectors `q` and `k`: each head by
        itself, or all heads of a token as a whole."""

    @abstractmethod
    def attention(self, qkv: A, how: Attention) -> A:
        """Rotate queries and keys, append keys and values to the layer's cache, attend: [T, heads head_dim]."""

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
        normalise: bool = True,
        gating: Gating = "softmax",
        bias: str | None = None,
    ) -> A:
        """A mixture of experts (ops/route.py): the `expert_used_count` of them with the largest gates, by x times the
        matrix `name`_gate_inp, each `name`_down_exps times the gated product with `name`_gate_exps and `name`_up_exps
        (or both in one, `name`_gate_up_exps). normalise: a token's gates add up to 1. bias: name of a vector [experts]
        that is added to the gates to choose by.
        """

    @abstractmethod
    def token_gate(self, x: A, name: str) -> A:
        """The sigmoid of the product of each token's x and the vector `name`: [T, 1]."""

    @abstractmethod
    def unary(self, x: A, function: Function, a: float = 0.0) -> A:
        """function(x), of ops/unary.py, with its parameter `a`."""

    @abstractmethod
    def add(self, x: A, y: A) -> A:
        """x + y, of one width."""

    @abstractmethod
    def mul(self, x: A, y: A) -> A:
        """x * y; one of them may have a single element a token."""

    @abstractmethod
    def slice(self, x: A, first: int, width: int) -> A:
        """Elements first .. first + width of each token."""

    @abstractmethod
    def concat(self, *xs: A) -> A:
        """The elements of several, side by side."""


@dataclass(frozen=True)
class Planned:
    """An activation of `Plan`: the rows of each tensor that was multiplied, side by side; and the first one's name, for
    errors."""

    rows: tuple[int, ...]
    tensor: str

    @property
    def width(self) -> int:
        """Elements a token has."""
        return sum(self.rows)

    def require(self, *widths: int) -> None:
        """Raises WgmlError unless it can be cut into pieces of these widths: none begins or ends within a tensor that
        has others beside it."""
        if self.width != sum(widths) or not {*accumulate(self.rows)} <= {*accumulate(widths)}:
            rows, wanted = (" + ".join(map(str, counts)) for counts in (self.rows, widths))
            have = "and those beside it have" if len(self.rows) > 1 else "has"
            raise WgmlError(f"the tensor {self.tensor} {have} {rows} rows instead of {wanted}")


class Plan(Graph[Planned]):
    """Which tensors a family uses, and together with which: its `matrices` and `vectors` by name; its `ropes`; and what
    each layer keeps in the cache (`kept`): keys and values of heads, or as many elements as it filters.

    A matrix may be several tensors, to be multiplied at once; a vector likewise (their biases).
    Raises WgmlError for a tensor that is missing or does not fit.
    """

    def __init__(self, header: Header, config: Config) -> None:
        self._tensors, self._config = header.tensors, config
        self.matrices: dict[tuple[str, ...], list[TensorInfo]] = {}
        self.vectors: dict[tuple[str, ...], list[TensorInfo]] = {}
        self.ropes: dict[Rope, None] = {}  # in the order of their use
        self.kept: dict[int, Heads | int] = {}

    def embed(self, name: str, scale: float = 1.0) -> Planned:
        (table,) = self._matrix(name)
        return Planned((table.shape[1],), table.name)

    def add_positions(self, x: Planned, name: str) -> Planned:
        (table,) = self._matrix(name)
        if table.shape[0] < self._config.context_length or table.shape[1] != x.width:
            raise WgmlError(f"the tensor {table.name} {list(table.shape)} is too small for the file's context length")
        return x

    def rms_norm(self, x: Planned, name: str, last: bool = False) -> Planned:
        self._vector(x.width, f"{name}.weight")
        return x

    def layer_norm(self, x: Planned, name: str, last: bool = False) -> Planned:
        self._vector(x.width, f"{name}.weight")
        if f"{name}.bias" in self._tensors:
            self._vector(x.width, f"{name}.bias")
        return x

    def linear(self, x: Planned, *names: str) -> Planned:
        tensors = self._matrix(*names)
        for tensor in tensors:
            if tensor.shape[1] != x.width:
                raise WgmlError(f"the tensor {tensor.name} has rows of {tensor.shape[1]} elements instead of {x.width}")
        rows = tuple(tensor.shape[0] for tensor in tensors)
        if any(f"{name}.bias" in self._tensors for name in names):
            self._vector(rows, *(f"{name}.bias" for name in names))
        return Planned(rows, tensors[0].name)

    def qk_norm(self, qkv: Planned, q: str, k: str, heads: Heads, whole: bool = False) -> Planned:
        qkv.require(*heads.widths)
        lengths = heads.widths[:2] if whole else (heads.head_dim, heads.head_dim)
        self._vector(lengths, f"{q}.weight", f"{k}.weight")
        return qkv

    def attention(self, qkv: Planned, how: Attention) -> Planned:
        heads, rope, layer = how.heads, how.rope, how.layer
        qkv.require(*heads.widths)
        require_heads(heads)
        require_rotary(heads.head_dim, rope.dim, rope.pairing)
        self.ropes[rope] = None
        self.kept[layer] = heads
        if rope.factors is not None:
            self._vector(rope.dim // 2, rope.factors)
        if how.norms is not None:
            self._vector((heads.head_dim, heads.head_dim), *(f"{norm}.weight" for norm in how.norms))
        if how.sinks is not None:
            self._vector(heads.heads, f"{how.sinks}.weight")
        return replace(qkv, rows=(heads.width,))

    def short_conv(self, x: Planned, layer: int, name: str) -> Planned:
        taps = self._tensor(f"{name}.weight", 2)
        width = self._config.embedding_length
        if taps.shape != (width, self._config.conv_length) or x.width != 3 * width:
            raise WgmlError(f"the tensor {taps.name} has the shape {list(taps.shape)}")
        self.vectors[taps.name,] = [taps]
        self.kept[layer] = width
        return Planned((width,), taps.name)

    def gated(self, x: Planned, activation: Activation) -> Planned:
        x.require(x.width // 2, x.width // 2)
        return replace(x, rows=(x.width // 2,))

    def experts(
        self,
        x: Planned,
        name: str,
        activation: Activation,
        normalise: bool = True,
        gating: Gating = "softmax",
        bias: str | None = None,
    ) -> Planned:
        c = self._config
        gates = self.linear(x, f"{name}_gate_inp").width
        if gates != c.expert_count or not 0 < c.expert_used_count <= c.expert_count:
            raise WgmlError(f"{c.expert_used_count} of {c.expert_count} experts don't fit the tensor {name}_gate_inp")
        require_experts(c.expert_count)
        tensors = gate_tensors(c, name)
        hidden = Planned(tuple(self._experts(tensor, x.width) for tensor in tensors), f"{tensors[0]}.weight")
        width = self.gated(hidden, activation).width
        if bias is not None:
            self._row(bias, c.expert_count)
        return Planned((self._experts(f"{name}_down_exps", width),), f"{name}_down_exps.weight")

    def token_gate(self, x: Planned, name: str) -> Planned:
        self._row(f"{name}.weight", x.width)
        return Planned((1,), f"{name}.weight")

    def unary(self, x: Planned, function: Function, a: float = 0.0) -> Planned:
        return x

    def add(self, x: Planned, y: Planned) -> Planned:
        if x.width != y.width:
            raise WgmlError(f"the tensor {y.tensor} has {y.width} rows instead of {x.width}")
        return y

    def mul(self, x: Planned, y: Planned) -> Planned:
        if y.width == 1:
            return x
        return y if x.width == 1 else self.add(x, y)

    def slice(self, x: Planned, first: int, width: int) -> Planned:
        if not 0 <= first < first + width <= x.width:
            raise WgmlError(f"the tensor {x.tensor} has {x.width} rows, too few for {first} to {first + width}")
        return replace(x, rows=(width,))

    def concat(self, *xs: Planned) -> Planned:
        return replace(xs[0], rows=(sum(x.width for x in xs),))

    def check(self) -> None:
        """Refuse a file. Raises WgmlError when it has tensors of types that no kernel reads, or that nothing uses: then
        it is another model than it is taken for."""
        require_types(self.matrices, self.vectors)
        used = {tensor.name for group in (*self.matrices.values(), *self.vectors.values()) for tensor in group}
        unused = [name for name in self._tensors if name not in used and not name.startswith(_IGNORED)]
        if unused:
            others = f" and {len(unused) - 1} more" if len(unused) > 1 else ""
            raise WgmlError(
                f"the file has tensors that models of the architecture {self._config.architecture!r} don't have: "
                f"{quoted(unused[0])}{others}"
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

    def _vector(self, lengths: int | tuple[int, ...], *names: str) -> None:
        """lengths: of each of the names, or of the only one."""
        lengths = (lengths,) if isinstance(lengths, int) else lengths
        self.vectors[names] = [self._tensor(name, 1) for name in names]
        for tensor, length in zip(self.vectors[names], lengths, strict=True):
            if tensor.shape != (length,):
                raise WgmlError(f"the tensor {tensor.name} has not {length} elements")

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


def gate_tensors(c: Config, name: str) -> tuple[str, ...]:
    """The tensors of the experts' gates and values, which files keep in two or in one."""
    fused = f"{name}_gate_up_exps"
    return (fused,) if c.has(fused) else (f"{name}_gate_exps", f"{name}_up_exps")


# Rotary frequencies, which some files repeat, or give for both of two context lengths.
_IGNORED = ("rope_freqs.", "rope_factors_")
