"""The first pass: the calls of a family's forward function become nodes, one for each operation."""

from dataclasses import dataclass, replace
from typing import Literal, cast

from ..gguf_model.rows import Rows, suffixed, tensor_of
from ..gguf_model.weights import Weights
from ..gpu import Buffer, Device
from ..ops import (
    Append,
    Experts,
    Fusion,
    HeadProducts,
    Heads,
    KvCache,
    Norm,
    Partials,
    Pooling,
    Routing,
    Scores,
    Shift,
    Taps,
    attention_chunks,
    attention_splits,
    group_size,
)
from ..ops.binary import Operation
from ..ops.gated import Activation
from ..ops.unary import Function
from . import nodes
from .cache import Cache
from .config import Attention, Config, Latent, Mixture, Recurrence
from .graph import Graph
from .nodes import Node, Op, Value
from .planner import norm_names

_GROUPED = 2  # tokens of an expert on average, from which on its matrices are read once for several of them


Logits = Literal["none", "last", "every"]


@dataclass(frozen=True)
class Texts:
    """Where the rows of a step belong that takes several texts, one behind the other from position 0 on: buffers of
    uint32, an entry for each of its rows.

    positions: of a row within its text. types: see `Graph.add_types`. spans [.., 2]: the first row of its text, and the
    one after the last. wholes [.., 2]: the same of each text; empty past the last of them.
    """

    positions: Buffer
    types: Buffer
    spans: Buffer
    wholes: Buffer

    @classmethod
    def of(cls, device: Device, count: int) -> "Texts":
        """Those for steps of up to `count` rows."""
        sizes = {"positions": 4, "types": 4, "spans": 8, "wholes": 8}
        return cls(**{name: device.buffer(count * size, name) for name, size in sizes.items()})


@dataclass(frozen=True)
class Step:
    """A step of at most `count` tokens, meant for positions below `length`. logits: of none of its tokens, of the last
    one or of every one. x_bytes: as of `Products`. texts: of a model that embeds. watched: the layer whose attention is
    to be looked at, if any."""

    count: int
    length: int
    logits: Logits = "last"
    x_bytes: int = 0
    texts: Texts | None = None
    watched: int | None = None


