"""A second opinion of what fits an expression: by trying, from each place in the text."""

from __future__ import annotations

from py_wgml.grammar.nodes import Both, Bytes, Choice, Grammar, Node, Repeat, Rule, Sequence, Without


class Naive:
    """All places where what fits may end. Slow, and as plain as the expressions themselves."""

    def __init__(self, grammar: Grammar, data: bytes) -> None:
        self._rules, self._data = grammar.rules, data
        self._known: dict[tuple[int, int], frozenset[int]] = {}

    def ends(self, node: Node, start: int) -> frozenset[int]:
        key = id(node), start
        if key not in self._known:
            self._known[key] = self._ends(node, start)
        return self._known[key]

    def _ends(self, node: Node, start: int) -> frozenset[int]:
        if isinstance(node, Bytes):
            there = start < len(self._data) and any(low <= self._data[start] <= high for low, high in node.ranges)
            return frozenset([start + 1] if there else [])
        if isinstance(node, Sequence):
            places = frozenset([start])
            for part in node.parts:
                places = self._behind(part, places)
            return places
        if isinstance(node, Choice):
            return frozenset().union(*(self.ends(option, start) for option in node.options))
        if isinstance(node, Repeat):
            return self._repeated(node, start)
        if isinstance(node, Rule):
            return self.ends(self._rules[node.name], start)
        first, second = self.ends(node.first, start), self.ends(node.second, start)
        assert isinstance(node, Both | Without)
        return first & second if isinstance(node, Both) else first - second

    def _behind(self, node: Node, places: frozenset[int]) -> frozenset[int]:
        return frozenset().union(*(self.ends(node, place) for place in places))

    def _repeated(self, node: Repeat, start: int) -> frozenset[int]:
        places = frozenset([start])
        for _ in range(node.least):
            places = self._behind(node.node, places)
        found, count = places, node.least
        while places and (node.most is None or count < node.most):
            places = self._behind(node.node, places) - found
            found, count = found | places, count + 1
        return found


def matches(grammar: Grammar, data: bytes) -> bool:
    return len(data) in Naive(grammar, data).ends(grammar.root, 0)
