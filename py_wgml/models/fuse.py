"""The second pass: nodes take in what comes before them, by a list of rules.

A rule is about a node and one that makes a value for it, and in most of them for nobody else. The merged node stands
where the later of the two stood, so that all it reads must last until then.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..gpu import Device
from ..ops import HeadNorm, Mixer, NormBefore, can_append, can_gate, can_gate_heads, can_merge, can_norm, can_sum
from ..ops.linear_attention import MAX_VALUES
from .nodes import (
    Binary,
    CausalConv,
    Copy,
    Gate,
    GatedNorm,
    LayerNorm,
    Linear,
    LinearAttention,
    LinearHeads,
    Merge,
    Mix,
    Node,
    QkNorm,
    Reader,
    RmsNorm,
    Rotate,
    Scale,
    Slice,
    TokenShift,
    Unary,
    Value,
)


@dataclass(frozen=True)
class Around:
    """What a rule may want to know beside the two nodes: the GPU, and which node reads a value `last`; the later of the
    two is number `index`."""

    device: Device
    last: Mapping[Value, int]
    index: int

    def is_last(self, value: Value) -> bool:
        """Whether nobody reads the value after the later node."""
        return self.last[value] == self.index


@dataclass(frozen=True)
class Rule:
    """One way to make one node of two. merge: the earlier and the later node -> one that does the work of both; None
    where the rule does not apply. saves: what that is good for, beside a dispatch. keeps: the value between the two may
    have other readers, after the later node; it is made for them too."""

    name: str
    saves: str
    merge: Callable[[Node, Node, Around], Node | None]
    keeps: bool = False


def _norm_into_product(norm: Node, product: Node, around: Around) -> Node | None:
    """Fusion for a single token: each workgroup makes the norm for itself, which is in vain where the GPU is a CPU."""
    if not (isinstance(norm.op, RmsNorm) and isinstance(product.op, Linear)):
        return None
    x, fusion = norm.inputs[0], product.op.fusion
    if product.op.sum or norm.onto or not norm.op.norm.is_plain:
        return None
    if x.rows > 1 or norm.op.norm.columns % 8 or around.device.info.software or fusion.norm:
        return None
    return replace(product, op=replace(product.op, fusion=replace(fusion, norm=norm.op.norm)), inputs=(x,))


def _norm_into_shift(norm: Node, shift: Node, around: Around) -> Node | None:
    """Fusion for a single token: each workgroup makes the norm for itself, which is in vain where the GPU is a CPU."""
    if not isinstance(shift.op, TokenShift) or shift.op.norm or norm.inputs[0].rows > 1 or around.device.info.software:
        return None
    match norm.op:
        case LayerNorm(how, bias, _):
            before = NormBefore(how, bias)
        case RmsNorm(how, _) if how.is_plain and not norm.onto:
            before = NormBefore(how, centred=False)
        case _:
            return None
    return replace(shift, op=replace(shift.op, norm=before), inputs=norm.inputs)


def _residual_into_product(norm: Node, product: Node, around: Around) -> Node | None:
    """Fusion for a single token: each workgroup makes the sum of a norm for itself, and one of them also for others to
    read; where that costs them less than a dispatch (`can_sum`)."""
    if not (isinstance(norm.op, RmsNorm) and isinstance(product.op, Linear)) or not _is_plain_vector(product):
        return None
    how, fusion = norm.op.norm, product.op.fusion
    if norm.onto is None or product.op.sum or norm.op.last or around.device.info.software:
        return None
    if not can_sum(around.device, product.op.matrix, how, fusion):
        return None
    inputs, outputs = (*norm.inputs, norm.onto, *product.inputs[1:]), (*product.outputs, *norm.outputs)
    return replace(product, op=replace(product.op, sum=how), inputs=inputs, outputs=outputs)


def _merge_into_product(merge: Node, product: Node, around: Around) -> Node | None:
    """Fusion for a single token, where putting the partials together costs the product's workgroups less than a
    dispatch."""
    if not (isinstance(merge.op, Merge) and isinstance(product.op, Linear)):
        return None
    fusion, partials = product.op.fusion, merge.op.partials
    if product.op.sum or fusion.norm or fusion.append or not can_merge(around.device, product.op.matrix, partials):
        return None
    return replace(product, op=replace(product.op, fusion=replace(fusion, partials=partials)), inputs=merge.inputs)


def _gate_into_product(product: Node, gate: Node, around: Around) -> Node | None:
    """Fusion for a single token, with gates and values in one buffer, or values that are there already; without a
    bias."""
    if not (isinstance(product.op, Linear) and isinstance(gate.op, Gate)) or not _is_plain_vector(product):
        return None
    fusion, (gates, values), matrix = product.op.fusion, gate.inputs, product.op.matrix
    apart = values is not gates
    if fusion.bias or gates is not product.outputs[0] or gate.op.firsts[0]:
        return None
    if not apart and not (gate.op.firsts[1] == matrix.rows // 2 and can_gate(matrix)):
        return None
    if apart and product.op.sum and not can_sum(around.device, matrix, product.op.sum, fusion, apart=True):
        return None
    op = replace(product.op, fusion=replace(fusion, activation=gate.op.activation))
    op = replace(op, first=gate.op.firsts[1] if apart else None)
    inputs = (*product.inputs, values) if apart else product.inputs
    return replace(product, op=op, inputs=inputs, outputs=(*gate.outputs, *product.outputs[1:]))


def _function_into_product(product: Node, unary: Node, around: Around) -> Node | None:
    """Fusion for a single token, of a function without parameters."""
    if not isinstance(unary.op, Unary) or unary.op.a or unary.op.b or product.outputs[0].rows > 1 or product.onto:
        return None
    op, function = product.op, unary.op.function
    match op:
        case Linear(_, fusion) if _is_plain_vector(product):
            op = replace(op, fusion=replace(fusion, function=function))
        case LinearHeads(_, _, how) if not (how.transposed or how.function):
            op = replace(op, product=replace(how, function=function))
        case _:
            return None
    return replace(product, op=op, outputs=(*unary.outputs, *product.outputs[1:]))


def _norm_into_rotation(norm: Node, rotate: Node, around: Around) -> Node | None:
    """Heads that are normed each by itself, on their way to a cache that can be written so (`can_norm`)."""
    if not (isinstance(norm.op, QkNorm) and isinstance(rotate.op, Rotate)) or rotate.op.norm:
        return None
    if norm.op.whole or not can_norm(rotate.op.append):
        return None
    how = HeadNorm(norm.op.weights, norm.op.eps, norm.op.values)
    return replace(rotate, op=replace(rotate.op, norm=how), inputs=norm.inputs)


def _rotation_into_product(product: Node, rotate: Node, around: Around) -> Node | None:
    """Fusion for a single token, where an invocation has the elements that it rotates (`can_append`)."""
    if not (isinstance(product.op, Linear) and isinstance(rotate.op, Rotate)) or not _is_plain_vector(product):
        return None
    fusion, append = product.op.fusion, rotate.op.append
    if rotate.op.norm or product.op.sum or fusion.partials or not can_append(product.op.matrix, append, fusion):
        return None
    outputs = (*rotate.outputs, *product.outputs[1:])
    return replace(product, op=replace(product.op, fusion=replace(fusion, append=append)), outputs=outputs)


def _is_plain_vector(product: Node) -> bool:
    """Whether it is a product with a single token that nothing has been made of yet."""
    assert isinstance(product.op, Linear)
    fusion = product.op.fusion
    after = fusion.activation or fusion.append or fusion.function
    return product.outputs[0].rows == 1 and not (product.onto or after)


def _columns_into_reader(part: Node, reader: Node, around: Around) -> Node | None:
    """The reader takes them from where they are."""
    if not isinstance(part.op, Slice):
        return None
    (wanted,), (whole,) = part.outputs, part.inputs
    if isinstance(reader.op, Linear) and reader.op.first is not None and reader.inputs[-1] is wanted:
        first = reader.op.first + part.op.first
        return replace(reader.reading(whole, instead_of=wanted), op=replace(reader.op, first=first))
    if not isinstance(reader.op, Reader):
        return None
    index = reader.inputs.index(wanted)
    if isinstance(reader.op, GatedNorm) and index == 0:
        return None
    firsts = tuple(first + part.op.first * (i == index) for i, first in enumerate(reader.op.firsts))
    return replace(reader.reading(whole, instead_of=wanted), op=replace(reader.op, firsts=firsts))


def _first_columns_into_norm(part: Node, norm: Node, around: Around) -> Node | None:
    """Of a single token they lie where the norm reads them."""
    if not (isinstance(part.op, Slice) and isinstance(norm.op, RmsNorm)) or norm.op.norm.parts > 1:
        return None
    (whole,) = part.inputs
    return replace(norm, inputs=(whole,)) if whole.rows == 1 and part.op.first == 0 else None


def _conv_into_recurrence(conv: Node, recurrence: Node, around: Around) -> Node | None:
    """Fusion for a single token: each head makes the channels that it reads."""
    if not (isinstance(conv.op, CausalConv) and isinstance(recurrence.op, LinearAttention)):
        return None
    (whole,), op = conv.inputs, recurrence.op
    if whole.rows > 1 or recurrence.inputs[1] is not whole or op.memory.values > MAX_VALUES:
        return None
    mixer = Mixer(conv.op.taps, conv.op.bias, conv.op.state)
    op = replace(op, firsts=(conv.op.firsts[0], op.firsts[1]), mixer=mixer)
    return replace(recurrence, op=op, inputs=(whole, whole))


def _recurrence_into_norm(recurrence: Node, norm: Node, around: Around) -> Node | None:
    """Fusion for a single token, where each head is normed by itself."""
    if not (isinstance(recurrence.op, LinearAttention) and isinstance(norm.op, GatedNorm)) or not recurrence.op.mixer:
        return None
    op, whole = norm.op, norm.inputs[1]
    if recurrence.inputs[0] is not whole or not can_gate_heads(recurrence.op.memory, op.norm):
        return None
    return replace(recurrence, op=replace(recurrence.op, gated=op), outputs=norm.outputs)


def _sum_into_product(product: Node, add: Node, around: Around) -> Node | None:
    """The product is added where the other value is, which nobody needs any more."""
    if not isinstance(product.op, Linear):
        return None
    fusion = product.op.fusion
    if fusion.activation or fusion.append or fusion.function:
        return None
    return _onto_other(product, add, around)


def _sum_into_norm(norm: Node, add: Node, around: Around) -> Node | None:
    """The norm is added where the other value is, which nobody needs any more."""
    if not isinstance(norm.op, RmsNorm) or norm.op.norm.factor != 1 or norm.op.norm.times:
        return None
    return _onto_other(norm, add, around)


def _sum_into_mixture(mix: Node, add: Node, around: Around) -> Node | None:
    """The experts' results are added where the other value is, which nobody needs any more."""
    return _onto_other(mix, add, around) if isinstance(mix.op, Mix) else None


