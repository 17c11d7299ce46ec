"""What a family needs of a file: which tensors it uses, and how, and what its layers keep of a sequence."""

from dataclasses import dataclass, replace
from itertools import accumulate, chain, pairwise

from ..errors import WgmlError, quoted
from ..gguf_model.header import Header, TensorInfo
from ..gguf_model.rows import Names, Rows, suffixed, tensor_of
from ..gguf_model.weights import require_types
from ..ops import Heads, Pooling
from ..ops.altup import require_streams
from ..ops.attention import require_heads
from ..ops.causal_conv import conv_state, require_taps
from ..ops.gated import Activation
from ..ops.group_experts import require_experts
from ..ops.linear_attention import require_memory
from ..ops.linear_heads import require_width
from ..ops.rope import require_rotary
from ..ops.selective_scan import require_keys, scan_state
from ..ops.unary import Function
from ..ops.wkv7 import require_wkv_heads
from .config import Attention, Config, Latent, Mixture, Recurrence, Rope
from .graph import Graph
from .scales import INPUT_SCALE, scale_of


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
        if not {*accumulate(self.rows)} <= {*accumulate(widths)}:
            raise self.differs(*widths)
        self.require_width(*widths)

    def require_width(self, *widths: int) -> None:
        """Raises WgmlError unless pieces of these widths are all of it."""
        if self.width != sum(widths):
            raise self.differs(*widths)

    def differs(self, *widths: int) -> WgmlError:
        """What to say of one that isn't of these widths."""
        rows, wanted = (" + ".join(map(str, counts)) for counts in (self.rows, widths))
        have = "and those beside it have" if len(self.rows) > 1 else "has"
        return WgmlError(f"the tensor {self.tensor} {have} {rows} rows instead of {wanted}")

    def require_first(self, *widths: int) -> None:
        """The same of the first of several tensors, which others may be behind."""
        ends = [*accumulate(self.rows)]
        first = ends.index(sum(widths)) + 1 if sum(widths) in ends else len(ends)
        replace(self, rows=self.rows[:first]).require(*widths)


