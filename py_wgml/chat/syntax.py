"""Which syntax templates may have, and the code that is made of it: see sandbox.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame, operators
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

from .limits import MAX_BRANCHES, MAX_MACROS, MAX_PARTS, MAX_TOKENS, LimitError

if TYPE_CHECKING:
    from .sandbox import BoundedEnvironment

SYNTAX = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.For, nodes.If, nodes.Break, nodes.Continue, nodes.With),
    *(nodes.Macro, nodes.CallBlock, nodes.FilterBlock, nodes.Assign, nodes.AssignBlock, nodes.Scope),
    *(nodes.Name, nodes.NSRef, nodes.Const, nodes.Tuple, nodes.List, nodes.Dict, nodes.Pair, nodes.Keyword),
    *(nodes.CondExpr, nodes.Filter, nodes.Test, nodes.Call, nodes.Getitem, nodes.Getattr, nodes.Slice, nodes.Concat),
    *(nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Pos),
    *(nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow),
)
"""No other files, no blocks to be extended, no automatic escaping."""


class ShortTags(Extension):
    """Refuses endless source before a tree is made of it."""

    environment: BoundedEnvironment

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """Every token of a template passes through here on its way to the parser."""
        length = branches = macros = 0
        for parts, token in enumerate(stream):
            self.environment.step()
            if parts > MAX_PARTS:
                raise LimitError(f"it has more than {MAX_PARTS} parts")
            branches += token.test("name:elif")
            if branches > MAX_BRANCHES:
                raise LimitError(f"line {token.lineno} has more than {MAX_BRANCHES} branches of if")
            macros += token.test("name:macro")
            if macros > MAX_MACROS:
                raise LimitError(f"it has more than {MAX_MACROS} macros")
            length = 0 if token.type in ("data", "variable_begin", "block_begin") else length + 1
            if length > MAX_TOKENS:
                raise LimitError(f"line {token.lineno} has an expression of more than {MAX_TOKENS} parts")
            yield token


class CountedCode(CodeGenerator):
    """Compiles templates to code that calls back where something can repeat or grow without a call or a filter."""

    def visit_For(self, node: nodes.For, frame: Frame) -> None:
        step = nodes.EnvironmentAttribute("step()", lineno=node.lineno)
        node.body.insert(0, nodes.ExprStmt(step, lineno=node.lineno))
        if node.test is not None:
            node.test = nodes.And(step, node.test, lineno=node.lineno)
        super().visit_For(node, frame)

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        self.write("environment.joined((")
        for value in node.nodes:
            self.visit(value, frame)
            self.write(", ")
        self.write("))")

    def visit_Compare(self, node: nodes.Compare, frame: Frame) -> None:
        # What equals a constant is no longer than that: Python looks no further.
        values = [node.expr, *(operand.expr for operand in node.ops)]
        is_equality = len(node.ops) == 1 and node.ops[0].op in ("eq", "ne")
        is_short = is_equality and any(isinstance(value, nodes.Const) for value in values)
        for value, operator in zip(values, ["(", *(f" {operators[operand.op]} " for operand in node.ops)], strict=True):
            self.write(operator)
            self.write("(" if is_short or isinstance(value, nodes.Const) else "environment.counted(")
            self.visit(value, frame)
            self.write(")")
        self.write(")")

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:
        part = node.arg
        if not isinstance(part, nodes.Slice):
            super().visit_Getitem(node, frame)
            return
        self.write("environment.sliced(")
        self.visit(node.node, frame)
        self.write(", slice(")
        for end in (part.start, part.stop, part.step):
            self.visit(nodes.Const(None) if end is None else end, frame)
            self.write(", ")
        self.write("))")

    def visit_List(self, node: nodes.List, frame: Frame) -> None:
        self.write("environment.made(")
        super().visit_List(node, frame)
        self.write(")")

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> None:
        self.write("environment.made(")
        super().visit_Dict(node, frame)
        self.write(")")

    def visit_Tuple(self, node: nodes.Tuple, frame: Frame) -> None:
        if node.ctx == "load":
            self.write("environment.made(")
        super().visit_Tuple(node, frame)
        if node.ctx == "load":
            self.write(")")
