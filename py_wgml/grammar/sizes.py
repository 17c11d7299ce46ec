"""How large an expression may be, and what of it can be left out because nothing fits it."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import WgmlError
from .nodes import EMPTY, Both, Bytes, Choice, Grammar, Node, Repeat, Rule, Sequence, Without

MOST_REPEATED = 2000
"""Repetitions that are counted one by one, of characters or of anything else."""
MOST_PARTS = 300_000
"""Bytes of a grammar, with everything that is repeated written out as often as it may have to be."""
NOTHING = Choice()


def trimmed(grammar: Grammar, name: str) -> Grammar:
    """The same language, without what can't be completed. Raises WgmlError that begins with `name` if nothing fits, or
    if it is too large."""
    require_small(grammar, name)
    fitting: set[str] = set()
    while True:
        more = {rule for rule, node in grammar.rules.items() if rule not in fitting and _fits(node, fitting)}
        if not more:
            break
        fitting |= more
    root = _trim(grammar.root, fitting)
    if root is NOTHING:
        raise WgmlError(f"{name}: nothing fits it")
    rules: dict[str, Node] = {}
    new = _named(root)
    while new:
        rule = new.pop()
        if rule not in rules:
            rules[rule] = _trim(grammar.rules[rule], fitting)
            new |= _named(rules[rule])
    return Grammar(root, {rule: rules[rule] for rule in grammar.rules if rule in rules})


def require_small(grammar: Grammar, name: str) -> None:
    """Raises WgmlError that begins with `name` for more parts than can be had, or more within one another."""
    try:
        size = _size(grammar.root, grammar.rules, {})
    except RecursionError:
        raise WgmlError(f"{name}: it is nested too deeply") from None
    if size > MOST_PARTS:
        many = size if size < 10**9 else "billions of"
        raise WgmlError(f"{name}: it is too large, with repetitions {many} parts; at most {MOST_PARTS} can be had")


def _fits(node: Node, fitting: set[str]) -> bool:
    """Whether any text fits, as far as rules in `fitting` are known to have some."""
    if isinstance(node, Sequence):
        return all(_fits(part, fitting) for part in node.parts)
    if isinstance(node, Choice):
        return any(_fits(option, fitting) for option in node.options)
    if isinstance(node, Repeat):
        return not node.least or _fits(node.node, fitting)
    if isinstance(node, Rule):
        return node.name in fitting
    return isinstance(node, Both | Without) or bool(node.ranges)


def _trim(node: Node, fitting: set[str]) -> Node:
    """It without what nothing fits; NOTHING itself, where that is all."""
    if isinstance(node, Sequence):
        parts = tuple(_trim(part, fitting) for part in node.parts)
        return NOTHING if any(part is NOTHING for part in parts) else Sequence(parts)
    if isinstance(node, Choice):
        options = tuple(
            option for option in (_trim(option, fitting) for option in node.options) if option is not NOTHING
        )
        return options[0] if len(options) == 1 else Choice(options) if options else NOTHING
    if isinstance(node, Repeat):
        if (inner := _trim(node.node, fitting)) is NOTHING:
            return NOTHING if node.least else EMPTY
        return Repeat(inner, node.least, node.most)
    return node if _fits(node, fitting) else NOTHING


def _named(node: Node) -> set[str]:
    """The rules that an expression names."""
    return {part.name for part in _parts(node) if isinstance(part, Rule)}


def _parts(node: Node) -> list[Node]:
    """An expression and all within it."""
    found = [node]
    for part in found:
        if isinstance(part, Sequence):
            found += part.parts
        elif isinstance(part, Choice):
            found += part.options
        elif isinstance(part, Repeat):
            found.append(part.node)
        elif isinstance(part, Both | Without):
            found += (part.first, part.second)
    return found


def _size(node: Node, rules: Mapping[str, Node], known: dict[int | str, int]) -> int:
    """How many bytes it is made of, written out; what leads to itself counts as one where it does. Each part is looked
    at once, in however many places it stands."""
    key = node.name if isinstance(node, Rule) else id(node)
    if key not in known:
        known[key] = 1  # meanwhile
        known[key] = _sum(node, rules, known)
    return known[key]


def _sum(node: Node, rules: Mapping[str, Node], known: dict[int | str, int]) -> int:
    if isinstance(node, Bytes):
        return 1
    if isinstance(node, Sequence):
        return 1 + sum(_size(part, rules, known) for part in node.parts)
    if isinstance(node, Choice):
        return 1 + sum(_size(option, rules, known) for option in node.options)
    if isinstance(node, Repeat):
        return max(1, node.most or node.least) * _size(node.node, rules, known)
    if isinstance(node, Both | Without):
        return _size(node.first, rules, known) + _size(node.second, rules, known)
    return _size(rules[node.name], rules, known)
