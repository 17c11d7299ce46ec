"""What a step is before it is a Program: nodes, each an operation of ops/ with what it reads and what it makes."""

from dataclasses import dataclass, replace

from ..gguf_model.weights import Matrix
from ..gpu import Buffer
from ..ops import (
    Append,
    Experts,
    Fusion,
    HeadNorm,
    HeadProducts,
    Heads,
    KvCache,
    Memory,
    Mixer,
    Norm,
    NormBefore,
    Partials,
    Pooling,
    Routing,
    Scores,
    Shift,
    Taps,
    WkvHeads,
)
from ..ops.binary import Operation
from ..ops.gated import Activation
from ..ops.unary import Function


@dataclass(frozen=True, eq=False)
class Value:
    """An activation: float32 [rows, width]. One node makes it, and it never changes."""

    rows: int
    width: int

    @property
    def nbytes(self) -> int:
        return 4 * self.rows * self.width


@dataclass(frozen=True)
class Op:
    """What a node does, with its weights. What it says is an operation of the same name in ops/, if nothing else."""


@dataclass(frozen=True)
class Embed(Op):
    """Rows of the matrix, picked by the step's tokens."""

    matrix: Matrix
    scale: float


@dataclass(frozen=True)
class Positions(Op):
    """Rows of the matrix, picked by the step's positions or by `ids`, added to the value."""

    matrix: Matrix
    ids: Buffer | None


@dataclass(frozen=True)
class RmsNorm(Op):
    """`rms_norm`. last: of the step's last token alone."""

    norm: Norm
    last: bool


@dataclass(frozen=True)
class LayerNorm(Op):
    """`layer_norm`. last: of the step's last token alone."""

    norm: Norm
    bias: Buffer | None
    last: bool


@dataclass(frozen=True)
class Linear(Op):
    """A product with a matrix, and what it takes in of what comes before and after.

    sum: the norm of the sum that is multiplied: of the first input's norm and the second input. The sum is then its
    second output. first: where in the last input the values begin that the activated results are multiplied by, if
    there are any.
    """

    matrix: Matrix
    fusion: Fusion
    sum: Norm | None = None
    first: int | None = None


@dataclass(frozen=True)
class QkNorm(Op):
    """The norm of queries and keys where they are. weights: None for all 1. values: theirs too."""

    weights: Buffer | None
    heads: Heads
    eps: float
    whole: bool = False
    values: bool = False


@dataclass(frozen=True)
class Rotate(Op):
    """`rope_append`: keys and values go to the cache, where there are any; what it makes are the queries."""

    append: Append
    norm: HeadNorm | None = None


@dataclass(frozen=True)
class ScaleQueries(Op):
    """Each head of the queries times two vectors [head_dim]."""

    weights: Buffer
    heads: Heads


@dataclass(frozen=True)
class Attend(Op):
    """`attention`; what it makes is in partials if there are several splits."""

    cache: KvCache
    scores: Scores[Buffer]
    splits: int


@dataclass(frozen=True)
class Weigh(Op):
    """`attention_weights`, of rows of `length` positions."""

    cache: KvCache
    scores: Scores[Buffer]
    length: int


@dataclass(frozen=True)
class Merge(Op):
    """`attention_merge`."""

    partials: Partials


@dataclass(frozen=True)
class ShortConv(Op):
    """A convolution that also writes to the cache: the layer's state."""

    taps: Taps
    state: Buffer


@dataclass(frozen=True)
class TokenShift(Op):
    """`token_shift`, which also writes its state, with the norm before it."""

    shift: Shift
    norm: NormBefore | None = None


@dataclass(frozen=True)
class Reader(Op):
    """An operation that reads some columns of each input: firsts, from which one on."""

    firsts: tuple[int, ...]


@dataclass(frozen=True)
class LatentAppend(Reader):
    """Latents go to the cache; what it makes are the queries, of which only what is rotated is written yet."""

    append: Append
    norm: Norm
    nope: int


@dataclass(frozen=True)
class LinearHeads(Reader):
    """Products of heads with matrices of their own, which may be part of a wider value."""

    matrix: Matrix
    product: HeadProducts


@dataclass(frozen=True)
class CausalConv(Reader):
    """`causal_conv`, which also writes its state."""

    taps: Taps
    bias: Buffer | None
    state: Buffer


@dataclass(frozen=True)
class GatedNorm(Reader):
    """`gated_norm` of a value and its gates."""

    norm: Norm
    before: bool
    activation: Function