class Recorder(Graph[Value]):
    """Notes the `nodes` of a step. Nothing is decided here but how many splits attention has, and which experts'
    product: both depend on sizes and on the GPU, not on other nodes.

    weights: of the watched layer's attention, float32 [heads, count, `length` or one more], once that was recorded.
    """

    def __init__(self, device: Device, config: Config, weights: Weights, cache: Cache, step: Step) -> None:
        self._device, self._config, self._weights, self._cache, self._step = device, config, weights, cache, step
        self.nodes: list[Node] = []
        self.weights: Value | None = None

    def _make(self, op: Op, inputs: tuple[Value, ...], rows: int, width: int, name: str = "") -> Value:
        out = Value(rows, width)
        self.nodes.append(Node(op, inputs, (out,), name))
        return out

    def _alter(self, op: Op, x: Value, name: str = "") -> Value:
        """A node of an operation that works on a value where it is."""
        out = Value(x.rows, x.width)
        self.nodes.append(Node(op, (x,), (out,), name, onto=x))
        return out

    def embed(self, name: str, scale: float = 1.0) -> Value:
        matrix = self._weights.matrices[name,]
        return self._make(nodes.Embed(matrix, scale), (), self._step.count, matrix.columns, name)

    def add_positions(self, x: Value, name: str) -> Value:
        texts = self._step.texts
        ids = texts.positions if texts else None
        return self._alter(nodes.Positions(self._weights.matrices[name,], ids), x, name)

    def add_types(self, x: Value, name: str) -> Value:
        matrix, texts = self._weights.matrices[name,], self._texts
        return self._alter(nodes.Positions(matrix, texts.types), x, name)

    @property
    def _texts(self) -> Texts:
        assert self._step.texts is not None, "a model that embeds takes texts"
        return self._step.texts

    def rms_norm(
        self, x: Value, name: str | None, last: bool = False, parts: int = 1, eps: float | None = None
    ) -> Value:
        last = self._is_last(last)
        norm = self._norm(x, name, parts, self._config.norm_eps if eps is None else eps)
        return self._make(nodes.RmsNorm(norm, last), (x,), 1 if last else x.rows, x.width, name or "")

    def _norm(self, x: Value, name: str | None, parts: int, eps: float) -> Norm:
        weight = None if name is None else self._weights.vectors[self._config.norm(name),]
        own = weight is not None and parts > 1 and weight.nbytes == 4 * x.width
        return Norm(weight, x.width // parts, eps, parts, own)

    def layer_norm(self, x: Value, name: str, last: bool = False) -> Value:
        last, bias = self._is_last(last), self._weights.vectors.get((f"{name}.bias",))
        norm = Norm(self._weights.vectors[f"{name}.weight",], x.width, self._config.norm_eps)
        return self._make(nodes.LayerNorm(norm, bias, last), (x,), 1 if last else x.rows, x.width, name)

    def _is_last(self, last: bool) -> bool:
        return last and self._step.logits != "every"

    def linear(self, x: Value, *names: str | Rows) -> Value:
        matrix = self._weights.matrices[names]
        bias = self._weights.vectors.get(suffixed(names, ".bias"))
        title = " ".join(map(tensor_of, names))
        fusion = Fusion(bias, self._weights.scales.get(names))
        return self._make(nodes.Linear(matrix, fusion), (x,), x.rows, matrix.rows, title)

    def linear_parts(self, x: Value, *names: str) -> Value:
        matrix, parts = self._weights.matrices[names], len(names)
        op = nodes.LinearHeads((0,), matrix, HeadProducts(parts, x.width // parts, matrix.rows // parts))
        return self._make(op, (x,), x.rows, matrix.rows, " ".join(names))

    def qk_norm(
        self, qkv: Value, q: str, k: str | None, heads: Heads, whole: bool = False, values: bool = False
    ) -> Value:
        if qkv.width < heads.qkv_width:
            qkv = self.concat(qkv, self.slice(qkv, *heads.widths[:2]))
        weights = self._weights.vectors[norm_names(q, k)]
        op = nodes.QkNorm(weights, heads, self._config.norm_eps, whole, values)
        return self._alter(op, qkv, q if k is None else f"{q} {k}")

    def attention(self, qkv: Value, how: Attention) -> Value:
        vectors, heads, rope, rows = self._weights.vectors, how.heads, how.rope, qkv.rows
        name = f"layer {how.layer}"
        keys, values = self._cache.layers[how.kept]
        cache = KvCache(keys, values, heads, self._cache.bits)
        texts = self._step.texts
        positions = texts.positions if texts and rope.dim else None
        taken = replace(cache, heads=how.taken)
        append = Append(self._cache.rotations[rope], rope.dim, rope.pairing, taken, positions)
        if how.norms is not None:
            # A rotation leaves a root mean square as it is, so the heads may be scaled before. Their weights may not be
            # applied before; but scores are sums of products, so the keys' may go to the queries too.
            qkv = self._alter(nodes.QkNorm(None, how.taken, self._config.norm_eps), qkv, name)
        q = self._make(nodes.Rotate(append), (qkv,), rows, heads.width, name)
        if how.norms is not None:
            weights = vectors[tuple(f"{norm}.weight" for norm in how.norms)]
            q = self._alter(nodes.ScaleQueries(weights, heads), q, " ".join(how.norms))
        sinks = None if how.sinks is None else vectors[f"{how.sinks}.weight",]
        spans = texts.spans if texts else None
        scores = Scores(how.scale, how.window, how.soft_cap, sinks, how.causal, how.alibi, spans)
        return self._attend(q, cache, scores, how.layer)

    def _attend(self, q: Value, cache: KvCache, scores: Scores[Buffer], layer: int) -> Value:
        heads, rows, length, name = cache.heads, q.rows, self._step.length, f"layer {layer}"
        if layer == self._step.watched:
            even = length + length % 2
            self.weights = self._make(nodes.Weigh(cache, scores, even), (q,), heads.heads * rows, even, name)
        splits = attention_splits(self._device, rows, min(length, scores.window or length))
        attend = nodes.Attend(cache, scores, splits)
        if splits == 1:
            return self._make(attend, (q,), rows, heads.out_width, name)
        partials = Partials(heads, splits)
        found = self._make(attend, (q,), 1, partials.nbytes(rows) // 4, name)
        return self._make(nodes.Merge(partials), (found,), rows, heads.out_width, name)

    def latent_attention(self, q: Value, kv: Value, how: Latent) -> Value:
        heads, rope, rows, name = how.heads, how.rope, q.rows, f"layer {how.layer}"
        (keys,) = self._cache.layers[how.layer]
        cache = KvCache(keys, None, heads, self._cache.bits)
        append = Append(self._cache.rotations[rope], rope.dim, rope.pairing, cache)
        norm = Norm(self._weights.vectors[f"{how.norm}.weight",], how.rank, self._config.eps)
        queries = self._make(nodes.LatentAppend((0, 0), append, norm, how.nope), (q, kv), rows, heads.width, name)
        # A key of `nope` elements is a product of its latent; so scores are products of latents with queries that are
        # multiplied by the same matrix.
        into = HeadProducts(how.count, how.nope + how.pe, heads.head_dim, transposed=isinstance(how.keys, Rows))
        absorbed = Value(rows, heads.width)
        op = nodes.LinearHeads((0,), self._weights.matrices[how.keys,], into)
        self.nodes.append(Node(op, (q,), (absorbed,), tensor_of(how.keys), onto=queries))
        found = self._attend(absorbed, cache, Scores(how.scale), how.layer)
        out_of = HeadProducts(how.count, how.rank, how.value_dim)
        values = nodes.LinearHeads((0,), self._weights.matrices[how.values,], out_of)
        return self._make(values, (found,), rows, how.count * how.value_dim, tensor_of(how.values))

    def short_conv(self, x: Value, layer: int, name: str) -> Value:
        (state,), buffer = self._cache.layers[layer], self._weights.vectors[f"{name}.weight",]
        taps = Taps(buffer, self._config.embedding_length, self._config.conv_length)
        return self._make(nodes.ShortConv(taps, state), (x,), x.rows, taps.width, name)

    def causal_conv(self, x: Value, *names: str) -> Value:
        vectors, name = self._weights.vectors, names[0]
        taps = Taps(vectors[suffixed(names, ".weight")], x.width, self._config.ssm.conv_kernel)
        op = nodes.CausalConv((0,), taps, vectors.get((f"{name}.bias",)), self._cache.states[name])
        return self._make(op, (x,), x.rows, x.width, name)

    def linear_attention(self, x: Value, gates: Value, how: Recurrence) -> Value:
        rates, state = self._weights.vectors[how.rates], self._cache.states[how.name]
        op, out = nodes.LinearAttention((0, 0), how.memory, rates, state), Value(x.rows, how.memory.width)
        chunks = attention_chunks(how.memory, x.rows)
        made = (out, Value(chunks, how.memory.chunk_width)) if chunks else (out,)
        self.nodes.append(Node(op, (x, gates), made, how.name))
        return out

    def selective_scan(self, x: Value, steps: Value, keys: Value, queries: Value, prefix: str) -> Value:
        rates, state = self._weights.vectors[f"{prefix}.ssm_a", f"{prefix}.ssm_d"], self._cache.states[prefix]
        op = nodes.SelectiveScan((0, 0, 0, 0), (x.width, keys.width), rates, state)
        return self._make(op, (x, steps, keys, queries), x.rows, x.width, f"{prefix}.ssm")

    def token_shift(self, x: Value, name: str, *order: int) -> Value:
        shift = Shift(self._weights.vectors[f"{name}.weight",], order, self._cache.states[name])
        return self._make(nodes.TokenShift(shift), (x,), x.rows, len(order) * x.width, name)

    def wkv7(
        self, rkv: Value, decay: Value, rate: Value, prefix: str, mixed: tuple[Value, Value] | None = None
    ) -> Value:
        heads, constants = self._config.wkv(rkv.width // 3, prefix, mixed is not None)
        op = nodes.Wkv7((0,) * (5 if mixed else 3), heads, self._weights.vectors[constants], self._cache.states[prefix])
        return self._make(op, (rkv, decay, rate, *(mixed or ())), rkv.rows, heads.width, prefix)

    def gated_norm(
        self, x: Value, gate: Value, name: str, parts: int, before: bool = False, activation: Function = "silu"
    ) -> Value:
        op = nodes.GatedNorm((0, 0), self._norm(x, name, parts, self._config.eps), before, activation)
        return self._make(op, (x, gate), x.rows, x.width, name)

    def gated(self, x: Value, activation: Activation, values: Value | None = None) -> Value:
        width = x.width // 2 if values is None else x.width
        op = nodes.Gate((0, width if values is None else 0), activation)
        return self._make(op, (x, x if values is None else values), x.rows, width, activation)

    def experts(self, x: Value, how: Mixture, router: Value | None = None) -> Value:
        c, rows, name = self._config, x.rows, how.name
        slots = c.expert_used_count
        routing = Routing(c.expert_count, slots, how.gating, how.normalise, c.expert_weights_scale)
        favour = None if how.bias is None else self._weights.vectors[how.bias,]
        ids, gates = Value(rows, slots), Value(rows, slots)
        logits = self.linear(router or x, f"{name}_gate_inp")
        self.nodes.append(Node(nodes.Route(routing, favour), (logits,), (ids, gates), name))
        chosen: tuple[Value, ...] = (ids,)
        size = 0
        if rows * slots >= _GROUPED * c.expert_count:
            size, count = group_size(c.expert_count, rows * slots)
            chosen = Value(count, 3), Value(rows, slots)
            self.nodes.append(Node(nodes.Group(c.expert_count, size), (ids,), chosen, name))
        down = self._weights.matrices[f"{name}_down_exps",]
        product = Experts(c.expert_count, slots)

        def multiply(x: Value, name: str, product: Experts, onto: Value | None = None) -> Value:
            bias, scale = (self._weights.vectors.get((f"{name}.{kind}",)) for kind in ("bias", "scale"))
            product = replace(product, bias=bias, scale=scale)
            out = Value(rows * slots, product.width or 0)
            op = nodes.LinearExperts(self._weights.matrices[name,], product, size)
            self.nodes.append(Node(op, (x, *chosen), (out,), name, onto))
            return out

        hidden, first = None, 0
        for tensor in how.hidden(c):
            share = replace(product, shared=True, first=first, width=(1 + how.gated) * down.columns)
            hidden = multiply(x, tensor, share, hidden)
            first += self._weights.matrices[tensor,].rows // c.expert_count
        assert hidden is not None
        activate: nodes.Op = nodes.Unary(cast(Function, how.activation))
        inputs: tuple[Value, ...] = (hidden,)
        if how.gated:
            activate, inputs = nodes.Gate((0, down.columns), how.activation, slots), (hidden, hidden)
        active = self._make(activate, inputs, rows * slots, down.columns, how.activation)
        results = multiply(active, f"{name}_down_exps", replace(product, width=down.rows // c.expert_count))
        return self._make(nodes.Mix(), (gates, results), rows, results.width, name)

    def altup(
        self, x: Value, others: Value, router: Value, name: str, result: Value | None = None
    ) -> tuple[Value, Value]:
        made = Value(x.rows, x.width), Value(x.rows, others.width)
        op = nodes.AltUp(self._weights.vectors[f"{name}.weight",], 1 / x.width)
        inputs = x, others, router
        self.nodes.append(Node(op, inputs if result is None else (*inputs, result), made, name))
        return made

    def statistical_top_k(self, x: Value, parts: int, deviations: float) -> Value:
        return self._alter(nodes.StatisticalTopK(x.width // parts, deviations), x)

    def magnitude(self, x: Value) -> Value:
        return self._make(nodes.Magnitude(), (x,), x.rows, 1)

    def token_gate(self, x: Value, name: str) -> Value:
        return self._make(nodes.TokenGate(self._weights.vectors[f"{name}.weight",]), (x,), x.rows, 1, name)

    def unary(self, x: Value, function: Function, a: float = 0.0, b: float = 0.0) -> Value:
        return self._make(nodes.Unary(function, a, b), (x,), x.rows, x.width, function)

    def scale(self, x: Value, name: str, single: bool = False) -> Value:
        vector = self._weights.vectors[name,]
        return self._make(nodes.Scale(vector, 1 if single else x.width), (x,), x.rows, x.width, name)

    def pool(self, x: Value, kind: Pooling) -> Value:
        return self._make(nodes.Pool(kind, self._texts.wholes), (x,), x.rows, x.width, kind)

    def add(self, x: Value, y: Value, parts: int = 1) -> Value:
        return self._binary("add", x, y)

    def mul(self, x: Value, y: Value) -> Value:
        return self._binary("mul", x, y)

    def _binary(self, operation: Operation, x: Value, y: Value) -> Value:
        return self._make(nodes.Binary(operation), (x, y), x.rows, max(x.width, y.width), operation)

    def slice(self, x: Value, first: int, width: int) -> Value:
        return self._make(nodes.Slice(first), (x,), x.rows, width)

    def concat(self, *xs: Value) -> Value:
        return self._make(nodes.Concat(), xs, xs[0].rows, sum(x.width for x in xs))
