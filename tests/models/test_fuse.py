"""What fusing makes of small graphs: each rule where it applies, where it does not, and where it is left out."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from gguf import GGMLQuantizationType as Type

from py_wgml.gguf_model.weights import Matrix, Stripe
from py_wgml.gpu.paper import PaperDevice
from py_wgml.models import nodes
from py_wgml.models.__main__ import operation
from py_wgml.models.fuse import RULES, fuse
from py_wgml.models.nodes import Node, Value
from py_wgml.models.place import place
from py_wgml.ops import Append, Fusion, HeadProducts, Heads, KvCache, Memory, Norm, Partials, Shift, Taps

GPU, CPU = PaperDevice(), PaperDevice(software=True)
HEADS = Heads(4, 2, 16)
WIDTH = 64


@dataclass
class Sketch:
    """A graph under construction; each method adds a node and returns what it makes."""

    rows: int = 1
    made: list[Node] = field(default_factory=list)

    def make(self, op: nodes.Op, *inputs: Value, width: int = WIDTH, onto: Value | None = None) -> Value:
        out = Value(self.rows, width)
        self.made.append(Node(op, inputs, (out,), onto=onto))
        return out

    def start(self, width: int = WIDTH) -> Value:
        return self.make(nodes.Embed(matrix(1, width), 1.0), width=width)

    def norm(self, x: Value, last: bool = False) -> Value:
        self.rows = 1 if last else self.rows
        return self.make(nodes.RmsNorm(Norm(buffer(x.width), x.width, 1e-5), last), x, width=x.width)

    def linear(
        self,
        x: Value,
        width: int = WIDTH,
        bias: bool = False,
        stripes: int = 1,
        type: Type = Type.F32,
        scale: bool = False,
    ) -> Value:
        fusion = Fusion(buffer(width) if bias else None, buffer(width) if scale else None)
        return self.make(nodes.Linear(matrix(width, x.width, stripes, type), fusion), x, width=width)

    def slice(self, x: Value, width: int) -> Value:
        return x if x.width == width else self.make(nodes.Slice(0), x, width=width)

    def gate(self, x: Value) -> Value:
        return self.make(nodes.Gate((0, x.width // 2), "silu"), x, x, width=x.width // 2)

    def unary(self, x: Value, a: float = 0.0) -> Value:
        return self.make(nodes.Unary("soft_cap" if a else "relu2", a), x, width=x.width)

    def heads(self, x: Value, transposed: bool = False) -> Value:
        product = HeadProducts(2, x.width // 2, x.width // 2, transposed)
        return self.make(nodes.LinearHeads((0,), matrix(x.width, x.width // 2), product), x, width=x.width)

    def add(self, x: Value, y: Value) -> Value:
        return self.make(nodes.Binary("add"), x, y, width=x.width)

    def mul(self, x: Value, y: Value) -> Value:
        return self.make(nodes.Binary("mul"), x, y, width=max(x.width, y.width))

    def shift(self, x: Value) -> Value:
        return self.make(nodes.TokenShift(Shift(buffer(WIDTH), (0, 0), buffer(WIDTH))), x, width=2 * x.width)

    def layer_norm(self, x: Value) -> Value:
        return self.make(nodes.LayerNorm(Norm(buffer(WIDTH), WIDTH, 1e-5), buffer(WIDTH), False), x)

    def rotate(self, x: Value, bits: Any = 16) -> Value:
        cache = KvCache(buffer(1024), buffer(1024), replace(HEADS, head_dim=32 if bits == 8 else 16), bits)
        return self.make(nodes.Rotate(Append(buffer(64), 16, "neox", cache)), x)

    def merge(self, splits: int = 8) -> Value:
        partials = Partials(HEADS, splits)
        return self.make(nodes.Merge(partials), self.start(partials.nbytes(1) // 4))

    def qk_norm(self, x: Value, whole: bool = False) -> Value:
        return self.make(nodes.QkNorm(None, HEADS, 1e-5, whole), x, width=x.width, onto=x)

    def scale(self, x: Value, times: bool = False) -> Value:
        op = nodes.Scale(buffer(1), 1) if times else nodes.Unary("scale", 0.5)
        return self.make(op, x, width=x.width)


def buffer(elements: int) -> Any:
    return GPU.buffer(4 * elements)


def matrix(rows: int, columns: int, stripes: int = 1, type: Type = Type.F32) -> Matrix:
    height = rows // stripes
    return Matrix(tuple(Stripe(buffer(height * columns), type, i * height, height) for i in range(stripes)), columns)


def norm_product(s: Sketch, width: int = WIDTH) -> Value:
    return s.linear(s.norm(s.start(width)))


def norm_two_products(s: Sketch) -> Value:
    h = s.norm(s.start())
    return s.mul(s.linear(h), s.linear(h))


def norm_outlived(s: Sketch) -> Value:
    """What is normed is altered before the product."""
    x = s.start()
    h = s.norm(x)
    x = s.add(x, s.linear(s.gate(s.start(2 * WIDTH))))
    return s.mul(x, s.linear(h))


def norm_of_last(s: Sketch) -> Value:
    return s.linear(s.norm(s.start(), last=True))


def residual(s: Sketch) -> Value:
    x = s.start()
    return s.add(x, s.linear(s.gate(s.start(2 * WIDTH))))


def residual_first(s: Sketch) -> Value:
    x = s.start()
    return s.add(s.linear(s.gate(s.start(2 * WIDTH))), x)


def residual_read_later(s: Sketch) -> Value:
    x = s.start()
    return s.mul(x, s.add(x, s.linear(s.gate(s.start(2 * WIDTH)))))


def residual_of_itself(s: Sketch) -> Value:
    x = s.start()
    return s.add(x, s.linear(x))


def doubled(s: Sketch) -> Value:
    y = s.linear(s.start())
    return s.add(y, y)


def narrow_residual(s: Sketch) -> Value:
    x = s.start(1)
    return s.add(s.linear(s.start()), x)


def norm_residual(s: Sketch) -> Value:
    x = s.start()
    return s.add(x, s.norm(s.linear(s.start())))


def scaled_residual(s: Sketch) -> Value:
    x = s.start()
    return s.add(x, s.scale(s.norm(s.linear(s.start()))))


def scaled_by_vector(s: Sketch) -> Value:
    return s.make(nodes.Scale(buffer(WIDTH), WIDTH), s.norm(s.start()))


def residual_product(s: Sketch, width: int = WIDTH, rows: int = WIDTH, stripes: int = 1, first: bool = True) -> Value:
    """A sum that a product takes and that is read again: after it, or before."""
    x = s.start(width)
    x = s.add(x, s.norm(s.linear(s.start(), width)))
    if first:
        return s.mul(s.linear(s.norm(x), rows, stripes=stripes), s.slice(x, rows))
    y = s.mul(x, x)
    return s.mul(s.linear(s.norm(x)), y)


def residual_normed_gated_apart(s: Sketch) -> Value:
    """For which there are too many buffers."""
    values = s.start()
    x = s.scale(norm_residual(s), True)
    return s.add(x, s.make(nodes.Gate((0, 0), "gelu"), s.linear(s.norm(x)), values))


def gate_by_columns(s: Sketch) -> Value:
    values = s.start(2 * WIDTH)
    return s.make(nodes.Gate((0, 0), "gelu"), s.linear(s.start()), s.slice(values, WIDTH))


def gate_of_product(s: Sketch) -> Value:
    return s.make(nodes.Gate((0, 0), "gelu"), s.start(), s.linear(s.start()))


def residual_gated_apart(s: Sketch) -> Value:
    values = s.start()
    x = s.scale(norm_residual(s), True)
    return s.add(x, s.make(nodes.Gate((0, 0), "gelu"), s.linear(x), values))


def layer_norm_residual(s: Sketch) -> Value:
    x = s.start()
    return s.add(x, s.layer_norm(s.start()))


def mix(s: Sketch) -> Value:
    x, gates, values = s.start(), s.start(2), s.start()
    return s.add(x, s.make(nodes.Mix(), gates, values))


def scaled(s: Sketch, width: int = 1) -> Value:
    x, gate, value = s.start(), s.start(width), s.start()
    return s.add(x, s.mul(value, gate))


def qk_norm_of_shared(s: Sketch) -> Value:
    x = s.start(HEADS.qkv_width)
    return s.mul(x, s.qk_norm(x))


def normed_qkv(s: Sketch, type: Type = Type.F32, scale: bool = False) -> Value:
    return s.rotate(s.linear(s.norm(s.start(256)), 128, bias=True, type=type, scale=scale))


def normed_heads(s: Sketch, whole: bool = False, bits: int = 16) -> Value:
    return s.rotate(s.qk_norm(s.linear(s.start(), HEADS.qkv_width), whole), bits)


def gated_residual(s: Sketch) -> Value:
    return s.add(s.start(), s.gate(s.linear(s.start(), 2 * WIDTH)))


MEMORY = Memory(2, 2, 16, 32, delta=True)  # 64 queries and keys, 64 values, 4 rates


def remembered(s: Sketch, memory: Memory = MEMORY, parts: int = 2, apart: bool = False) -> Value:
    """A recurrence as families write it. apart: its rates and gates come from another product."""
    sizes = sum(memory.widths), memory.width, 4
    h = s.linear(s.start(), sum(sizes))
    other = s.linear(s.start(), sum(sizes)) if apart else h
    qkv, gates, rates = (
        s.make(nodes.Slice(sum(sizes[:i])), whole, width=sizes[i]) for i, whole in enumerate((h, other, other))
    )
    mixed = s.make(nodes.CausalConv((0,), Taps(buffer(1), sizes[0], 4), None, buffer(1)), qkv, width=sizes[0])
    op = nodes.LinearAttention((0, 0), memory, buffer(1), buffer(1))
    found = s.make(op, mixed, rates, width=memory.width)
    norm = nodes.GatedNorm((0, 0), Norm(buffer(1), memory.width // parts, 1e-5, parts), False, "silu")
    return s.make(norm, found, gates, width=memory.width)


def normed_columns(s: Sketch, first: int = 0) -> Value:
    return s.linear(s.norm(s.make(nodes.Slice(first), s.start(2 * WIDTH))))


def unread(s: Sketch) -> Value:
    s.gate(s.start())
    s.linear(s.start())
    s.rotate(s.start(HEADS.qkv_width))
    return s.start()


N, L, G, A, M = "RmsNorm", "Linear", "Gate", "Binary", "Merge"
F, H, T = "Unary", "LinearHeads", "TokenShift"
C, R, D = "CausalConv", "LinearAttention", "GatedNorm"

# name: the rules it takes, the graph, rows, device; what it becomes without its embeddings, `+`: in another's place
TABLE = {
    "norm": ("norm into product", norm_product, 1, GPU, f"{N} > {L}"),
    "norm, many tokens": ("", norm_product, 16, GPU, f"{N}, {L}"),
    "norm, software": ("", norm_product, 1, CPU, f"{N}, {L}"),
    "norm, odd width": ("", lambda s: norm_product(s, 60), 1, GPU, f"{N}, {L}"),
    "norm, read twice": ("", norm_two_products, 1, GPU, f"{N}, {L}, {L}, {A}"),
    "norm, its input altered": ("sum into product", norm_outlived, 1, GPU, f"{N}, {G}, +{L}, {L}, {A}"),
    "norm, normed": ("norm into product", lambda s: s.linear(s.norm(s.norm(s.start()))), 1, GPU, f"{N}, {N} > {L}"),
    "norm, of a norm's sum": (
        "sum into norm, residual into product", lambda s: s.linear(norm_residual(s)), 1, GPU, f"{L}, Sum > {L}"
    ),
    "residual": (
        "sum into norm, residual into product, norm into product", residual_product, 1, GPU,
        f"{L}, Sum > {N} > {L}, {A}",
    ),
    "residual, many tokens": ("sum into norm", residual_product, 16, GPU, f"{L}, +{N}, {N}, {L}, {A}"),
    "residual, software": ("sum into norm", residual_product, 1, CPU, f"{L}, +{N}, {N}, {L}, {A}"),
    "residual, too long": (
        "sum into norm, norm into product", lambda s: residual_product(s, 4096), 1, GPU,
        f"{L}, +{N}, {N} > {L}, Slice, {A}",
    ),
    "residual, many workgroups": (
        "sum into norm, norm into product", lambda s: residual_product(s, 512, 1 << 18, 8), 1, GPU,
        f"{L}, +{N}, {N} > {L}, Slice, {A}",
    ),
    "residual, read before": (
        "sum into norm, norm into product", lambda s: residual_product(s, first=False), 1, GPU,
        f"{L}, +{N}, {A}, {N} > {L}, {A}",
    ),
    "residual, gated by others": (
        "sum into norm, scale into norm, residual into product, gate into product", residual_gated_apart, 1, GPU,
        f"{L}, Sum > {L} > {G}, {A}",
    ),
    "residual, normed and gated by others": (
        "sum into norm, scale into norm, residual into product, norm into product", residual_normed_gated_apart, 1, GPU,
        f"{L}, Sum > {N} > {L}, {G}, {A}",
    ),
    "residual, rotated": (
        "sum into norm, residual into product", lambda s: s.rotate(s.linear(norm_residual(s), 128)), 1, GPU,
        f"{L}, Sum > {L}, Rotate",
    ),
    "gate, by columns of others": (
        "gate into product, columns into reader", gate_by_columns, 1, GPU, f"{L} > {G}"
    ),
    "gate, of values that are a product": ("", gate_of_product, 1, GPU, f"{L}, {G}"),
    "norm, the last of many": ("", norm_of_last, 16, GPU, f"{N}, {L}"),
    "norm, the first columns": (
        "first columns into norm, norm into product", normed_columns, 1, GPU, f"{N} > {L}"
    ),
    "norm, the first columns of many tokens": ("", normed_columns, 16, GPU, f"Slice, {N}, {L}"),
    "norm, other columns": ("norm into product", lambda s: normed_columns(s, WIDTH), 1, GPU, f"Slice, {N} > {L}"),
    "merge": ("merge into product", lambda s: s.linear(s.merge()), 1, GPU, f"{M} > {L}"),
    "merge, odd splits": ("", lambda s: s.linear(s.merge(7)), 1, GPU, f"{M}, {L}"),
    "merge, many workgroups": ("", lambda s: s.linear(s.merge(32), 1 << 17), 1, GPU, f"{M}, {L}"),
    "merge, normed": ("norm into product", lambda s: s.linear(s.norm(s.merge())), 1, GPU, f"{M}, {N} > {L}"),
    "gate": ("gate into product", lambda s: s.gate(s.linear(s.start())), 1, GPU, f"{L} > {G}"),
    "gate, many tokens": ("", lambda s: s.gate(s.linear(s.start())), 2, GPU, f"{L}, {G}"),
    "gate, bias": ("", lambda s: s.gate(s.linear(s.start(), bias=True)), 1, GPU, f"{L}, {G}"),
    "gate, scale": ("gate into product", lambda s: s.gate(s.linear(s.start(), scale=True)), 1, GPU, f"{L} > {G}"),
    "gate, two stripes": ("", lambda s: s.gate(s.linear(s.start(), stripes=2)), 1, GPU, f"{L}, {G}"),
    "gate, of a sum": ("sum into product", lambda s: s.gate(residual(s)), 1, GPU, f"{G}, +{L}, {G}"),
    "gate, gated": ("gate into product", lambda s: s.gate(s.gate(s.linear(s.start()))), 1, GPU, f"{L} > {G}, {G}"),
    "gate, rotated": (
        "rotation into product", lambda s: s.gate(s.rotate(s.linear(s.start(), 128))), 1, GPU, f"{L} > Rotate, {G}"
    ),
    "function": ("function into product", lambda s: s.unary(s.linear(s.start())), 1, GPU, f"{L} > {F}"),
    "function, many tokens": ("", lambda s: s.unary(s.linear(s.start())), 2, GPU, f"{L}, {F}"),
    "function, bias and norm": (
        "norm into product, function into product",
        lambda s: s.unary(s.linear(s.norm(s.start()), bias=True)), 1, GPU, f"{N} > {L} > {F}",
    ),
    "function, with a parameter": ("", lambda s: s.unary(s.linear(s.start()), 30.0), 1, GPU, f"{L}, {F}"),
    "function, of a function": (
        "function into product", lambda s: s.unary(s.unary(s.linear(s.start()))), 1, GPU, f"{L} > {F}, {F}"
    ),
    "function, of a sum": ("sum into product", lambda s: s.unary(residual(s)), 1, GPU, f"{G}, +{L}, {F}"),
    "function, then a sum": (
        "function into product", lambda s: s.add(s.start(), s.unary(s.linear(s.start()))), 1, GPU, f"{L} > {F}, {A}"
    ),
    "function, of gates": (
        "function into product", lambda s: s.gate(s.unary(s.linear(s.start()))), 1, GPU, f"{L} > {F}, {G}"
    ),
    "function, of what is gated": (
        "gate into product", lambda s: s.unary(s.gate(s.linear(s.start()))), 1, GPU, f"{L} > {G}, {F}"
    ),
    "function, of heads": (
        "function into product", lambda s: s.unary(s.unary(s.heads(s.start()))), 1, GPU, f"{H} > {F}, {F}"
    ),
    "function, of heads of many tokens": ("", lambda s: s.unary(s.heads(s.start())), 2, GPU, f"{H}, {F}"),
    "function, of transposed heads": ("", lambda s: s.unary(s.heads(s.start(), True)), 1, GPU, f"{H}, {F}"),
    "rotation": ("rotation into product", lambda s: s.rotate(s.linear(s.start(), 128)), 1, GPU, f"{L} > Rotate"),
    "rotation, bias": (
        "rotation into product",
        lambda s: s.rotate(s.linear(s.start(), 128, bias=True)),
        1,
        GPU,
        f"{L} > Rotate",
    ),
    "rotation, many tokens": ("", lambda s: s.rotate(s.linear(s.start(), 128)), 9, GPU, f"{L}, Rotate"),
    "rotation, merged": (
        "merge into product", lambda s: s.rotate(s.linear(s.merge(), 128)), 1, GPU, f"{M} > {L}, Rotate"
    ),
    "rotation, 8 bits": ("", lambda s: s.rotate(s.linear(s.start(), 256), 8), 1, GPU, f"{L}, Rotate"),
    "rotation, norm and bias": (
        "norm into product, rotation into product", normed_qkv, 1, GPU, f"{N} > {L} > Rotate"
    ),
    "rotation, no bindings left": (
        "norm into product", lambda s: normed_qkv(s, Type.IQ2_S), 1, GPU, f"{N} > {L}, Rotate"
    ),
    "rotation, norm, bias and scale": (
        "norm into product", lambda s: normed_qkv(s, scale=True), 1, GPU, f"{N} > {L}, Rotate"
    ),
    "rotation, heads cut": ("", lambda s: s.rotate(s.linear(s.start(), 128, stripes=16)), 1, GPU, f"{L}, Rotate"),
    "rotation, normed heads": ("norm into rotation", normed_heads, 1, GPU, f"{L}, QkNorm > Rotate"),
    "rotation, normed heads, many tokens": ("norm into rotation", normed_heads, 9, CPU, f"{L}, QkNorm > Rotate"),
    "rotation, heads normed as a whole": ("", lambda s: normed_heads(s, True), 1, GPU, f"{L}, +QkNorm, Rotate"),
    "rotation, normed heads, 8 bits": ("", lambda s: normed_heads(s, bits=8), 1, GPU, f"{L}, +QkNorm, Rotate"),
    "sum": ("sum into product", residual, 1, GPU, f"{G}, +{L}"),
    "sum, many tokens": ("sum into product", residual, 16, GPU, f"{G}, +{L}"),
    "sum, the other way": ("sum into product", residual_first, 1, GPU, f"{G}, +{L}"),
    "sum, read later": ("", residual_read_later, 1, GPU, f"{G}, {L}, {A}, {A}"),
    "sum, of the product's own": ("", residual_of_itself, 1, GPU, f"{L}, {A}"),
    "sum, with itself": ("", doubled, 1, GPU, f"{L}, {A}"),
    "sum, narrow": ("", narrow_residual, 1, GPU, f"{L}, {A}"),
    "sum, gated": ("gate into product", gated_residual, 1, GPU, f"{L} > {G}, {A}"),
    "sum, rotated": (
        "rotation into product", lambda s: s.add(s.start(), s.rotate(s.linear(s.start(), 128))), 1, GPU,
        f"{L} > Rotate, {A}",
    ),
    "sum, twice": ("sum into product", lambda s: s.add(s.start(), residual(s)), 1, GPU, f"{G}, +{L}, {A}"),
    "norm's sum": ("sum into norm", norm_residual, 1, GPU, f"{L}, +{N}"),
    "norm's sum, many tokens": ("sum into norm", norm_residual, 16, GPU, f"{L}, +{N}"),
    "norm, scaled": (
        "scale into norm", lambda s: s.scale(s.scale(s.norm(s.start()), True)), 16, GPU, N
    ),
    "norm, scaled by two buffers": (
        "scale into norm", lambda s: s.scale(s.scale(s.norm(s.start()), True), True), 1, GPU, f"{N}, Scale"
    ),
    "norm, scaled by a vector": ("", scaled_by_vector, 1, GPU, f"{N}, Scale"),
    "norm's sum, scaled": (
        "sum into norm, scale into norm", lambda s: s.scale(norm_residual(s), True), 1, GPU, f"{L}, +{N}"
    ),
    "norm, scaled, then a sum": ("scale into norm", scaled_residual, 1, GPU, f"{L}, {N}, {A}"),
    "norm, scaled, then a product": (
        "scale into norm", lambda s: s.linear(s.scale(s.norm(s.start()))), 1, GPU, f"{N}, {L}"
    ),
    "layer norm's sum": ("", layer_norm_residual, 1, GPU, f"LayerNorm, {A}"),
    "mixture": ("sum into mixture", mix, 1, GPU, "+Mix"),
    "scale": ("scale into sum", scaled, 16, GPU, "+Mix"),
    "scale, elementwise": ("", lambda s: scaled(s, WIDTH), 16, GPU, f"{A}, {A}"),
    "memory": (
        "columns into reader, convolution into recurrence, recurrence into norm",
        remembered, 1, GPU, f"{L}, {C} > {R} > {D}",
    ),
    "memory, software": (
        "columns into reader, convolution into recurrence, recurrence into norm",
        remembered, 1, CPU, f"{L}, {C} > {R} > {D}",
    ),
    "memory, many tokens": ("columns into reader", remembered, 16, GPU, f"{L}, {C}, {R}, {D}"),
    "memory, a norm of all heads": (
        "columns into reader, convolution into recurrence",
        lambda s: remembered(s, parts=1), 1, GPU, f"{L}, {C} > {R}, {D}",
    ),
    "memory, two products": (
        "columns into reader", lambda s: remembered(s, apart=True), 1, GPU, f"{L}, {L}, {C}, {R}, {D}"
    ),
    "memory, long values": (
        "columns into reader", lambda s: remembered(s, replace(MEMORY, values=512)), 1, GPU, f"{L}, {C}, {R}, {D}"
    ),
    "shift": ("norm into shift", lambda s: s.shift(s.layer_norm(s.start())), 1, GPU, f"LayerNorm > {T}"),
    "shift, RmsNorm": ("norm into shift", lambda s: s.shift(s.norm(s.start())), 1, GPU, f"{N} > {T}"),
    "shift, many tokens": ("", lambda s: s.shift(s.layer_norm(s.start())), 2, GPU, f"LayerNorm, {T}"),
    "shift, software": ("", lambda s: s.shift(s.norm(s.start())), 1, CPU, f"{N}, {T}"),
    "shift, of a norm's sum": ("sum into norm", lambda s: s.shift(norm_residual(s)), 1, GPU, f"{L}, +{N}, {T}"),
    "shift, normed twice": (
        "norm into shift", lambda s: s.shift(s.norm(s.layer_norm(s.start()))), 1, GPU, f"LayerNorm, {N} > {T}"
    ),
    "in place, read later": ("", qk_norm_of_shared, 1, GPU, f"Copy, +QkNorm, {A}"),
    "unread": ("", unread, 1, GPU, "Rotate"),
}  # fmt: skip


def shown(graph: Callable[[Sketch], Value], rows: int, device: PaperDevice, rules: Any = RULES) -> str:
    sketch = Sketch(rows)
    wanted = graph(sketch)
    fused = fuse(sketch.made, [wanted], device, rules)
    place(fused, [wanted])  # reads only what is there
    return ", ".join("+" * (n.onto is not None) + operation(n) for n in fused if not isinstance(n.op, nodes.Embed))


@pytest.mark.parametrize(("rules", "graph", "rows", "device", "expected"), TABLE.values(), ids=TABLE)
def test_rules(rules: str, graph: Callable[[Sketch], Value], rows: int, device: PaperDevice, expected: str) -> None:
    assert shown(graph, rows, device) == expected
    for rule in RULES:
        others = [other for other in RULES if other is not rule]
        assert (shown(graph, rows, device, others) == expected) == (rule.name not in rules), rule.name


def test_what_is_asked_for_is_kept() -> None:
    """Neither taken in by what reads it, nor written over."""
    s = Sketch()
    x = s.start()
    product = s.linear(s.start())
    total = s.add(x, product)
    for outputs in ([product, total], [x, total]):
        kept = [node for node in fuse(s.made, outputs, GPU) if not isinstance(node.op, nodes.Embed)]
        assert [operation(node) for node in kept] == [L, A]
        assert kept[1].onto is None


def test_every_rule_is_in_the_table() -> None:
    assert all(any(rule.name in row[0] for row in TABLE.values()) for rule in RULES)