@dataclass(frozen=True)
class LinearAttention(Reader):
    """`linear_attention`, which also writes its state; with what it takes in of what comes before and after. Where it
    goes by chunks, its second output is what it has to know of each."""

    memory: Memory
    rates: Buffer
    state: Buffer
    mixer: Mixer | None = None
    gated: GatedNorm | None = None


@dataclass(frozen=True)
class SelectiveScan(Reader):
    """`selective_scan`, which also writes its state; sizes: channels and elements of a channel's state."""

    sizes: tuple[int, int]
    rates: Buffer
    state: Buffer


@dataclass(frozen=True)
class Wkv7(Reader):
    """`wkv7`, which also writes its state."""

    heads: WkvHeads
    constants: Buffer
    state: Buffer


@dataclass(frozen=True)
class Gate(Reader):
    """`gated`, of gates and values. repeat: rows of a token."""

    activation: Activation
    repeat: int = 1


@dataclass(frozen=True)
class Route(Op):
    """What it makes are the ids of experts and their gates."""

    routing: Routing
    favour: Buffer | None


@dataclass(frozen=True)
class Group(Op):
    """`group_experts`: tiles of at most `size` slots, and their order."""

    experts: int
    size: int


@dataclass(frozen=True)
class LinearExperts(Op):
    """Products of a value and experts' ids, or instead of these what `Group` makes of them, in tiles of at most `size`
    slots."""

    matrix: Matrix
    product: Experts
    size: int = 0


@dataclass(frozen=True)
class Mix(Op):
    """The sum of gates [T, slots] and values [T slots, width]: each token's values times their gates, added up."""


@dataclass(frozen=True)
class AltUp(Op):
    """`altup` of the first stream, the others, and the router's gates, with what a layer made of the first where that
    is given; it makes both anew."""

    coefficients: Buffer
    scale: float


@dataclass(frozen=True)
class StatisticalTopK(Op):
    """`statistical_top_k` of the first `width` elements of each token."""

    width: int
    deviations: float


@dataclass(frozen=True)
class Magnitude(Op):
    """Each token's root mean square."""


@dataclass(frozen=True)
class TokenGate(Op):
    """The sigmoid of each token's product with the vector."""

    vector: Buffer


@dataclass(frozen=True)
class Pool(Op):
    """`pool`."""

    kind: Pooling
    wholes: Buffer


@dataclass(frozen=True)
class Unary(Op):
    """A function of each element, with its parameters."""

    function: Function
    a: float = 0.0
    b: float = 0.0


@dataclass(frozen=True)
class Scale(Op):
    """The value times a vector of the file, or its only number: so many elements has it."""

    vector: Buffer
    size: int


@dataclass(frozen=True)
class Binary(Op):
    """Arithmetic of two values, elementwise."""

    operation: Operation


@dataclass(frozen=True)
class Slice(Op):
    """Elements of each token from `first` on."""

    first: int


@dataclass(frozen=True)
class Concat(Op):
    """The elements of several values, side by side."""


@dataclass(frozen=True)
class Copy(Op):
    """The value, in memory of its own."""


STORING = (LatentAppend, ShortConv, CausalConv, LinearAttention, SelectiveScan, TokenShift, Wkv7)
"""Operations that write to the cache, whatever they are given."""


@dataclass(frozen=True, eq=False)
class Node:
    """An operation on `inputs`, of which `outputs` are made. name: of its weights, or what it is part of.

    onto: the value whose memory the output takes: the result is added to it, or is made of it where it is.
    """

    op: Op
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    name: str = ""
    onto: Value | None = None

    @property
    def reads(self) -> tuple[Value, ...]:
        """Every value that it needs."""
        return self.inputs if self.onto is None else (*self.inputs, self.onto)

    @property
    def stores(self) -> bool:
        """Whether it writes to the cache, and so is needed even where nobody reads what it makes."""
        match self.op:
            case Rotate(append) | Linear(_, Fusion(append=Append() as append)):
                return append.cache.heads.kv_heads > 0
            case op:
                return isinstance(op, STORING)

    def reading(self, other: Value, instead_of: Value) -> "Node":
        """The same with another value in place of one that it reads."""
        inputs = tuple(other if value is instead_of else value for value in self.inputs)
        return replace(self, inputs=inputs, onto=other if self.onto is instead_of else self.onto)