class Plan(Graph[Planned]):
    """Which tensors a family uses, and together with which: its `matrices` and `vectors` by name; its `ropes`; and what
    each layer keeps in the cache (`kept`): keys and values of heads, or as many elements as it filters. `states`: the
    shapes, float32, of what else is kept, as it stands at the end of the sequence. `scaled`: the rows of each of the
    tensors that are multiplied at once, where one of them has a scale. `attending`: how many heads attend in each layer
    that has any.

    A matrix may be several tensors, to be multiplied at once; a vector likewise (their biases).
    Raises WgmlError for a tensor that is missing or does not fit.
    """

    def __init__(self, header: Header, config: Config) -> None:
        self._tensors, self._config = header.tensors, config
        self.matrices: dict[Names, list[TensorInfo]] = {}
        self.vectors: dict[Names, list[TensorInfo]] = {}
        self.ropes: dict[Rope, None] = {}  # in the order of their use
        self.kept: dict[int, Heads | int] = {}
        self.states: dict[str, tuple[int, ...]] = {}
        self.scaled: dict[Names, tuple[int, ...]] = {}
        self.attending: dict[int, int] = {}

    def embed(self, name: str, scale: float = 1.0) -> Planned:
        (table,) = self._matrix(name)
        if scale_of(self._tensors, name, 1):
            raise WgmlError(f"the file has a scale of the whole tensor {table.name}, which no embeddings have")
        if table.shape[0] < self._config.vocabulary:
            raise WgmlError(f"the tensor {table.name} has not a row for each of {self._config.vocabulary} tokens")
        return Planned((table.shape[1],), table.name)

    def add_positions(self, x: Planned, name: str) -> Planned:
        (table,) = self._matrix(name)
        if table.shape[0] < self._config.context_length or table.shape[1] != x.width:
            raise WgmlError(f"the tensor {table.name} {list(table.shape)} is too small for the file's context length")
        return x

    def add_types(self, x: Planned, name: str) -> Planned:
        (table,) = self._matrix(name)
        if table.shape[1] != x.width:
            raise WgmlError(f"the tensor {table.name} has rows of {table.shape[1]} elements instead of {x.width}")
        return x

    def rms_norm(
        self, x: Planned, name: str | None, last: bool = False, parts: int = 1, eps: float | None = None
    ) -> Planned:
        if x.width % parts:
            raise WgmlError(f"the tensor {x.tensor} has {x.width} rows, not a multiple of {parts}")
        if name is not None and parts == 1:
            self._vector(x.width, self._config.norm(name))
        elif name is not None:
            own = self._tensor(self._config.norm(name), 1, 2).size == x.width
            self._flat(x.width if own else x.width // parts, self._config.norm(name))
        return x

    def layer_norm(self, x: Planned, name: str, last: bool = False) -> Planned:
        self._vector(x.width, f"{name}.weight")
        if f"{name}.bias" in self._tensors:
            self._vector(x.width, f"{name}.bias")
        return x

    def linear(self, x: Planned, *names: str | Rows) -> Planned:
        tensors = [self._rows_of(name) for name in names]
        for tensor in tensors:
            if tensor.shape[1] != x.width:
                raise WgmlError(f"the tensor {tensor.name} has rows of {tensor.shape[1]} elements instead of {x.width}")
        pieces = [_pieces(tensor, name) for tensor, name in zip(tensors, names, strict=True)]
        self.matrices[names] = [*chain(*pieces)]
        if any(f"{tensor_of(name)}.bias" in self._tensors for name in names):
            biases = [self._tensor(f"{tensor_of(name)}.bias", 1) for name in names]
            for bias, tensor in zip(biases, tensors, strict=True):
                if bias.shape != tensor.shape[:1]:
                    raise WgmlError(f"the tensor {bias.name} has not {tensor.shape[0]} elements")
            self.vectors[suffixed(names, ".bias")] = [*chain(*map(_pieces, biases, names))]
        rows = tuple(sum(piece.shape[0] for piece in found) for found in pieces)
        scaled = [self._scale(tensor_of(name), 1) for name in names]
        if any(scaled):
            self.scaled[names] = rows
        return Planned(rows, tensors[0].name)

    def linear_parts(self, x: Planned, *names: str) -> Planned:
        width = x.width // len(names)
        x.require(*[width] * len(names))
        require_width(width)
        matrices = self._matrix(*names)
        for matrix in matrices:
            if matrix.shape != (matrices[0].shape[0], width):
                wanted = [matrices[0].shape[0], width]
                raise WgmlError(f"the tensor {matrix.name} has the shape {list(matrix.shape)} instead of {wanted}")
        return Planned(tuple(matrix.shape[0] for matrix in matrices), matrices[0].name)

    def qk_norm(
        self, qkv: Planned, q: str, k: str | None, heads: Heads, whole: bool = False, values: bool = False
    ) -> Planned:
        without_values = values and qkv.width == sum(heads.widths[:2])
        require = qkv.require if values or k is None else qkv.require_first
        require(*heads.widths[: 2 if without_values else 3])
        names = norm_names(q, k)
        lengths = heads.widths[:2] if whole else (heads.head_dim, heads.head_dim)
        self._vector(lengths[: len(names)], *names)
        return replace(qkv, rows=heads.widths) if without_values else qkv

    def attention(self, qkv: Planned, how: Attention) -> Planned:
        heads, rope = how.heads, how.rope
        (qkv.require_first if how.shared is None else qkv.require)(*how.taken.widths)
        require_heads(heads)
        self.attending[how.layer] = heads.heads
        require_rotary(heads.head_dim, rope.dim, rope.pairing)
        self._rope(rope)
        kept = self.kept.setdefault(how.kept, heads)
        if not isinstance(kept, Heads) or replace(kept, heads=heads.heads) != heads:
            raise WgmlError(f"layer {how.layer} can't attend to the keys and values of layer {how.kept}")
        if how.norms is not None:
            self._vector((heads.head_dim, heads.head_dim), *(f"{norm}.weight" for norm in how.norms))
        if how.sinks is not None:
            self._vector(heads.heads, f"{how.sinks}.weight")
        return replace(qkv, rows=(heads.width,))

    def latent_attention(self, q: Planned, kv: Planned, how: Latent) -> Planned:
        heads, rope = how.heads, how.rope
        if how.nope < 1 or how.rank < 1:
            raise WgmlError(
                f"latents of {how.rank} elements, and heads with {how.nope} that are not rotated, make no sense"
            )
        q.require_first(how.count * (how.nope + how.pe))
        kv.require(how.rank + how.pe)
        require_heads(heads)
        for width in (how.nope + how.pe, how.rank, how.pe):
            require_width(width)
        require_rotary(how.pe, rope.dim, rope.pairing)
        self._rope(rope)
        self.kept[how.layer] = heads
        self.attending[how.layer] = heads.heads
        self._vector(how.rank, f"{how.norm}.weight")
        self._heads(how.keys, how.count, (how.rank, how.nope))
        self._heads(how.values, how.count, (how.value_dim, how.rank))
        return Planned((how.count * how.value_dim,), f"{tensor_of(how.values)}.weight")

    def short_conv(self, x: Planned, layer: int, name: str) -> Planned:
        taps = self._tensor(f"{name}.weight", 2)
        width = self._config.embedding_length
        if taps.shape != (width, self._config.conv_length) or x.width != 3 * width:
            raise WgmlError(f"the tensor {taps.name} has the shape {list(taps.shape)}")
        self.vectors[taps.name,] = [taps]
        self.kept[layer] = width
        return Planned((width,), taps.name)

    def causal_conv(self, x: Planned, *names: str) -> Planned:
        name, length = names[0], self._config.ssm.conv_kernel
        require_taps(length)
        taps = [self._tensor(f"{name}.weight", 2, 3, 4) for name in names]
        widths = x.rows if len(names) > 1 else (x.width,)
        for tensor, width in zip(taps, widths, strict=True):
            if tensor.shape[-1] != length or tensor.size != width * length:
                raise WgmlError(
                    f"the tensor {tensor.name} has the shape {list(tensor.shape)} instead of {[width, length]}"
                )
        self.vectors[suffixed(names, ".weight")] = taps
        if f"{name}.bias" in self._tensors:
            self._vector(x.width, f"{name}.bias")
        self.states[name] = conv_state(x.width, length)
        return Planned(widths, taps[0].name)

    def linear_attention(self, x: Planned, gates: Planned, how: Recurrence) -> Planned:
        memory = how.memory
        require_memory(memory)
        x.require(*memory.widths)
        gates.require(*(memory.rates, memory.heads)[: 1 + memory.delta])
        self._flat(tuple(filter(None, memory.constants)), *how.rates)
        self.states[how.name] = memory.shape
        return replace(x, rows=(memory.width,))

    def selective_scan(self, x: Planned, steps: Planned, keys: Planned, queries: Planned, prefix: str) -> Planned:
        require_keys(keys.width)
        steps.require(x.width)
        queries.require(keys.width)
        self._flat((x.width * keys.width, x.width), f"{prefix}.ssm_a", f"{prefix}.ssm_d")
        self.states[prefix] = scan_state(x.width, keys.width)
        return x

    def token_shift(self, x: Planned, name: str, *order: int) -> Planned:
        self._flat(len(order) * x.width, f"{name}.weight")
        self.states[name] = (x.width,)
        return replace(x, rows=(x.width,) * len(order))

    def wkv7(
        self,
        rkv: Planned,
        decay: Planned,
        rate: Planned,
        prefix: str,
        mixed: tuple[Planned, Planned] | None = None,
    ) -> Planned:
        width = rkv.width // 3
        rkv.require(width, width, width)
        for other in (decay, rate, *(mixed or ())):
            other.require(width)
        require_wkv_heads(width, self._config.wkv_head_size)
        heads, constants = self._config.wkv(width, prefix, mixed is not None)
        self._vector((width,) * heads.constants, *constants)
        self.states[prefix] = heads.shape
        return decay

    def gated_norm(
        self, x: Planned, gate: Planned, name: str, parts: int, before: bool = False, activation: Function = "silu"
    ) -> Planned:
        gate.require(x.width)
        return self.rms_norm(x, name, parts=parts)

    def gated(self, x: Planned, activation: Activation, values: Planned | None = None) -> Planned:
        if values is not None:
            return self.add(x, values)
        x.require(x.width // 2, x.width // 2)
        return replace(x, rows=(x.width // 2,))

    def experts(self, x: Planned, how: Mixture, router: Planned | None = None) -> Planned:
        c, name = self._config, how.name
        gates = self.linear(router or x, f"{name}_gate_inp").width
        if gates != c.expert_count or not 0 < c.expert_used_count <= c.expert_count:
            raise WgmlError(f"{c.expert_used_count} of {c.expert_count} experts don't fit the tensor {name}_gate_inp")
        require_experts(c.expert_count)
        tensors = how.hidden(c)
        hidden = Planned(tuple(self._experts(tensor, x.width) for tensor in tensors), f"{tensors[0]}.weight")
        width = self.gated(hidden, how.activation).width if how.gated else hidden.width
        if how.bias is not None:
            self._flat(c.expert_count, how.bias)
        return Planned((self._experts(f"{name}_down_exps", width),), f"{name}_down_exps.weight")

    def altup(
        self, x: Planned, others: Planned, router: Planned, name: str, result: Planned | None = None
    ) -> tuple[Planned, Planned]:
        count = router.width
        require_streams(count)
        others.require(*[x.width] * (count - 1))
        self._flat(count**3 if result is None else count**2, f"{name}.weight")
        if result is not None:
            self.add(x, result)
        return x, others

    def statistical_top_k(self, x: Planned, parts: int, deviations: float) -> Planned:
        x.require(*[x.width // parts] * parts)
        return x

    def magnitude(self, x: Planned) -> Planned:
        return replace(x, rows=(1,))

    def token_gate(self, x: Planned, name: str) -> Planned:
        self._flat(x.width, f"{name}.weight")
        return Planned((1,), f"{name}.weight")

    def scale(self, x: Planned, name: str, single: bool = False) -> Planned:
        self._flat(1 if single else x.width, name)
        return x

    def unary(self, x: Planned, function: Function, a: float = 0.0, b: float = 0.0) -> Planned:
        return x

    def pool(self, x: Planned, kind: Pooling) -> Planned:
        return x

    def add(self, x: Planned, y: Planned, parts: int = 1) -> Planned:
        if x.width != parts * y.width:
            raise WgmlError(f"the tensor {y.tensor} has {y.width} rows instead of {x.width // parts}")
        return y if parts == 1 else x

    def mul(self, x: Planned, y: Planned) -> Planned:
        if y.width == 1:
            return x
        return y if x.width == 1 else self.add(x, y)

    def slice(self, x: Planned, first: int, width: int) -> Planned:
        if not 0 <= first < first + width <= x.width:
            raise WgmlError(f"the tensor {x.tensor} has {x.width} rows, too few for {first} to {first + width}")
        cuts = [first, *(end for end in accumulate(x.rows) if first < end < first + width), first + width]
        return replace(x, rows=tuple(end - start for start, end in pairwise(cuts)))

    def split(self, x: Planned, *widths: int) -> list[Planned]:
        x.require_width(*widths)
        return super().split(x, *widths)

    def concat(self, *xs: Planned) -> Planned:
        return replace(xs[0], rows=tuple(chain(*(x.rows for x in xs))))

    def check(self) -> None:
        """Refuse a file. Raises WgmlError when it has tensors of types that no kernel reads, or that nothing uses: then
        it is another model than it is taken for."""
        require_types(self.matrices, self.vectors)
        used = {tensor.name for group in (*self.matrices.values(), *self.vectors.values()) for tensor in group}
        ignored = (*_IGNORED, *self._config.ignored)
        used |= {name for name in self._tensors if name.startswith(ignored) or name.endswith(INPUT_SCALE)}
        unused = [name for name in self._tensors if name not in used]
        if unused:
            others = f" and {len(unused) - 1} more" if len(unused) > 1 else ""
            raise WgmlError(
                f"the file has tensors that models of the architecture {self._config.architecture!r} don't have: "
                f"{quoted(unused[0])}{others}"
            )

    def _rope(self, rope: Rope) -> None:
        self.ropes[rope] = None
        if rope.factors is not None:
            self._vector(rope.dim // 2, rope.factors)

    def _heads(self, name: str | Rows, count: int, shape: tuple[int, int]) -> None:
        """Matrices of as many heads, of this shape in a tensor of their own, or rows of one that they share."""
        if isinstance(name, str):
            rows = self._stacked(name, count, shape[1])
            if rows != shape[0]:
                raise WgmlError(f"the tensor {name}.weight has {rows} rows a head instead of {shape[0]}")
        else:
            tensor = self._tensor(f"{name.name}.weight", 2)
            if tensor.shape != (count * name.period, self._config.kv_lora_rank):
                raise WgmlError(f"the tensor {tensor.name} has the shape {list(tensor.shape)}")
            self.matrices[name,] = name.pieces(tensor)

    def _stacked(self, name: str, count: int, columns: int) -> int:
        """The rows of each of as many matrices, which one tensor has one below the other."""
        tensor = self._tensor(f"{name}.weight", 3)
        rows = tensor.shape[1]
        if tensor.shape != (count, rows, columns):
            raise WgmlError(f"the tensor {tensor.name} has the shape {list(tensor.shape)}")
        self.matrices[name,] = [replace(tensor, shape=(count * rows, columns))]
        return rows

    def _experts(self, name: str, columns: int) -> int:
        experts = self._config.expert_count
        rows = self._stacked(name, experts, columns)
        if f"{name}.bias" in self._tensors:
            bias = self._tensor(f"{name}.bias", 2)
            if bias.shape != (experts, rows):
                raise WgmlError(f"the tensor {bias.name} has the shape {list(bias.shape)}")
            self.vectors[f"{name}.bias",] = [bias]
        self._scale(name, experts)
        return rows

    def _scale(self, name: str, count: int) -> bool:
        """Whether the matrix `name` has a scale for each of `count` parts, which is taken in."""
        scale = scale_of(self._tensors, name, count)
        if scale is not None:
            self.vectors[scale.name,] = [scale]
        return scale is not None

    def _rows_of(self, name: str | Rows) -> TensorInfo:
        """The matrix, or, where rows are picked, those of several in one tensor as one."""
        tensor = self._tensor(f"{tensor_of(name)}.weight", *((2,) if isinstance(name, str) else (2, 3)))
        return replace(tensor, shape=(tensor.size // tensor.shape[-1], tensor.shape[-1]))

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

    def _flat(self, lengths: int | tuple[int, ...], *names: str) -> None:
        """Vectors that some files have as matrices. lengths: as of `_vector`."""
        lengths = (lengths,) if isinstance(lengths, int) else lengths
        self.vectors[names] = [self._tensor(name, 1, 2, 3, 4) for name in names]
        for tensor, length in zip(self.vectors[names], lengths, strict=True):
            if tensor.size != length:
                raise WgmlError(f"the tensor {tensor.name} has the shape {list(tensor.shape)} instead of [{length}]")

    def _tensor(self, name: str, *dims: int) -> TensorInfo:
        tensor = self._tensors.get(name)
        if tensor is None:
            raise WgmlError(f"the file lacks the tensor {name}")
        if len(tensor.shape) not in dims:
            raise WgmlError(f"the tensor {name} has {len(tensor.shape)} dimensions instead of {dims[0]}")
        return tensor


def norm_names(q: str, k: str | None) -> tuple[str, ...]:
    """The tensors with the weights of `Graph.qk_norm`."""
    return tuple(f"{name}.weight" for name in (q, k) if name is not None)


def _pieces(tensor: TensorInfo, name: str | Rows) -> list[TensorInfo]:
    return [tensor] if isinstance(name, str) else name.pieces(tensor)


# Rotary frequencies, which some files repeat, or give for both of two context lengths.
_IGNORED = ("rope_freqs.", "rope_factors_")
