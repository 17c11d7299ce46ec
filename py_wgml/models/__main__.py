"""`python -m py_wgml.models FILE [TOKENS]` prints the nodes of a model's steps, as recorded and as fused.

There are two steps: of one token, and of TOKENS (512), both over the whole context. A line is a node: what it makes,
the operation with what it takes in, its weights or what it is part of, what it reads (with a `+`: what the result is
added to, or made of where it is), shape and bytes of what it makes, and its dispatches. Needs no GPU, reads no weights.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ..errors import WgmlError
from ..gguf_model.header import Header, read_header
from ..gguf_model.weights import Weights
from ..gpu.device import MAX_WORKGROUPS
from ..gpu.paper import PaperDevice
from . import plan
from .activations import Activations
from .build import State, emitter
from .cache import Cache
from .fuse import RULES, fuse
from .nodes import Linear, LinearAttention, LinearHeads, Node, Rotate, TokenShift, Value
from .record import Recorder, Step, Texts

_MANY = 512
_ROW = "{:>7} {:34} {:50} {:22} {:>14} {:>11} {:>10}"


def listing(header: Header, counts: Sequence[int]) -> Iterator[str]:
    """The lines for steps of so many tokens. Raises WgmlError as `plan` does."""
    device = PaperDevice()
    config, forward, found = plan(header)
    cache = Cache(device, found, 16, config.context_length)
    cache.grow(1)  # nothing runs
    state = State(
        config,
        Weights(device, found.matrices, found.vectors, found.scaled),
        cache,
        Activations(device),
        device.buffer(16, "step"),
        device.buffer(16, "tokens"),
    )
    for count in counts:
        texts = Texts.of(device, count) if config.pooling else None
        step = Step(count, cache.max_length, texts=texts)
        recorder = Recorder(device, config, state.weights, cache, step)
        logits = forward(recorder, config)
        for title, rules in (("recorded", ()), ("fused", RULES)):
            nodes = fuse(recorder.nodes, [logits], device, rules)
            yield from _table(
                f"A step of {count} {'token' if count == 1 else 'tokens'}, {title}", nodes, logits, device, state
            )
        fused = len(nodes)
        for rule in RULES:
            others = [other for other in RULES if other is not rule]
            saved = len(fuse(recorder.nodes, [logits], device, others)) - fused
            if saved:
                yield f"{rule.name} saves {saved} nodes, and {rule.saves}"
        yield ""


def _table(title: str, nodes: Sequence[Node], logits: Value, device: PaperDevice, state: State) -> Iterator[str]:
    program, activations = device.program(), Activations(device)
    emit = emitter(program, replace(state, activations=activations), nodes, [logits], x_bytes=0)
    numbers: dict[Value, int] = {}
    yield title
    yield _ROW.format("makes", "operation", "of", "reads", "shape", "bytes", "dispatches")
    for node in nodes:
        before = len(program.dispatches)
        emit.emit(node)
        for value in node.outputs:
            numbers[value] = len(numbers)
        out = node.outputs[0]
        makes = " ".join(f"%{numbers[value]}" for value in node.outputs)
        inputs = [value for value in node.inputs if value is not node.onto]
        reads = [f"%{numbers[value]}" for value in inputs] + [f"+%{numbers[value]}" for value in (node.onto,) if value]
        shape, nbytes = f"[{out.rows}, {out.width}]", sum(value.nbytes for value in node.outputs)
        dispatches = len(program.dispatches) - before
        yield _ROW.format(makes, operation(node), node.name, " ".join(reads), shape, nbytes, dispatches)
    sizes = [buffer.nbytes for buffer in activations.buffers]
    kinds = f"{len(nodes)} nodes, {len(program.dispatches)} dispatches"
    yield f"{kinds}; {sum(sizes)} bytes of activations in {len(sizes)} buffers"
    yield ""


def operation(node: Node) -> str:
    """The name, with what is taken in before and after it."""
    name = type(node.op).__name__
    if isinstance(node.op, LinearAttention):
        return "CausalConv > " * bool(node.op.mixer) + name + " > GatedNorm" * bool(node.op.gated)
    if isinstance(node.op, Rotate) and node.op.norm:
        return f"QkNorm > {name}"
    if isinstance(node.op, TokenShift) and node.op.norm:
        return f"{'LayerNorm' if node.op.norm.centred else 'RmsNorm'} > {name}"
    if isinstance(node.op, LinearHeads) and node.op.product.function:
        return f"{name} > Unary"
    if not isinstance(node.op, Linear):
        return name
    fusion = node.op.fusion
    taken = ("Sum", node.op.sum), ("RmsNorm", fusion.norm), ("Merge", fusion.partials)
    before = [kind for kind, has in taken if has]
    made = ("Gate", fusion.activation), ("Rotate", fusion.append), ("Unary", fusion.function)
    after = [kind for kind, has in made if has]
    return " > ".join([*before, name, *after])


def main(arguments: list[str]) -> None:
    """Print the steps of the file that `arguments` name."""
    path, count = (*arguments, str(_MANY))[:2] if len(arguments) in (1, 2) else ("", "")
    if not (count.isascii() and count.isdigit() and len(count) < 6 and 0 < int(count) <= MAX_WORKGROUPS):
        raise SystemExit("usage: python -m py_wgml.models FILE [TOKENS]")
    try:
        for line in listing(read_header(path), (1, int(count))):
            print(line.rstrip())
    except WgmlError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main(sys.argv[1:])
