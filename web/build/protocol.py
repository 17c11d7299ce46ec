"""`python3 -m web.build.protocol` makes web/shared/protocol.d.ts of py_wgml/protocol.py, findings.py, insight.py,
requests.py and facts.py."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from . import paths

SOURCES = [paths.PACKAGE / f"{name}.py" for name in ("facts", "requests", "insight", "findings", "protocol")]
TARGET = paths.WEB / "shared" / "protocol.d.ts"
_NAMES = {"str": "string", "int": "number", "float": "number", "bool": "boolean", "bytes": "Uint8Array"}
_NAMES |= {"Any": "unknown", "None": "null"}
_HEAD = "Made of the SOURCES of web/build/protocol.py by `python3 -m web.build.protocol`. Types only: none is shipped."


def typescript() -> str:
    """The declarations, each class as an interface and each alias as a type."""
    body = [node for path in SOURCES for node in ast.parse(path.read_text(encoding="utf-8")).body]
    lines = [f"/** {_HEAD} */", ""]
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.ClassDef):
            lines += [*_interface(node), ""]
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id != "File":
            lines += [*_comment(_text(after)), f"export type {node.targets[0].id} = {_type(node.value)};", ""]
    return "\n".join(lines)


def _interface(node: ast.ClassDef) -> Iterator[str]:
    bases = ", ".join(ast.unparse(base) for base in node.bases if ast.unparse(base) != "TypedDict")
    yield from _comment(ast.get_docstring(node))
    yield f"export interface {node.name}{f' extends {bases}' if bases else ''} {{"
    optional = any(keyword.arg == "total" for keyword in node.keywords)
    for field, after in zip(node.body, [*node.body[1:], None], strict=True):
        if not isinstance(field, ast.AnnAssign):
            continue
        kind = field.annotation
        is_optional = isinstance(kind, ast.Subscript) and ast.unparse(kind.value) == "NotRequired"
        type = _type(kind.slice if isinstance(kind, ast.Subscript) and is_optional else kind)
        yield from (f"  {line}" for line in _comment(_text(after)))
        yield f"  {ast.unparse(field.target)}{'?' if optional or is_optional else ''}: {type};"
    yield "}"


def _type(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):  # a name that comes later in the file
            return _type(ast.parse(text, mode="eval").body)
        case ast.Constant(value=None):
            return "null"
        case ast.Name(id=name):
            return _NAMES.get(name, name)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return f"{_type(left)} | {_type(right)}"
        case ast.Subscript(value=ast.Name(id="list"), slice=element):
            inner = _type(element)
            return f"({inner})[]" if "|" in inner else f"{inner}[]"
        case ast.Subscript(value=ast.Name(id="dict"), slice=ast.Tuple(elts=[key, value])):
            return f"Record<{_type(key)}, {_type(value)}>"
        case ast.Subscript(value=ast.Name(id="Literal"), slice=choices):
            values = choices.elts if isinstance(choices, ast.Tuple) else [choices]
            return " | ".join(ast.unparse(value).replace("'", '"') for value in values)
    raise ValueError(f"no type of TypeScript for {ast.unparse(node)}")


def _text(node: ast.stmt | None) -> str | None:
    """The docstring that a statement is."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return node.value.value
    return None


def _comment(text: str | None) -> list[str]:
    lines = [line.strip() for line in (text or "").splitlines()]
    if len(lines) > 1:
        return ["/**", *(f" * {line}".rstrip() for line in lines), " */"]
    return [f"/** {line} */" for line in lines]


if __name__ == "__main__":
    TARGET.write_text(typescript(), encoding="utf-8")