def _scale_into_sum(mul: Node, add: Node, around: Around) -> Node | None:
    """A value times a number a token is a mixture of one, and added like that."""
    if not (isinstance(mul.op, Binary) and mul.op.operation == "mul"):
        return None
    gate, value = sorted(mul.inputs, key=lambda value: value.width)
    return _onto_other(replace(mul, op=Mix(), inputs=(gate, value)), add, around) if gate.width == 1 else None


def _scale_into_norm(norm: Node, scale: Node, around: Around) -> Node | None:
    """A number that the rows are multiplied by, with what they are added to."""
    if not isinstance(norm.op, RmsNorm):
        return None
    how = norm.op.norm
    match scale.op:
        case Unary("scale", a, _):
            how = replace(how, factor=how.factor * a)
        case Scale(vector, 1) if how.times is None:
            how = replace(how, times=vector)
        case _:
            return None
    return replace(norm, op=replace(norm.op, norm=how), outputs=scale.outputs)


def _onto_other(maker: Node, add: Node, around: Around) -> Node | None:
    if not (isinstance(add.op, Binary) and add.op.operation == "add") or maker.onto or len(maker.outputs) > 1:
        return None
    (value,) = maker.outputs
    others = [other for other in add.inputs if other is not value]
    if not others:
        return None
    (other,) = others
    if not around.is_last(other) or other in maker.inputs or (other.rows, other.width) != (value.rows, value.width):
        return None
    return replace(maker, outputs=add.outputs, onto=other)


