"""A step of a model, from its family's function to a Program: record, fuse, place, emit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..gguf_model.weights import Weights
from ..gpu import Buffer, Program
from ..ops import View, parts_bytes
from .activations import Activations
from .cache import Cache
from .config import Config
from .emit import Emitter
from .fuse import fuse, needed
from .graph import Graph
from .nodes import Linear, Node, Value
from .place import place
from .record import Recorder, Step

Forward = Callable[[Graph[Any], Config], Any]


@dataclass(frozen=True)
class State:
    """What the steps of a model have in common. step, tokens: buffers that its kernels read."""

    config: Config
    weights: Weights
    cache: Cache
    activations: Activations
    step: Buffer
    tokens: Buffer


class Made(NamedTuple):
    """What a step leaves to be read, until another Program of the model runs.

    logits: float32 [1 or count, vocabulary]; None: of no token. weights: of the watched layer's attention [heads,
    count, positions], 0 past those that there are; None where no layer is watched, or it does not attend.
    """

    logits: Buffer | None
    weights: View | None = None


def build(program: Program, forward: Forward, state: State, step: Step) -> Made:
    """Append a step to `program`. Returns what is asked for of it."""
    recorder = Recorder(program.device, state.config, state.weights, state.cache, step)
    logits = forward(recorder, state.config)
    watched = () if recorder.weights is None else (recorder.weights,)
    nodes = fuse(recorder.nodes, (logits, *watched), program.device)
    outputs = () if step.logits == "none" else (logits, *watched)
    if not outputs:
        # After they were merged: so its kernels are those of a step with logits, which are compiled before it runs.
        nodes = needed(nodes, outputs)
    emit = emitter(program, state, nodes, outputs, step.x_bytes)
    for node in nodes:
        emit.emit(node)
    weights = None
    for value in watched if outputs else ():
        weights = View.of(emit.buffers[value], value.rows // step.count, step.count, value.width)
    return Made(emit.buffers[logits] if outputs else None, weights)


def emitter(program: Program, state: State, nodes: Sequence[Node], outputs: Sequence[Value], x_bytes: int) -> Emitter:
    """What appends `nodes` to `program`, with memory for all that they make."""
    placement = place(nodes, outputs)
    products = [(node.op.matrix, node.outputs[0].rows) for node in nodes if isinstance(node.op, Linear)]
    parts = max((parts_bytes(program.device, *product) for product in products), default=0)
    slots = state.activations.take([*placement.sizes, parts] if parts else placement.sizes)
    buffers = {value: slots[slot] for value, slot in placement.slots.items()}
    return Emitter(program, state.step, state.tokens, buffers, x_bytes, slots[-1] if parts else None)
