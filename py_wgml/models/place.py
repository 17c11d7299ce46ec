"""The third pass: which activations share memory, by the last use of each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .nodes import Node, Value


@dataclass(frozen=True)
class Placement:
    """The slots of memory that a step takes: their sizes in bytes, the largest first, and the slot of each value."""

    sizes: tuple[int, ...]
    slots: Mapping[Value, int]


@dataclass
class _Life:
    """The nodes, from the one that makes the first of some values to the last that reads any of them, during which
    these need their memory. Each value but the first takes that of the one before it."""

    values: list[Value]
    first: int
    last: int

    @property
    def mask(self) -> int:
        """A bit for each of the nodes."""
        return (2 << self.last) - (1 << self.first)


def place(nodes: Sequence[Node], outputs: Iterable[Value] = ()) -> Placement:
    """Where to put what the nodes make. outputs: values that are read after the last of them.

    The largest values choose first, each the first slot that nobody uses while it lives. So a step takes no more slots
    of any size than values of that size live at once.
    """
    slots: dict[Value, int] = {}
    sizes: list[int] = []
    used: list[int] = []  # a mask for each slot
    for life in sorted(_lives(nodes, outputs), key=lambda life: (-life.values[0].nbytes, life.first)):
        slot = next((i for i, mask in enumerate(used) if not mask & life.mask), len(sizes))
        if slot == len(sizes):
            sizes.append(life.values[0].nbytes)
            used.append(0)
        used[slot] |= life.mask
        slots.update(dict.fromkeys(life.values, slot))
    return Placement(tuple(sizes), slots)


def _lives(nodes: Sequence[Node], outputs: Iterable[Value]) -> list[_Life]:
    lives: list[_Life] = []
    life_of: dict[Value, _Life] = {}
    for index, node in enumerate(nodes):
        for value in node.reads:
            life_of[value].last = index
        for value in node.outputs:
            if node.onto is None:
                lives.append(_Life([], index, index))
                life_of[value] = lives[-1]
            else:
                life_of[value] = life_of[node.onto]
            life_of[value].values.append(value)
    for value in outputs:
        life_of[value].last = len(nodes)
    return lives