RULES = (
    Rule("norm into product", "the normed row's memory", _norm_into_product),
    Rule("norm into shift", "the normed row's memory", _norm_into_shift),
    Rule("residual into product", "nothing else", _residual_into_product, keeps=True),
    Rule("merge into product", "the merged heads' memory", _merge_into_product),
    Rule("gate into product", "the ungated row's memory", _gate_into_product),
    Rule("function into product", "the row's memory before it", _function_into_product),
    Rule("norm into rotation", "nothing else", _norm_into_rotation),
    Rule("rotation into product", "memory of queries, keys and values together", _rotation_into_product),
    Rule("first columns into norm", "the columns' memory", _first_columns_into_norm),
    Rule("columns into reader", "the columns' memory", _columns_into_reader),
    Rule("convolution into recurrence", "the mixed channels' memory", _conv_into_recurrence),
    Rule("recurrence into norm", "the ungated row's memory", _recurrence_into_norm),
    Rule("sum into product", "the product's memory", _sum_into_product),
    Rule("sum into norm", "the normed rows' memory", _sum_into_norm),
    Rule("scale into norm", "the unscaled rows' memory", _scale_into_norm),
    Rule("sum into mixture", "the mixed rows' memory", _sum_into_mixture),
    Rule("scale into sum", "the scaled rows' memory", _scale_into_sum),
)


