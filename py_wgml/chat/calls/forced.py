"""What an answer may be that has to be a call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...grammar import nodes
from ...grammar.nodes import EMPTY, Choice, Grammar, Node, Rule, literal, optional
from .form import Form, Pairs


def forced(form: Form, tools: Sequence[Mapping[str, Any]], several: bool = False) -> Grammar:
    """Calls of these functions, as the model writes them: one, or `several` too.

    Their arguments fit the functions' JSON schemas. Raises WgmlError for one that is not supported.
    """
    rules: dict[str, Node] = {}
    calls = []
    for place, tool in enumerate(tools):
        function = tool["function"]
        name, parameters = function["name"], function.get("parameters") or {}
        arguments = _arguments(form, name, parameters, rules, f"{place} ")
        calls.append(nodes.Sequence((literal(form.before), arguments)))
    one = Choice(tuple(calls))
    return Grammar(nodes.Repeat(one, 1) if several else one, rules)


def _arguments(form: Form, name: str, parameters: Mapping[str, Any], rules: dict[str, Node], prefix: str) -> Node:
    """What follows the mark: the function's name, its arguments, and the mark that ends the call."""
    none = literal(name + form.empty)
    properties = parameters.get("properties")
    if isinstance(properties, Mapping) and not properties and not parameters.get("additionalProperties"):
        return none
    before, after = literal(name + form.between), literal(form.after)
    if form.pairs is None:
        whole = parameters if "type" in parameters else {"type": "object"} | dict(parameters)
        return nodes.Sequence((before, _json(whole, rules, prefix), after))
    if not isinstance(properties, Mapping):
        return none
    required = parameters.get("required") or ()
    outer = {key: parameters[key] for key in ("$defs", "definitions") if key in parameters}
    members = []
    for number, (key, value) in enumerate(properties.items()):
        inside = value if isinstance(value, bool) else outer | dict(value)
        node = _value(form, form.pairs, inside, rules, f"{prefix}{number} ")
        members.append((nodes.Sequence((literal(key + form.pairs.of), node)), key in required))
    some = nodes.Sequence((before, _listed(members, literal(form.pairs.comma)), after))
    return some if any(is_required for _, is_required in members) else Choice((some, none))


def _listed(members: Sequence[tuple[Node, bool]], comma: Node) -> Node:
    """One of the members or more, in their order, with those that are required."""
    rest: list[Node] = [EMPTY]  # from each member on, behind another
    for node, is_required in reversed(members):
        more = nodes.Sequence((comma, node))
        rest.append(nodes.Sequence((more if is_required else optional(more), rest[-1])))
    rest.reverse()
    firsts = []
    for place, (node, is_required) in enumerate(members):
        firsts.append(nodes.Sequence((node, rest[place + 1])))
        if is_required:
            break
    return Choice(tuple(firsts))


def _value(form: Form, pairs: Pairs, value: Any, rules: dict[str, Node], prefix: str) -> Node:
    """A value as it stands between the others: text as it is, all else in JSON."""
    is_text = isinstance(value, Mapping) and value.get("type") == "string"
    if not is_text or pairs.quote in ("'", '"'):
        return _json(value, rules, prefix)
    options = [value["const"]] if "const" in value else value.get("enum")
    quote = literal(pairs.quote)
    if options:
        inside: Node = Choice(tuple(literal(option) for option in options if isinstance(option, str)))
    else:
        end = (pairs.quote or form.after).strip()
        inside = nodes.without(_first_mark(end))
    return nodes.Sequence((quote, inside, quote))


def _first_mark(text: str) -> str:
    """The mark that a text begins with."""
    end = text.find(">") + 1
    return text[:end] if end else text


def _json(value: Any, rules: dict[str, Node], prefix: str) -> Node:
    from ...grammar.schema import schema  # it is much, and seldom needed

    grammar = schema(value)
    rules.update({prefix + name: _renamed(node, prefix) for name, node in grammar.rules.items()})
    return _renamed(grammar.root, prefix)


def _renamed(node: Node, prefix: str) -> Node:
    """An expression whose rules have other names."""
    match node:
        case Rule(name):
            return Rule(prefix + name)
        case nodes.Sequence(parts):
            return nodes.Sequence(tuple(_renamed(part, prefix) for part in parts))
        case Choice(options):
            return Choice(tuple(_renamed(option, prefix) for option in options))
        case nodes.Repeat(inner, least, most):
            return nodes.Repeat(_renamed(inner, prefix), least, most)
        case nodes.Both(first, second):
            return nodes.Both(_renamed(first, prefix), _renamed(second, prefix))
        case nodes.Without(first, second):
            return nodes.Without(_renamed(first, prefix), _renamed(second, prefix))
    return node
