"""The last pass: nodes become the dispatches of a Program."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from .. import ops
from ..gpu import Buffer, Program
from ..ops import (
    Channels,
    Chunks,
    Columns,
    Gates,
    Groups,
    HeadNorm,
    Latents,
    Products,
    Received,
    Remembered,
    Router,
    Selected,
    Streams,
    Sum,
    View,
    Wkv,
    assign,
)
from . import nodes
from .nodes import Node, Value


@dataclass(frozen=True)
class Emitter:
    """Appends dispatches to `program`. step, tokens: buffers that the kernels read. buffers: of each value. x_bytes,
    parts: as of `Products`."""

    program: Program
    step: Buffer
    tokens: Buffer
    buffers: Mapping[Value, Buffer]
    x_bytes: int = 0
    parts: Buffer | None = None

    def emit(self, node: Node) -> None:
        """The dispatches of a node: one, for most of them."""
        where, out, accumulate = (self.program, self.step), self.buffers[node.outputs[0]], node.onto is not None
        x = node.inputs[0] if node.inputs else node.outputs[0]
        source, rows = self.buffers[x], x.rows
        match node.op:
            case nodes.Embed(matrix, scale):
                ops.get_rows(*where, self.tokens, matrix, out, rows, scale)
            case nodes.Positions(matrix, ids):
                ops.get_rows(*where, ids, matrix, out, rows, accumulate=True)
            case nodes.RmsNorm(norm, last):
                ops.rms_norm(*where, source, norm, out, rows, last, accumulate)
            case nodes.LayerNorm(norm, bias, last):
                ops.layer_norm(*where, source, norm, bias, out, rows, last)
            case nodes.Linear():
                self._linear(node, node.op)
            case nodes.QkNorm(weights, heads, eps, whole, with_values):
                head_norm = HeadNorm(weights, eps, with_values, whole)
                ops.qk_norm(*where, Columns(out, x.width), heads, head_norm, rows)
            case nodes.Rotate(append, normed):
                ops.rope_append(*where, source, out, append, rows, normed, x.width)
            case nodes.Attend(cache, scores, splits):
                ops.attention(*where, source, cache, out, scores, rows, splits)
            case nodes.Weigh(cache, scores, length):
                ops.attention_weights(*where, source, cache, out, scores, rows, length)
            case nodes.Merge(partials):
                ops.attention_merge(*where, source, partials, out, node.outputs[0].rows)
            case nodes.ShortConv(taps, state):
                ops.short_conv(*where, source, taps, state, out, rows)
            case nodes.TokenShift(shift, before):
                ops.token_shift(*where, source, shift, out, x.width, rows, before)
            case (
                nodes.LatentAppend()
                | nodes.LinearHeads()
                | nodes.CausalConv()
                | nodes.LinearAttention()
                | nodes.SelectiveScan()
                | nodes.Wkv7()
                | nodes.GatedNorm()
            ):
                self._reader(node, node.op)
            case nodes.StatisticalTopK(width, deviations):
                ops.statistical_top_k(*where, out, width, x.width, deviations, rows)
            case nodes.AltUp(coefficients, scale):
                first, others, router, *result = (self.buffers[value] for value in node.inputs)
                size = node.inputs[2].width, x.width
                given, made = Streams(first, others, *size), Streams(out, self.buffers[node.outputs[1]], *size)
                ops.altup(*where, given, Router(router, coefficients, scale), made, rows, *result)
            case nodes.Pool(kind, wholes):
                ops.pool(*where, source, wholes, out, kind, x.width, rows)
            case nodes.Gate(_, activation, repeat):
                gated, (gates, values) = Columns(out, node.outputs[0].width), self._columns(node, node.op)
                ops.gated(*where, gates, values, gated, activation, rows // repeat, repeat)
            case nodes.Route() | nodes.Group() | nodes.LinearExperts():
                self._experts(node)
            case _:
                self._arithmetic(node)

    def _linear(self, node: Node, op: nodes.Linear) -> None:
        x, *others = (self.buffers[value] for value in node.inputs)
        out, *sums = (self.buffers[value] for value in node.outputs)
        fusion = replace(op.fusion, accumulate=node.onto is not None)
        if op.sum is not None:
            fusion = replace(fusion, sum=Sum(op.sum, others[0], sums[0]))
        if op.first is not None:
            fusion = replace(fusion, values=Columns(others[-1], node.inputs[-1].width, op.first))
        products = Products(self.x_bytes, self.parts)
        ops.linear(self.program, self.step, x, op.matrix, out, node.outputs[0].rows, fusion, products)

    def _reader(self, node: Node, op: nodes.Reader) -> None:
        where, (out, *others), columns = (self.program, self.step), node.outputs, self._columns(node, op)
        target = self.buffers[out]
        match op:
            case nodes.LatentAppend(_, append, norm, nope):
                q, kv = columns
                ops.latent_append(*where, Latents(q, kv, norm, nope), target, append, out.rows)
            case nodes.LinearHeads(_, matrix, product):
                product = replace(product, x_bytes=self.x_bytes)
                ops.linear_heads(*where, columns[0], matrix, target, product, out.rows)
            case nodes.CausalConv(_, taps, bias, state):
                ops.causal_conv(*where, columns[0], taps, bias, state, target)
            case nodes.LinearAttention(_, memory, rates, state, mixer, gated):
                x, gates = columns
                behind = None if gated is None else self._gates(replace(gates, first=gated.firsts[1]), gated)
                chunks = [Chunks(value.rows, self.buffers[value]) for value in others]
                remembered = Remembered(memory, rates, state, *chunks)
                ops.linear_attention(*where, x, gates, remembered, target, mixer, behind)
            case nodes.SelectiveScan(_, sizes, rates, state):
                ops.selective_scan(*where, Selected(*columns), Channels(*sizes, rates, state), target)
            case nodes.Wkv7(_, heads, constants, state):
                ops.wkv7(*where, Received(*columns), Wkv(heads, constants, state), target)
            case nodes.GatedNorm():
                x, gates = columns
                ops.gated_norm(*where, x.buffer, self._gates(gates, op), target, out.rows)

    def _gates(self, gate: Columns, op: nodes.GatedNorm) -> Gates:
        return Gates(gate, op.norm, op.before, op.activation)

    def _columns(self, node: Node, op: nodes.Reader) -> list[Columns]:
        pairs = zip(node.inputs, op.firsts, strict=True)
        return [Columns(self.buffers[value], value.width, first) for value, first in pairs]

    def _experts(self, node: Node) -> None:
        where, out, (x, *_) = (self.program, self.step), self.buffers[node.outputs[0]], node.inputs
        match node.op:
            case nodes.Route(routing, favour):
                gates = self.buffers[node.outputs[1]]
                ops.route(*where, self.buffers[x], out, gates, routing, x.rows, favour)
            case nodes.Group(experts, size):
                ops.group_experts(*where, self.buffers[x], self._groups(node.outputs, size), experts, x.width)
            case nodes.LinearExperts(matrix, product, size):
                chosen = self._groups(node.inputs[1:], size) if size else self.buffers[node.inputs[1]]
                rows = node.outputs[0].rows // product.slots
                product = replace(product, x_bytes=self.x_bytes)
                ops.linear_experts(*where, self.buffers[x], matrix, chosen, out, product, rows)

    def _groups(self, values: tuple[Value, ...], size: int) -> Groups:
        tiles, order = values
        return Groups(self.buffers[tiles], self.buffers[order], size, tiles.rows)

    def _arithmetic(self, node: Node) -> None:
        """The arithmetic of views, whatever the step."""
        program, (out,), views = self.program, node.outputs, [self._view(value) for value in node.inputs]
        target = self._view(out)
        match node.op:
            case nodes.ScaleQueries(weights, heads):
                queries = View.of(target.buffer, out.rows * heads.heads, heads.head_dim)
                for weight in range(2):
                    assign(program, "mul", queries, View.of(weights, 2, heads.head_dim)[weight : weight + 1])
            case nodes.Mix():
                gates, values = node.inputs
                ops.gemm(
                    program,
                    View.of(self.buffers[gates], out.rows, 1, gates.width),
                    View.of(self.buffers[values], out.rows, gates.width, out.width),
                    View.of(target.buffer, out.rows, 1, out.width),
                    accumulate=node.onto is not None,
                )
            case nodes.TokenGate(vector):
                products = View.of(target.buffer, out.rows, 1)
                ops.gemm(program, views[0], View.of(vector, node.inputs[0].width, 1), products)
                ops.unary(program, "sigmoid", target, target)
            case nodes.Magnitude():
                ops.reduce(program, "squared_norm", views[0], target[:, 0])
                ops.unary(program, "scale", target, target, 1 / node.inputs[0].width)
                ops.unary(program, "sqrt", target, target)
            case nodes.Unary(function, a, b):
                ops.unary(program, function, views[0], target, a, b)
            case nodes.Scale(vector, size):
                factors = View.of(vector, 1, size).broadcast(out.rows, out.width)
                ops.binary(program, "mul", views[0], factors, target)
            case nodes.Binary(operation):
                # What is added may be as wide as a part of the other; a factor may have a single element.
                width = min(value.width for value in node.inputs) if operation == "add" else out.width
                x, y, parts = (self._parts(value, min(value.width, width)) for value in (*node.inputs, out))
                ops.binary(program, operation, x, y, parts)
            case nodes.Slice(first):
                assign(program, "copy", target, views[0][:, first : first + out.width])
            case nodes.Concat():
                first = 0
                for view in views:
                    width = view.shape[1]
                    assign(program, "copy", target[:, first : first + width], view)
                    first += width
            case nodes.Copy():
                assign(program, "copy", target, views[0])
            case op:
                raise AssertionError(f"nothing does {op}")

    def _view(self, value: Value) -> View:
        return View.of(self.buffers[value], value.rows, value.width)

    def _parts(self, value: Value, width: int) -> View:
        return View.of(self.buffers[value], value.rows, value.width // width, width)