def fuse(nodes: Sequence[Node], outputs: Iterable[Value], device: Device, rules: Sequence[Rule] = RULES) -> list[Node]:
    """The nodes that are needed for `outputs` and for the cache, merged as far as the rules allow. Where a node works
    on a value that others still read, it gets a copy."""
    outputs = tuple(outputs)
    nodes = needed(nodes, outputs)
    readers = Counter(value for node in nodes for value in {*node.reads})
    readers.update(outputs)
    last = _last_reads(nodes, outputs)
    made: list[Node | None] = []
    maker: dict[Value, int] = {}  # the place in `made`
    for index, node in enumerate(nodes):
        around = Around(device, last, index)
        while found := _merged(node, made, maker, readers, around, rules):
            earlier, node = found
            made[earlier] = None
        maker.update(dict.fromkeys(node.outputs, len(made)))
        made.append(node)
    return _apart([node for node in made if node], outputs)


def needed(nodes: Sequence[Node], outputs: Sequence[Value]) -> list[Node]:
    """The nodes that are needed for `outputs` and for the cache."""
    wanted = set(outputs)
    found: list[Node] = []
    for node in reversed(nodes):
        if node.stores or wanted.intersection(node.outputs):
            wanted.update(node.reads)
            found.append(node)
    return found[::-1]


def _merged(
    node: Node,
    made: Sequence[Node | None],
    maker: dict[Value, int],
    readers: Counter[Value],
    around: Around,
    rules: Sequence[Rule],
) -> tuple[int, Node] | None:
    """The node merged with one of those that make its inputs, and the place of that."""
    for value in node.inputs:
        earlier = made[maker[value]]
        if earlier is None:
            continue
        between = [other for other in made[maker[value] + 1 :] if other]
        if any(other.onto in earlier.reads or {*other.reads} & {*earlier.outputs} for other in between):
            continue  # what it reads would be gone, or what it makes not be there yet
        for rule in rules:
            if (rule.keeps or readers[value] == 1) and (merged := rule.merge(earlier, node, around)):
                return maker[value], merged
    return None


def _last_reads(nodes: Sequence[Node], outputs: Sequence[Value]) -> dict[Value, int]:
    last = {value: index for index, node in enumerate(nodes) for value in node.reads}
    return last | dict.fromkeys(outputs, len(nodes))


def _apart(nodes: Sequence[Node], outputs: Sequence[Value]) -> list[Node]:
    last = _last_reads(nodes, outputs)
    found: list[Node] = []
    for index, node in enumerate(nodes):
        if node.onto and last[node.onto] > index:
            own = Value(node.onto.rows, node.onto.width)
            found.append(Node(Copy(), (node.onto,), (own,)))
            node = node.reading(own, instead_of=node.onto)
        found.append(node)
    return found
